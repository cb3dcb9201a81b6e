/** Deleting an object and the provider file behind it. */
import { keptBlobOf } from "../catalog/held.ts";
import type { LinkCatalog } from "../catalog/links.ts";
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { ObjectEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import { type Address, fileIds, find, type FindDeps, type Found, lastPart } from "./find.ts";
import { accountOf, type Reach, scopeOf } from "../reach/reach.ts";
import { accountOfHeld, removeHeld } from "./held.ts";
import type { HeldDeps } from "./held_operations.ts";

/** Dependencies of deleting. */
export interface RemoveDeps extends FindDeps {
  readonly catalog: ObjectCatalog;
  readonly links: LinkCatalog;
  readonly held: HeldDeps;
}

/** An object to be deleted. */
export interface RemoveRequest extends Address {
  /** Refuses, by throwing, an object that was not meant. */
  readonly accept?: (found: ObjectEntry) => void;
}

/**
 * Deletes an object; one that is not there is no error, as in S3.
 *
 * The provider's file goes before the name, so that a refusal by the provider is reported and the
 * object stays. A file that a running job reads is kept until that job is over, one of which there
 * is a copy until its last name goes; the name itself is gone at once.
 */
export async function remove(
  deps: RemoveDeps,
  reach: Reach,
  { accept, ...address }: RemoveRequest,
  signal: AbortSignal,
): Promise<void> {
  const found = await find(deps, reach, address, signal);
  if (!found || isOnlySuggested(reach, address, found)) return;
  accept?.(found.record);
  const { record, name } = found;
  const { catalog, links } = deps;
  const scope = name ? { ...scopeOf(reach), tenant: name.tenant } : scopeOf(reach);
  if (!name) {
    // A job's results are read from that file.
    if (await catalog.resultOf(scope.provider, record.file) !== undefined) return;
    const account = accountOfHeld(record);
    if (account === undefined) return;
    if (await links.partNative(scope, record.file, account) === "named") return;
    // It is in the trash, where no job can begin to read it; the last that does so empties it.
    if (await isHeld(catalog, scope.provider, record.file)) return;
    const stays = () => links.restoreNative(scope.provider, record.file);
    await deleteFile(deps, reach, found, stays);
    await catalog.forget(scope.provider, record.file);
    return;
  }
  const { bucket, key } = name;
  const blob = keptBlobOf(record.held);
  // A blob on another machine's disk goes with that machine's next sweep.
  const isElsewhere = blob !== undefined && !await deps.held.kept.isHere(blob);
  if (isElsewhere || await catalog.hasUses(scope.provider, record.file)) {
    await catalog.remove(scope, bucket, key, record, "trash");
    return;
  }
  if (await links.part(scope, bucket, key, record) === "named") return;
  // A job that began in between holds the file; one that begins from here on finds it in the trash.
  if (await isHeld(catalog, scope.provider, record.file)) {
    await catalog.remove(scope, bucket, key, record, "trash");
    return;
  }
  await deleteFile(deps, reach, found, () => links.restore(scope, bucket, key, record));
  await catalog.remove(scope, bucket, key, record, "gone");
}

/**
 * Returns whether a file that was put into the trash stays at its provider: a running job reads it,
 * or a put of the same content has taken it out again. That can happen only while a job reads it,
 * so the uses are looked at first.
 */
async function isHeld(catalog: ObjectCatalog, provider: string, file: FileId): Promise<boolean> {
  return await catalog.hasUses(provider, file) || !await catalog.trashed(provider, file);
}

/**
 * Returns whether an object was found in a way that is a help for reading and not enough to delete
 * it.
 *
 * A file of another bucket must be named by If-Match, or its id be the whole key. What has an ETag
 * of its bytes is deleted by its own key or by its file's id: others may have the same bytes, and a
 * deletion on a condition that is sent twice must not take another object the second time.
 */
function isOnlySuggested(
  reach: Reach,
  { bucket, key, ifMatch }: Address,
  { name, record }: Found,
): boolean {
  const isNamed = ifMatch !== undefined && !ifMatch.includes("*");
  const isItself = name?.bucket === bucket && name.key === key;
  const texts = isNamed ? ifMatch : [lastPart(key)];
  const isById = texts.includes(record.file) || fileIds(reach, texts).includes(record.file);
  if (name && !isItself && !isById) return true;
  return name !== undefined && name.bucket !== bucket && !isNamed &&
    key !== record.file && fileIds(reach, [key]).length === 0;
}

/**
 * Deletes a file at its provider, also when the client has gone meanwhile: the provider may be at it.
 *
 * Where the provider refuses, the file stays, and the catalog notes so first. Where it is not known
 * whether it is gone, it is left in the trash, and the sweep brings to an end what was begun.
 */
async function deleteFile(
  { held }: RemoveDeps,
  { provider }: Reach,
  { record }: Found,
  stays: () => Promise<void>,
): Promise<void> {
  let isAsked = false;
  try {
    // Accounts that are not configured any more were not asked.
    if (record.held.in === "provider") accountOf(provider, record.held.account);
    isAsked = true;
    await removeHeld(held, provider, record, new AbortController().signal);
  } catch (error) {
    const isKnown = !isAsked || error instanceof Failure && error.kind !== "unavailable";
    if (isKnown) await stays();
    throw error;
  }
}
