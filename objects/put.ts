/** Storing an object: nothing is acknowledged that cannot be found, nothing refused stays behind. */
import { checkWrite, type WriteCondition } from "../catalog/objects.ts";
import type { RecordIdCatalog } from "../catalog/record_ids.ts";
import type { ObjectEntry, ObjectHeaders } from "../catalog/entries.ts";
import type { Clock } from "../runtime/clock.ts";
import { Failure } from "../codecs/failure.ts";
import type { PackedParts } from "../codecs/object_parts.ts";
import { cancelUnread } from "../runtime/unread.ts";
import type { Account, FilesPort, ProviderFile } from "../providers/provider.ts";
import { hasOthers, pickAccount } from "../reach/accounts.ts";
import { type EtagForm, etagMembers } from "./etag_form.ts";
import { spelledOut } from "./find.ts";
import { parseProviderName, providerName } from "./name.ts";
import { deleteUnnamed, removeMarked } from "./orphans.ts";
import { foreignEnvelope } from "./holder.ts";
import { IdNotes, type NotedIds } from "./record_ids.ts";
import { filesOf, type Reach, scopeOf } from "../reach/reach.ts";
import type { Registered } from "./registered.ts";
import { emptyTrash, type TrashDeps } from "./trash.ts";
import type { UploadMarks } from "./upload_marks.ts";

/** An object to be stored. */
export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  /** Exact length of the body. */
  readonly bytes: number;
  /** The object's bytes; the last chunk comes only after every digest was found right. */
  readonly body: ReadableStream<Uint8Array>;
  /** The digests that were verified; known once the body has ended. */
  readonly checksums: () => Readonly<Record<string, string>>;
  /** S3's ETag of the bytes, known once the body has ended; absent where it was not computed. */
  readonly md5?: () => string | undefined;
  readonly contentType: string;
  readonly headers: ObjectHeaders;
  readonly metadata: Readonly<Record<string, string>>;
  readonly condition: WriteCondition;
  /** What it was uploaded in, where it was uploaded in parts. */
  readonly parts?: PackedParts;
}

/** What storing needs. */
export interface PutDeps extends TrashDeps {
  readonly recordIds: RecordIdCatalog;
  readonly now: () => number;
  readonly clock: Clock;
  /** Throws `unavailable` where the catalog could not keep the object. */
  readonly checkRoom: () => Promise<void>;
  readonly random: () => number;
  readonly etagForm: (reach: Reach, bucket: string) => EtagForm;
  readonly uploads: UploadMarks;
  readonly registered: Registered;
  /** Told of a clean-up that has to wait for the sweep. */
  readonly postponed: (what: string, error: unknown) => void;
}

/** Seconds that a clean-up may take after the client has its answer, or went away. */
const cleanupSeconds = 30;

/** Streams an object to its provider and records it. */
export async function put(
  deps: PutDeps,
  reach: Reach,
  object: NewObject,
  signal: AbortSignal,
): Promise<ObjectEntry> {
  const account = pickAccount(reach.provider, deps.random);
  const files = filesOf(reach.provider, account);
  if (object.bytes > files.maxBytes) {
    throw new Failure(
      "too-large",
      `The object has ${object.bytes} bytes, and ${reach.provider.name} takes batch inputs of up ` +
        `to ${files.maxBytes} bytes. Split the records over several objects`,
      { fields: { ProposedSize: `${object.bytes}`, MaxSizeAllowed: `${files.maxBytes}` } },
    );
  }
  const condition = spelledOut(reach, object.condition);
  await refuseEarly(deps, reach, { ...object, condition });
  // Before its bytes go to the provider, which would have to delete them again.
  await deps.checkRoom();
  const registration = await deps.registered.current();
  const mark = deps.uploads.begin();
  const startedAt = deps.clock.earliest();
  const file = await upload(deps, reach, account, files, object, mark, signal);
  const record: ObjectEntry = {
    file: file.id,
    held: { in: "provider", file: file.id, account: account.name },
    bytes: object.bytes,
    modifiedAt: deps.now(),
    contentType: object.contentType,
    headers: object.headers,
    metadata: object.metadata,
    checksums: object.checksums(),
    ...etagMembers(deps.etagForm(reach, object.bucket), object.md5?.(), file.id),
    ...(object.parts && { parts: object.parts }),
    ...(file.expiresAt && { expiresAt: file.expiresAt.getTime() }),
  };
  const { bucket, key } = object;
  let replaced: ObjectEntry | undefined;
  try {
    const scope = scopeOf(reach);
    const isNative = wasThere(file, startedAt);
    replaced = await deps.catalog.set(
      scope,
      bucket,
      key,
      record,
      condition,
      registration,
      isNative,
    );
  } catch (error) {
    if (isUnavailable(error)) deps.registered.doubt();
    if (isUnavailable(error) && error.details.settled) {
      // The record may come yet, and must find its file.
      deps.uploads.doubt(mark, error.details.settled);
      throw error;
    }
    deps.uploads.doubt(mark);
    await cleanUp(
      deps,
      "the file of a refused write",
      (late) => deleteUnnamed(deps.catalog, reach.provider.name, account, file.id, late),
    );
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

/** Sends a file to its provider; the mark is ended or doubted where that fails. */
export async function upload(
  deps: PutDeps,
  reach: Reach,
  account: Account,
  files: FilesPort,
  object: Pick<NewObject, "bucket" | "key" | "bytes" | "body">,
  mark: string,
  signal: AbortSignal,
): Promise<ProviderFile> {
  const notes = files.idIn && new IdNotes(files.idIn);
  const { body, ended } = watchEnd(object.body, object.bytes);
  try {
    const file = await files.put({
      name: providerName({ ...object, tenant: reach.tenant }, mark),
      contentType: "application/jsonl",
      bytes: object.bytes,
      body,
      ...(notes && { seeLine: (text, start, end) => notes.see(text, start, end) }),
    }, signal);
    await keepIds(deps, reach, file, notes?.end(), account.batches.envelope.name);
    return file;
  } catch (error) {
    // Without its last bytes, or refused, there is no file. Else there may be one: the answer was
    // lost, or its client went away while the provider was at it.
    await cancelUnread(body, error);
    const refused = error instanceof Failure && !error.details.outcomeUnknown;
    if (refused || !ended()) deps.uploads.end(mark);
    else {
      deps.uploads.doubt(mark);
      const { name } = reach.provider;
      await cleanUp(
        deps,
        "a file whose answer was lost",
        (late) => removeMarked(deps.catalog, name, account, [{ text: mark }], late),
      );
    }
    throw elsewhere(reach, account, error);
  }
}

/** By how much clocks may differ, in milliseconds. */
const clockRoom = 60_000;

/**
 * Whether a provider answered a put with a file that somebody had put there by other means: it is
 * older, and no gateway has named it. Such a file goes on being native when its object is deleted.
 */
function wasThere({ name, createdAt }: ProviderFile, startedAt: number): boolean {
  const created = createdAt.getTime();
  return created > 0 && created < startedAt - clockRoom && name !== "" &&
    parseProviderName(name) === undefined;
}

function isUnavailable(error: unknown): error is Failure {
  return error instanceof Failure && error.kind === "unavailable";
}

/** Without them nothing is lost but the names of records that results may lack one day. */
async function keepIds(
  { recordIds, postponed }: PutDeps,
  { provider }: Reach,
  { id }: ProviderFile,
  ids: NotedIds | undefined,
  envelope: string,
): Promise<void> {
  if (!ids) return;
  const { first, ...kept } = ids;
  const foreign = foreignEnvelope(first, envelope);
  try {
    await recordIds.set(provider.name, id, { ...kept, ...(foreign !== undefined && { foreign }) });
  } catch (error) {
    postponed("the ids of a file's records could not be kept", error);
  }
}

/**
 * The body is spent, so that it cannot be sent to another account from here; but every SDK sends it
 * again after a 503, and then it goes to one that is well.
 */
function elsewhere({ provider }: Reach, account: Account, error: unknown): unknown {
  const isOfAccount = error instanceof Failure && error.details.account !== undefined;
  if (!isOfAccount || !hasOthers(provider, account)) return error;
  return new Failure(
    "unavailable",
    `The account ${account.name} of ${provider.name} took no upload and is set aside. Send the ` +
      "object again: it goes to another account",
    { cause: error, retryAfterSeconds: 1 },
  );
}

/** A body, and whether it has given out all its bytes. */
function watchEnd(
  body: ReadableStream<Uint8Array>,
  bytes: number,
) {
  const reader = body.getReader();
  let given = 0;
  let hasEnded = false;
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) given += value.byteLength;
      hasEnded = done || given >= bytes;
      if (done) return controller.close();
      controller.enqueue(value);
    },
    async cancel(reason) {
      await reader.cancel(reason);
      reader.releaseLock();
    },
  }, { highWaterMark: 0 });
  return { body: watched, ended: () => hasEnded };
}

/** Says no before the bytes are sent on where the write's condition fails already. */
async function refuseEarly(deps: PutDeps, reach: Reach, object: NewObject): Promise<void> {
  const { bucket, key, condition } = object;
  if (!condition.absent && !condition.notFiles) return;
  const old = await deps.catalog.get(scopeOf(reach), bucket, key);
  checkWrite(old ?? null, condition, key, deps.clock.due());
}

/** A clean-up goes on when the client has gone; one that fails is left to the sweep. */
export async function cleanUp(
  deps: PutDeps,
  what: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    await work(AbortSignal.timeout(cleanupSeconds * 1000));
  } catch (error) {
    deps.postponed(what, error);
  }
}
