/** Giving up an upload in parts. */
import type { UploadAddress, UploadCatalog } from "../catalog/uploads.ts";
import { isDiskFailure } from "../runtime/disk.ts";
import type { PartSpool } from "./part_spool.ts";

/** Dependencies of giving up. */
export interface GiveUpDeps {
  readonly catalog: UploadCatalog;
  readonly spool: PartSpool;
}

/**
 * Closes an upload; false where there is none. Its parts are left to the caller, but on a full disk,
 * where even a step that deletes needs room: then the parts make it, which are not needed now. If
 * the step finds no room even so, the upload is open without parts, and can be given up again.
 *
 * @param now The earliest that it may be: a completion by another process must be over for certain.
 */
export async function giveUp(
  { catalog, spool }: GiveUpDeps,
  address: UploadAddress,
  now: number,
): Promise<boolean> {
  try {
    return await catalog.remove(address, now);
  } catch (error) {
    if (!isDiskFailure(error)) throw error;
    await spool.removeAll(address.id);
    return await catalog.remove(address, now);
  }
}
