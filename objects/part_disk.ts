/** Parts of an upload wait on one disk, and only gateways that see it can take or join them. */
import type { UploadEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { PartSpool } from "./part_spool.ts";

/** Throws `unavailable` where an upload's parts wait on a disk that this gateway does not see. */
export async function checkDisk(spool: PartSpool, { disk }: UploadEntry): Promise<void> {
  if (disk === undefined || disk === await spool.disk()) return;
  throw new Failure(
    "unavailable",
    "The parts of this upload wait on another machine of the gateway, and this request came to one " +
      "that does not see them. Send it again; if that does not help, abort the upload and begin " +
      "again. Operators: let the load balancer send all requests for one key to the same machine",
    { retryAfterSeconds: 1 },
  );
}
