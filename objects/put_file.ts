/** Storing a provider file that is not an object: the gateway's own work for a job. */
import type { Registration } from "../catalog/instances.ts";
import { createDigestTap } from "../codecs/checksums.ts";
import { Failure } from "../codecs/failure.ts";
import type { FileId } from "../codecs/ids.ts";
import { verifiedStream } from "../codecs/verified_stream.ts";
import type { Account, StoringProvider } from "../providers/provider.ts";
import { filesOf } from "../reach/reach.ts";
import { deleteUnnamed } from "./orphans.ts";
import { cleanUp, type PutDeps } from "./new_object.ts";
import { upload } from "./store_file.ts";

/** A file to be stored. */
export interface OwnFile {
  readonly provider: StoringProvider;
  readonly account: Account;
  readonly tenant: string;
  readonly name: string;
  /** Exact length in bytes. */
  readonly bytes: number;
  open(): Promise<ReadableStream<Uint8Array>>;
  /** Records the file in a step that checks the registration; false where that has ended. */
  record(file: FileId, registration: Registration): Promise<boolean>;
}

/** Stores a file and has it recorded; a file that is not recorded is deleted, at the latest by the sweep. */
export async function putFile(deps: PutDeps, file: OwnFile, signal: AbortSignal): Promise<void> {
  const { provider, account, tenant, name: key, bytes } = file;
  const files = filesOf(provider, account);
  const reach = { tenant, native: false, provider };
  const registration = await deps.registered.current();
  const opened = await file.open();
  const tap = await createDigestTap([]);
  const { stream: body, isGivenOut } = verifiedStream(opened, { length: bytes, tap });
  const mark = deps.uploads.begin();
  // Without a bucket the name is that of no object: a lost catalog is not made again from it.
  const object = { bucket: "", key, bytes, body, isGivenOut };
  const { id } = await upload(deps, reach, account, files, object, mark, signal);
  try {
    if (await file.record(id, registration)) return deps.uploads.end(mark);
  } catch (error) {
    deps.uploads.doubt(mark);
    throw error;
  }
  deps.registered.doubt();
  deps.uploads.doubt(mark);
  await cleanUp(
    deps,
    "a file of a job",
    (late) => deleteUnnamed(deps.catalog, provider.name, account, id, late),
  );
  throw new Failure("unavailable", "The gateway could not record a file of the job");
}
