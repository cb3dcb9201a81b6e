/** Deleting an object and the provider file behind it. */
import type { ObjectCatalog } from "../catalog/objects.ts";
import { type Address, find, type FindDeps } from "./find.ts";
import { accountOf, type Reach, scopeOf } from "./reach.ts";

/** What deleting needs. */
export interface RemoveDeps extends FindDeps {
  readonly catalog: ObjectCatalog;
}

/**
 * Deletes an object; one that is not there is no error, as in S3.
 *
 * The provider's file goes first, so that a refusal by the provider is told and the object stays.
 * A file that a running job reads is kept until that job is over; its name is gone at once.
 */
export async function remove(
  deps: RemoveDeps,
  reach: Reach,
  address: Address,
  signal: AbortSignal,
): Promise<void> {
  const found = await find(deps, reach, address, signal);
  if (!found) return;
  const { record, name } = found;
  const { files } = accountOf(reach.provider, record.account);
  if (!name) {
    await files?.delete(record.file, signal);
    return;
  }
  const inUse = await deps.catalog.hasUses(reach.provider.name, record.file);
  if (!inUse) await files?.delete(record.file, signal);
  const keep = inUse ? "trash" : "gone";
  await deps.catalog.remove(scopeOf(reach), name.bucket, name.key, record, keep);
}
