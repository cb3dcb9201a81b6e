/**
 * Storing an object: nothing is acknowledged that cannot be found, nothing refused stays behind.
 */
import type { ObjectEntry } from "../catalog/entries.ts";
import type { PutReservation } from "../catalog/quotas.ts";
import { checkWrite } from "../catalog/objects.ts";
import { Failure } from "../codecs/failure.ts";
import { countLines } from "../codecs/line_count.ts";
import type { Account } from "../providers/provider.ts";
import { pickAccount } from "../reach/accounts.ts";
import { type Reach, scopeOf } from "../reach/reach.ts";
import { cancelUnread } from "../runtime/unread.ts";
import { spelledOut } from "./find.ts";
import { checkDeclared, chooseHolder } from "./holder.ts";
import { cleanUp, type NewObject, type PutDeps, type StoredBytes } from "./new_object.ts";
import { storeBlob } from "./store_blob.ts";
import type { TakenRoom } from "./store_room.ts";
import { checkSize, storeFile } from "./store_file.ts";
import { emptyTrash } from "./trash.ts";

/**
 * Streams an object to its provider, or into the gateway's own store, and records it, with its bytes
 * counted against the limits of its access key.
 */
export async function put(
  deps: PutDeps,
  reach: Reach,
  object: NewObject,
  signal: AbortSignal,
): Promise<ObjectEntry> {
  return await deps.quota.counted(
    reach,
    object.bytes,
    (counted) => putCounted(deps, reach, object, counted, signal),
  );
}

async function putCounted(
  deps: PutDeps,
  reach: Reach,
  object: NewObject,
  counted: PutReservation | undefined,
  signal: AbortSignal,
): Promise<ObjectEntry> {
  const account = pickAccount(reach.provider, deps.random);
  if (deps.held.kept.keep === "never") checkSize(reach, account, object);
  else checkDeclared(object.metadata);
  const condition = spelledOut(reach, object.condition);
  await refuseEarly(deps, reach, { ...object, condition });
  // Before its bytes go to the provider, which would have to delete them again.
  await deps.checkRoom();
  const registration = await deps.registered.current();
  const stored = await store(deps, reach, account, object, signal);
  const { mark, isNative } = stored;
  const record: ObjectEntry = {
    ...stored.members,
    bytes: object.bytes,
    ...recordsOf(object),
    modifiedAt: deps.now(),
    contentType: object.contentType,
    headers: object.headers,
    metadata: object.metadata,
    checksums: object.checksums(),
    ...(object.parts && { parts: object.parts }),
  };
  const { bucket, key } = object;
  const scope = scopeOf(reach);
  let replaced: ObjectEntry | undefined;
  try {
    const { catalog } = deps;
    await deps.held.kept.label({ ...scope, bucket, key, record }, signal);
    const more = { registration, isNative, counted };
    replaced = await catalog.set(scope, bucket, key, record, condition, more);
  } catch (error) {
    if (isUnavailable(error)) deps.registered.doubt();
    if (isUnavailable(error) && error.details.settled) {
      // The record may come yet, and must find its bytes.
      deps.uploads.doubt(mark, error.details.settled);
      throw error;
    }
    deps.uploads.doubt(mark);
    await cleanUp(deps, "the file of a refused write", (late) => stored.undo(late));
    throw error;
  }
  deps.uploads.end(mark);
  if (replaced) {
    const { file: old } = replaced;
    await cleanUp(
      deps,
      "a replaced file",
      (late) => emptyTrash(deps, reach.provider, old, late),
    );
  }
  return record;
}

/**
 * Returns the number of records of a new object, where its body is at hand or its lines were
 * counted.
 */
function recordsOf({ body, records }: NewObject): Pick<ObjectEntry, "records"> {
  if (body instanceof Uint8Array) return { records: countLines(body) };
  return records ? { records: records() } : {};
}

/** Stores the bytes where they belong. */
async function store(
  deps: PutDeps,
  reach: Reach,
  account: Account,
  object: NewObject,
  signal: AbortSignal,
): Promise<StoredBytes> {
  if (deps.held.kept.keep === "never") return await storeFile(deps, reach, account, object, signal);
  const { holder, body } = await chooseHolder(account, object);
  let room: TakenRoom | undefined;
  try {
    const isKept = holder === "store" || deps.held.kept.keep === "all";
    room = isKept ? deps.storeRoom.take(reach.tenant, object.bytes) : undefined;
    const stored = holder === "store"
      ? await storeBlob(deps, reach, { ...object, body }, signal)
      : await storeFile(deps, reach, account, { ...object, body }, signal);
    room?.keep();
    return stored;
  } catch (error) {
    room?.leave();
    await cancelUnread(body, error);
    throw error;
  }
}

function isUnavailable(error: unknown): error is Failure {
  return error instanceof Failure && error.kind === "unavailable";
}

/** Refuses before the bytes are sent on where the write's condition fails already. */
async function refuseEarly(deps: PutDeps, reach: Reach, object: NewObject): Promise<void> {
  const { bucket, key, condition } = object;
  if (!condition.absent && !condition.notFiles) return;
  const old = await deps.catalog.get(scopeOf(reach), bucket, key);
  checkWrite(old ?? null, condition, key, deps.clock.due());
}
