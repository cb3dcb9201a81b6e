/** Clears away uploads in parts that are never completed, and what crashes left behind. */
import type { UploadAddress, UploadCatalog } from "../catalog/uploads.ts";
import type { Clock } from "../runtime/clock.ts";
import { Failure } from "../codecs/failure.ts";
import type { Holder } from "../runtime/pool.ts";
import { giveUp } from "./give_up.ts";
import type { PartSpool } from "./part_spool.ts";
import { holderOf } from "../reach/reach.ts";

/** Dependencies of the sweep of uploads. */
export interface SweepUploadsDeps {
  readonly catalog: UploadCatalog;
  readonly spool: PartSpool;
  readonly clock: Clock;
  readonly keepMilliseconds?: number;
}

const defaultKeepMilliseconds = 7 * 24 * 3_600_000;
/** How long a Complete may be repeated, in milliseconds. */
const repeatMilliseconds = 24 * 3_600_000;
/**
 * A file that is in no record is being written, perhaps by another gateway, or left over. No client
 * pauses for as long as this within a part, in milliseconds.
 */
const strayMilliseconds = 3_600_000;
const maxParts = 10_000;

/**
 * Gives up uploads that are open for too long, and removes parts and files of uploads that are
 * gone, and files of no part.
 */
export async function sweepUploads(deps: SweepUploadsDeps, signal: AbortSignal): Promise<void> {
  const { catalog, spool, clock } = deps;
  // Before the uploads are read: an upload is recorded before it has a part or a folder, so what is
  // seen here and has no upload then has lost it.
  const folders = await spool.uploads();
  const owners: string[] = [];
  for await (const id of catalog.partOwners()) owners.push(id);
  const oldest = clock.due() - (deps.keepMilliseconds ?? defaultKeepMilliseconds);
  const live = new Map<string, Holder>();
  for await (const upload of catalog.all()) {
    const isOld = upload.record.startedAt < oldest;
    if (isOld && await isGivenUp(deps, upload)) continue;
    live.set(upload.id, holderOf(upload.scope));
  }
  // Files first: on a full disk the catalog can be changed only when they have made room.
  for (const id of folders) {
    if (signal.aborted) return;
    if (live.has(id)) await removeStrays(deps, id);
    else await spool.removeAll(id);
  }
  for (const id of owners) {
    if (signal.aborted) return;
    if (!live.has(id)) await catalog.forgetParts(id);
  }
  await catalog.forgetCompleted(clock.due() - repeatMilliseconds);
  await spool.measure(live);
}

/** Closes an upload, unless it is just becoming an object. */
async function isGivenUp(
  deps: SweepUploadsDeps,
  upload: UploadAddress,
): Promise<boolean> {
  try {
    await giveUp(deps, upload, deps.clock.earliest());
    return true;
  } catch (error) {
    if (error instanceof Failure && error.kind === "conflict") return false;
    throw error;
  }
}

async function removeStrays(
  { catalog, spool, clock }: SweepUploadsDeps,
  id: string,
): Promise<void> {
  const old = await spool.strays(id, clock.due() - strayMilliseconds);
  if (old.length === 0) return;
  const recorded = new Set((await catalog.parts(id, 0, maxParts)).map(({ file }) => file));
  for (const file of old) if (!recorded.has(file)) await spool.remove(id, file);
}
