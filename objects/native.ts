/** Files that were put into a provider by other means, as objects whose keys are their ids. */
import type { NamedObject, ObjectCatalog } from "../catalog/objects.ts";
import type { FileId } from "../codecs/ids.ts";
import { compareBytes } from "./byte_order.ts";
import { nativeRecord } from "./find.ts";
import type { Reach } from "./reach.ts";

const utf8 = new TextEncoder();

/**
 * The first native files from a position on, in byte order of their ids.
 *
 * A provider lists in an order of its own, so all its pages are read; of them only the `limit`
 * smallest ids are kept in memory.
 */
export async function nativeObjects(
  catalog: ObjectCatalog,
  reach: Reach,
  prefix: string,
  from: Uint8Array,
  limit: number,
  signal: AbortSignal,
): Promise<NamedObject[]> {
  let smallest: NamedObject[] = [];
  for (const { name, files } of reach.provider.accounts) {
    if (!files) continue;
    let cursor: string | undefined;
    do {
      const page = await files.list(cursor, signal);
      const wanted = page.items.filter((file) =>
        file.origin === "upload" && file.id.startsWith(prefix) &&
        compareBytes(utf8.encode(file.id), from) >= 0
      );
      const known = await catalog.known(reach.provider.name, wanted.map((file) => file.id));
      for (const file of wanted) {
        if (!known.has(file.id)) smallest.push({ key: file.id, record: nativeRecord(file, name) });
      }
      if (smallest.length > limit) smallest = firstOf(smallest, limit);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return firstOf(smallest, limit);
}

function firstOf(objects: NamedObject[], limit: number): NamedObject[] {
  // Ids are ASCII, where the order of strings is that of bytes.
  const key = (object: NamedObject): FileId => object.record.file;
  return objects.sort((a, b) => key(a) < key(b) ? -1 : 1).slice(0, limit);
}
