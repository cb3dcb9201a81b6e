/** Storing an object's bytes as a provider file. */
import { Failure } from "../codecs/failure.ts";
import type { Account, FilesPort, ProviderFile } from "../providers/provider.ts";
import { hasOthers } from "../reach/accounts.ts";
import { filesOf, type Reach } from "../reach/reach.ts";
import { cancelUnread } from "../runtime/unread.ts";
import { lockstep } from "./bodies.ts";
import { etagMembers } from "./etag_form.ts";
import { parseProviderName, providerName } from "./name.ts";
import { cleanUp, type NewObject, type PutDeps, type StoredBytes } from "./new_object.ts";
import { deleteUnnamed, removeMarked } from "./orphans.ts";
import { foreignEnvelope } from "./holder.ts";
import { IdNotes, type NotedIds } from "./record_ids.ts";

/** Throws `too-large` for an object that is over the provider's limit, `unsupported` where it takes no files. */
export function checkSize({ provider }: Reach, account: Account, { bytes }: NewObject): void {
  const { maxBytes } = filesOf(provider, account);
  if (bytes <= maxBytes) return;
  throw new Failure(
    "too-large",
    `The object has ${bytes} bytes, and ${provider.name} takes batch inputs of up to ${maxBytes} ` +
      "bytes. Split the records over several objects",
    { fields: { ProposedSize: `${bytes}`, MaxSizeAllowed: `${maxBytes}` } },
  );
}

/** Sends an object's bytes to an account, and keeps a copy where that is wanted. */
export async function storeFile(
  deps: PutDeps,
  reach: Reach,
  account: Account,
  object: NewObject,
  signal: AbortSignal,
): Promise<StoredBytes> {
  checkSize(reach, account, object);
  const files = filesOf(reach.provider, account);
  const { name } = reach.provider;
  const { kept } = deps.held;
  const mark = deps.uploads.begin();
  const startedAt = deps.clock.earliest();
  const { file, copy } = kept.keep === "all"
    ? await uploadWithCopy(deps, reach, account, files, object, mark, signal)
    : { file: await upload(deps, reach, account, files, object, mark, signal), copy: undefined };
  return {
    members: {
      file: file.id,
      held: { in: "provider", file: file.id, account: account.name, ...(copy && { copy }) },
      ...etagMembers(deps.etagForm(reach, object.bucket), object.md5?.(), file.id),
      ...(file.expiresAt && { expiresAt: file.expiresAt.getTime() }),
    },
    isNative: wasThere(file, startedAt),
    mark,
    async undo(late) {
      await deleteUnnamed(deps.catalog, name, account, file.id, late);
      if (copy) await kept.remove(copy, late);
    },
  };
}

/** Sends the bytes to the provider and to the store at once; where one fails, neither has them. */
async function uploadWithCopy(
  deps: PutDeps,
  reach: Reach,
  account: Account,
  files: FilesPort,
  object: NewObject,
  mark: string,
  signal: AbortSignal,
) {
  const { kept } = deps.held;
  const { name } = reach.provider;
  const { first, second, fail } = lockstep(object.body, object.bytes);
  let failure: { readonly reason: unknown } | undefined;
  const failed = (reason: unknown) => {
    failure ??= { reason };
    fail(reason);
  };
  const uploading = upload(deps, reach, account, files, { ...object, body: first }, mark, signal);
  const keeping = kept.put(name, mark, { bytes: object.bytes, body: second }, signal);
  uploading.catch(failed);
  keeping.catch(failed);
  const [uploaded, copied] = await Promise.allSettled([uploading, keeping]);
  if (uploaded.status === "fulfilled" && copied.status === "fulfilled") {
    return { file: uploaded.value, copy: copied.value };
  }
  if (uploaded.status === "fulfilled") {
    const { id } = uploaded.value;
    deps.uploads.doubt(mark);
    await cleanUp(
      deps,
      "the file of an object without its copy",
      (late) => deleteUnnamed(deps.catalog, name, account, id, late),
    );
  }
  if (copied.status === "fulfilled") {
    const { value } = copied;
    await cleanUp(deps, "the copy of a refused object", (late) => kept.remove(value, late));
  }
  throw failure?.reason;
}

/** Sends a file to its provider; the mark is ended or doubted where that fails. */
export async function upload(
  deps: PutDeps,
  reach: Reach,
  account: Account,
  files: FilesPort,
  object: Pick<NewObject, "bucket" | "key" | "bytes" | "body" | "isGivenOut">,
  mark: string,
  signal: AbortSignal,
): Promise<ProviderFile> {
  const notes = files.idIn && new IdNotes(files.idIn);
  const { body, isGivenOut = () => true } = object;
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
    if (refused || !isGivenOut()) deps.uploads.end(mark);
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
 * Returns whether a provider answered a put with a native file that was there before: it is older,
 * and no gateway has named it. Such a file goes on being native when its object is deleted.
 */
function wasThere({ name, createdAt }: ProviderFile, startedAt: number): boolean {
  const created = createdAt.getTime();
  return created > 0 && created < startedAt - clockRoom && name !== "" &&
    parseProviderName(name) === undefined;
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
