/** Blobs that are copies of provider files: no file of the catalog bears their name. */
import type { BlobName } from "../codecs/ids.ts";
import { keptBytes } from "./kept_bytes.ts";
import { keys } from "./keys.ts";
import { change, readAll } from "./kv.ts";
import type { ObjectEntry } from "./entries.ts";

/** The part of the catalog that knows copies. */
export type CopyCatalog = ReturnType<typeof createCopyCatalog>;

/** Adds to a step that an object's provider file has a copy. */
export function addCopy(
  step: Deno.AtomicOperation,
  provider: string,
  { held }: Pick<ObjectEntry, "held">,
): void {
  if (held.in === "provider" && held.copy) step.set(keys.copy(provider, held.copy.blob), true);
}

/** Makes that part of the catalog. */
export function createCopyCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return {
    /** Returns those of these blobs that are copies of files that the catalog knows. */
    async known(provider: string, blobs: readonly BlobName[]): Promise<Set<BlobName>> {
      const found = await readAll<true>(kv, blobs.map((blob) => keys.copy(provider, blob)));
      return new Set(blobs.filter((_, at) => found[at] !== undefined));
    },
    /** Bytes of kept objects and copies by tenant. */
    keptBytes: (signal: AbortSignal) => keptBytes(kv, signal),
    /** Forgets a copy that was removed. */
    async forget(provider: string, blob: BlobName): Promise<void> {
      await change(sleep, async () => {
        await kv.delete(keys.copy(provider, blob));
        return { done: undefined };
      });
    },
  };
}
