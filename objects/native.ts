/**
 * Native files, which were put into a provider without Batchway, as objects whose keys are their
 * ids.
 */
import type { NamedObject, ObjectCatalog } from "../catalog/objects.ts";
import { allPages } from "../runtime/pages.ts";
import { askAccounts } from "../reach/accounts.ts";
import { compareBytes } from "./byte_order.ts";
import { isLive, nativeRecord } from "./find.ts";
import type { Reach } from "../reach/reach.ts";

const utf8 = new TextEncoder();

/** The longest key of S3; a file of a longer id is named by its ETag. */
const maxKeyBytes = 1_024;

/** Native files from a position on, in byte order of their ids. */
export type NativeFiles = (from: Uint8Array, limit: number) => Promise<NamedObject[]>;

/**
 * Makes what reads the native files for one page of a list.
 *
 * A provider lists in an order of its own, so all its pages are read. Of them the `size` smallest
 * ids are kept, for a page with common prefixes asks again and again.
 */
export function createNativeFiles(
  catalog: ObjectCatalog,
  reach: Reach,
  prefix: string,
  size: number,
  now: number,
  signal: AbortSignal,
): NativeFiles {
  let kept: NamedObject[] = [];
  let hasAll = false;
  return async (from, limit) => {
    const isAfter = ({ key }: NamedObject) => compareBytes(utf8.encode(key), from) >= 0;
    // Some providers go on listing for a while what cannot be used any more.
    const isWanted = (object: NamedObject) => isLive(object.record, now) && isAfter(object);
    kept = kept.filter(isAfter);
    if (kept.length < limit && !hasAll) {
      kept = await smallest(catalog, reach, prefix, isWanted, size, signal);
      hasAll = kept.length < size;
    }
    return kept.slice(0, limit);
  };
}

async function smallest(
  catalog: ObjectCatalog,
  reach: Reach,
  prefix: string,
  isWanted: (object: NamedObject) => boolean,
  size: number,
  signal: AbortSignal,
): Promise<NamedObject[]> {
  let found: NamedObject[] = [];
  const answers = askAccounts(reach.provider, async ({ name, files }) => {
    let own: NamedObject[] = [];
    if (!files) return own;
    for await (const page of allPages((cursor) => files.list(cursor, signal))) {
      const wanted = page.items
        .filter((file) =>
          file.origin === "upload" && file.id.startsWith(prefix) && file.id.length <= maxKeyBytes
        )
        .map((file) => ({ key: file.id, record: nativeRecord(file, name) }))
        .filter(isWanted);
      const hidden = await catalog.hidden(reach.provider.name, wanted.map(({ key }) => key));
      own.push(...wanted.filter(({ key }) => !hidden.has(key)));
      if (own.length > size) own = firstOf(own, size);
    }
    return own;
  });
  for await (const own of answers) found = firstOf([...found, ...own], size);
  return found;
}

function firstOf(objects: NamedObject[], size: number): NamedObject[] {
  // Ids are ASCII, where the order of strings is that of bytes.
  const sorted = objects.sort((a, b) => a.key < b.key ? -1 : 1);
  // A provider's pages may overlap.
  return sorted.filter(({ key }, at) => key !== sorted[at - 1]?.key).slice(0, size);
}
