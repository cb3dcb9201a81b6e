/**
 * Files that a provider took and the catalog never heard of: the answer was lost, or the gateway
 * died in between. Their names bear the mark of the upload, so no other file is ever touched.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { FileId } from "../codecs/ids.ts";
import { allPages } from "../codecs/pages.ts";
import type { Account, Provider } from "../providers/provider.ts";
import { markPrefix } from "./name.ts";
import type { UploadMarks } from "./upload_marks.ts";

/** What the sweep for orphans works on. */
export interface OrphanDeps {
  readonly catalog: Catalog;
  readonly providers: ReadonlyMap<string, Provider>;
  /** This process' own uploads. */
  readonly uploads: UploadMarks;
  /** Told of an account that could not be searched. */
  readonly failed: (provider: string, error: unknown) => void;
}

/**
 * Deletes what gateway processes left that ended without a farewell, and what this one's own
 * uploads left whose outcome is in doubt. Each account's files are read once for all of them.
 *
 * @param deadline Processes last seen before this time are dead.
 */
export async function sweepOrphans(
  { catalog, providers, uploads, failed }: OrphanDeps,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const dead = (await catalog.instances.all()).filter(({ record }) => record.seenAt < deadline);
  const doubtful = uploads.doubtful();
  const marks = [...dead.map(({ id }) => markPrefix(id)), ...doubtful];
  if (marks.length === 0) return;
  // One that is merely slow must not record a file any more that is looked for here.
  for (const { id } of dead) await catalog.instances.expel(id);
  let complete = true;
  for (const provider of providers.values()) {
    if (provider.forwards) continue;
    for (const account of provider.accounts) {
      if (signal.aborted) return;
      try {
        await removeMarked(catalog.objects, provider.name, account, marks, signal);
      } catch (error) {
        complete = false;
        failed(provider.name, error);
      }
    }
  }
  if (!complete) return;
  for (const { id } of dead) await catalog.instances.leave(id);
  uploads.searched(doubtful);
}

/** Deletes an account's files that bear one of these marks and that the catalog does not know. */
export async function removeMarked(
  catalog: ObjectCatalog,
  provider: string,
  { files }: Account,
  marks: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (!files) return;
  const found: FileId[] = [];
  // All pages are read, for files come in any order, and before the first file is deleted: a page
  // may be continued from a file's id.
  for await (const page of allPages((cursor) => files.list(cursor, signal))) {
    for (const { id, name } of page.items) {
      if (marks.some((mark) => name.includes(mark))) found.push(id);
    }
  }
  const known = await catalog.known(provider, found);
  for (const id of found) if (!known.has(id)) await files.delete(id, signal);
}
