/** How many bytes of kept objects each tenant has. */
import { createBreath } from "../runtime/breath.ts";
import type { FileId } from "../codecs/ids.ts";
import { grouped } from "./indexing.ts";
import type { FileEntry, ObjectEntry } from "./entries.ts";
import { keys, maxBatch, maxGetMany } from "./keys.ts";
import { readAll } from "./kv.ts";

/** Places of bytes that are never in the store of kept objects. */
const elsewhere: readonly (FileEntry["in"])[] = ["batch", "catalog"];

/**
 * Sums the bytes of kept objects, and of kept copies, by tenant. A file counts once, for the tenant of
 * its first name. Ends early where the signal is aborted.
 */
export async function keptBytes(
  kv: Deno.Kv,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  const breath = createBreath({ signal });
  const files = kv.list<FileEntry>({ prefix: ["file"] }, { batchSize: maxBatch });
  for await (const some of grouped(files, maxGetMany)) {
    if (signal.aborted) break;
    await breath.take();
    const kept = some.filter(({ value }) =>
      value.state === "current" && !elsewhere.includes(value.in)
    );
    const objects = await readAll<ObjectEntry>(kv, kept.map(objectKey));
    objects.forEach((object, at) => {
      const entry = kept[at];
      if (!entry || !object || !isOf(entry, object)) return;
      const { held, bytes } = object;
      const isKept = held.in === "store" || (held.in === "provider" && held.copy !== undefined);
      const { tenant } = entry.value;
      if (isKept) sums.set(tenant, (sums.get(tenant) ?? 0) + bytes);
    });
  }
  return sums;
}

function objectKey({ key: [, provider], value }: Deno.KvEntry<FileEntry>): Deno.KvKey {
  const { tenant, bucket, key } = value;
  return keys.object({ tenant, provider: String(provider) }, bucket, key);
}

/** Returns whether the name of a file stands for that file. */
function isOf({ key: [, , inItsKey], value }: Deno.KvEntry<FileEntry>, object: ObjectEntry) {
  return object.file === (value.id ?? inItsKey as FileId);
}
