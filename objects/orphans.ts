/**
 * Files that a provider took and the catalog never heard of: the answer was lost, or the gateway
 * died in between. Their names bear the mark of the upload, so no other file is ever touched.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { InstanceEntry } from "../catalog/entries.ts";
import type { KeptBlob } from "../catalog/held.ts";
import { type FileId, fileId } from "../codecs/ids.ts";
import { allPages } from "../runtime/pages.ts";
import type { Account, Provider } from "../providers/provider.ts";
import type { KeptObjects } from "./kept.ts";
import { markPrefix } from "./name.ts";
import type { UploadMarks } from "./upload_marks.ts";

/** Dependencies of the sweep for orphans. */
export interface OrphanDeps {
  readonly catalog: Catalog;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly kept: KeptObjects;
  /** This process' own uploads. */
  readonly uploads: UploadMarks;
  /**
   * Since when this process hears of others, where a catalog that was set back to an earlier moment
   * cannot be known from another: one that was not heard of since may have put more than it says.
   */
  readonly hearingSince?: number;
  /** Called for an account that could not be searched. */
  readonly failed: (provider: string, error: unknown) => void;
}

/**
 * Deletes what gateway processes left that ended without a farewell, and what this one's own
 * uploads left whose outcome is in doubt. Each account's files are read once for all of them. What
 * a provider dates later than a process was heard of stays there.
 *
 * @param deadline Processes last seen before this time are dead.
 */
export async function sweepOrphans(
  { catalog, providers, kept, uploads, hearingSince, failed }: OrphanDeps,
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  const dead = (await catalog.instances.all()).filter(({ record }) => record.seenAt < deadline);
  const doubtful = uploads.doubtful();
  const marks = [
    ...dead.map(({ id, record }) => ({
      text: markPrefix(id),
      until: heardUntil(record, hearingSince),
    })),
    ...doubtful.map((text) => ({ text })),
  ];
  if (marks.length === 0) return;
  // One that is merely slow must not record a file any more that is looked for here.
  for (const { id } of dead) await catalog.instances.expel(id);
  let complete = true;
  for (const provider of providers.values()) {
    for (const account of provider.stores?.accounts ?? []) {
      if (signal.aborted) return;
      try {
        await removeMarked(catalog.objects, provider.name, account, marks, signal);
      } catch (error) {
        complete = false;
        failed(provider.name, error);
      }
    }
    try {
      if (provider.stores) await removeBlobs(catalog, provider.name, kept, marks, signal);
    } catch (error) {
      complete = false;
      failed(provider.name, error);
    }
  }
  if (!complete) return;
  for (const { id } of dead) await catalog.instances.leave(id);
  uploads.searched(doubtful);
}

/** Providers give whole seconds, which may be earlier than a file is. */
const resolution = 1_000;

/** Marks in the names of files that are to be deleted. */
export interface SoughtMark {
  readonly text: string;
  /** Files that their provider dates later stay, in milliseconds since 1970. */
  readonly until?: number;
}

/**
 * Returns whether something that bears a mark may be deleted: what is dated later than it may be
 * stays.
 */
function isMeant({ until }: SoughtMark, time: number): boolean {
  // One whose time cannot be read is not known to be early: it stays.
  return until === undefined || time <= until;
}

/** Removes a provider's blobs that bear one of these marks and that the catalog does not know. */
async function removeBlobs(
  { objects, copies }: Catalog,
  provider: string,
  kept: KeptObjects,
  marks: readonly SoughtMark[],
  signal: AbortSignal,
): Promise<void> {
  for (const mark of marks) {
    const found: KeptBlob[] = [];
    for await (const one of kept.marked(provider, mark.text, signal)) {
      if (isMeant(mark, one.modifiedAt)) found.push(one.kept);
    }
    const blobs = found.map(({ blob }) => blob);
    const known = await objects.known(provider, blobs.map(fileId));
    const copied = await copies.known(provider, blobs);
    for (const one of found) {
      const isKnown = known.has(fileId(one.blob)) || copied.has(one.blob);
      if (!isKnown) await kept.remove(one, signal);
    }
  }
}

/** Deletes an account's files that bear one of these marks and that the catalog does not know. */
export async function removeMarked(
  catalog: ObjectCatalog,
  provider: string,
  account: Account,
  marks: readonly SoughtMark[],
  signal: AbortSignal,
): Promise<void> {
  const { files } = account;
  if (!files) return;
  const found: FileId[] = [];
  // All pages are read, for files come in any order, and before the first file is deleted: a page
  // may be continued from a file's id.
  for await (const page of allPages((cursor) => files.list(cursor, signal))) {
    for (const { id, name, createdAt } of page.items) {
      const time = createdAt.getTime();
      const isSought = (mark: SoughtMark) => name.includes(mark.text) && isMeant(mark, time);
      if (marks.some(isSought)) found.push(id);
    }
  }
  const known = await catalog.known(provider, found);
  for (const id of found) {
    if (!known.has(id)) await deleteUnnamed(catalog, provider, account, id, signal);
  }
}

/**
 * Deletes a file that no object names. At a service that stores by content it may be another put's:
 * it is claimed in the catalog first, so that a put either names it before, or must come again.
 */
export async function deleteUnnamed(
  catalog: ObjectCatalog,
  provider: string,
  { name, files }: Account,
  id: FileId,
  signal: AbortSignal,
): Promise<void> {
  if (!files || !await catalog.claim(provider, id, name)) return;
  await files.delete(id, signal);
  await catalog.forget(provider, id);
}

/**
 * Until when a process may have put files that no client knows of. A later file is one that the
 * catalog should know: the catalog was set back to an earlier moment, and `rebuild` takes it in.
 */
function heardUntil({ seenAt, nextAt }: InstanceEntry, hearingSince = -Infinity): number {
  return seenAt < hearingSince ? seenAt - resolution : nextAt ?? seenAt;
}
