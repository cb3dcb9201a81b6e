/** Reading a finished batch's results from its provider, part by part, as well as that goes. */
import type { RecordIds } from "../../catalog/record_ids.ts";
import type { SingleJob } from "../../catalog/entries.ts";
import type { FileId } from "../../codecs/ids.ts";
import { createBreath } from "../../runtime/breath.ts";
import { Failure } from "../../codecs/failure.ts";
import { accountOf } from "../../reach/reach.ts";
import type { BlobDraft } from "../../blobs/store.ts";
import type { Account, Batch, BatchResults, StoringProvider } from "../../providers/provider.ts";
import type { JobTools } from "../deps.ts";
import { type Check, checkResults, type Likeness, type OpenPart } from "./check.ts";
import { haveOwnIds, idsOf } from "./missing.ts";
import { expectedOf } from "./report.ts";

/** Results that seem to lack something are read so often: it may be the reading that failed. */
export const readings = 3;
/** Between two of them, in milliseconds; each time twice as long. */
export const readingPause = 500;

/** A part of the results that could not be read, and why. */
export interface UnreadPart {
  readonly name: string;
  readonly error: Failure;
}

/** Results as they were read, perhaps with a copy that waits to be kept or discarded. */
export interface Reading {
  readonly reported: BatchResults;
  readonly check: Check;
  readonly unread: readonly UnreadPart[];
  readonly draft: BlobDraft | undefined;
  readonly input: InputIds;
}

/** The ids of the records of a job's input. */
export interface InputIds {
  /** What was noted of them when the input was put; undefined where nothing was. */
  readonly known: RecordIds | undefined;
  /** Those ids in their order; undefined where they are not known. */
  open(): Promise<AsyncIterable<string> | Iterable<string> | undefined>;
}

/** A batch whose results are to be read. */
interface Source {
  readonly account: Account;
  readonly batch: Batch;
  readonly reported: BatchResults;
}

/** A part's bytes broke off behind their beginning: what was read of all parts is of no use. */
class BrokenPart extends Error {
  override readonly name = "BrokenPart";
  constructor(readonly part: UnreadPart) {
    super(part.error.message, { cause: part.error });
  }
}

/**
 * Reads a finished batch's results. A part that cannot be opened takes nothing from the others.
 *
 * Throws where the provider does not say where they are, and the {@linkcode Failure} of a part that
 * breaks off, unless it is the last time.
 *
 * @param isLast They will not be read again: what can be read is taken, whatever is wrong with the
 * rest.
 */
export async function readResults(
  deps: JobTools,
  provider: StoringProvider,
  job: SingleJob,
  batch: Batch,
  isLast: boolean,
): Promise<Reading> {
  const account = accountOf(provider, job.plan.account);
  const reported = await account.batches.results(batch, deps.closing);
  const file = job.plan.input;
  const known = file && await deps.catalog.recordIds.get(provider.name, file);
  const input: InputIds = {
    known,
    open: async () => known ? await known.ids() : await inputIds(deps, account, file),
  };
  const source: Source = { account, batch, reported };
  const without: UnreadPart[] = [];
  for (;;) {
    try {
      const read = await readPatiently(deps, source, input, without);
      return { ...read, reported, input };
    } catch (error) {
      if (!(error instanceof BrokenPart)) throw error;
      if (!isLast) throw error.part.error;
      without.push(error.part);
    }
  }
}

/** Results that were read. */
type Read = Pick<Reading, "check" | "unread" | "draft">;

/** Reads results, again where they seem to lack something. */
async function readPatiently(
  deps: JobTools,
  source: Source,
  input: InputIds,
  without: readonly UnreadPart[],
): Promise<Read> {
  const expected = expectedOf(source.batch);
  const { envelope } = source.account.batches;
  let likeness: Likeness = envelope.uniqueIds || input.known?.unique === true ? "id" : "line";
  for (let n = 1;; n++) {
    const read = await readOnce(deps, source, likeness, without);
    const { records, repeated, isCutShort } = read.check;
    const other: Likeness | undefined = repeated === 0
      ? undefined
      : await otherLikeness(deps, likeness, read.check, expected, input);
    const isShort = source.reported.parts.length > 0 && (isCutShort || records < expected);
    const isToBeRead = isShort && read.unread.length === 0 && n < readings;
    if (!other && !isToBeRead) return read;
    await read.draft?.discard();
    if (other) likeness = other;
    else await deps.sleep(readingPause * 2 ** (n - 1));
    deps.closing.throwIfAborted();
  }
}

/**
 * By what else records are distinguished from each other, where lines were left out that may be answers
 * of their own: records of one id that a service allows, or records that look alike. None of them
 * came twice while there are no more lines than records.
 */
async function otherLikeness(
  deps: JobTools,
  likeness: Likeness,
  { records, repeated }: Check,
  expected: number,
  input: InputIds,
): Promise<Likeness | undefined> {
  if (likeness === "nothing" || records >= expected) return undefined;
  if (likeness === "id") {
    const breath = createBreath({ signal: deps.closing });
    if (await haveOwnIds(() => openInput(deps, input), breath)) return undefined;
  }
  return records + repeated <= expected ? "nothing" : likeness === "id" ? "line" : undefined;
}

/** The ids of an input, where they can be read at all. */
async function openInput(deps: JobTools, input: InputIds) {
  try {
    return await input.open();
  } catch (error) {
    deps.closing.throwIfAborted();
    deps.warn("The input of a job could not be read to compare records", { error });
    return undefined;
  }
}

async function readOnce(
  deps: JobTools,
  { account: { batches }, batch, reported }: Source,
  likeness: Likeness,
  without: readonly UnreadPart[],
): Promise<Read> {
  const unread = [...without];
  const parts = reported.parts.map(({ name, bytes }): OpenPart => ({
    name,
    bytes,
    async open() {
      if (without.some((part) => part.name === name)) return undefined;
      try {
        const { body } = await batches.openResults(batch.id, name, undefined, deps.closing);
        return watched(body, name);
      } catch (error) {
        deps.closing.throwIfAborted();
        if (!(error instanceof Failure)) throw error;
        unread.push({ name, error });
        return undefined;
      }
    },
  }));
  const draft = parts.length > 0 ? await deps.resultStore?.draft() : undefined;
  try {
    const check = await checkResults(parts, {
      envelope: batches.envelope,
      likeness,
      write: (bytes) => draft?.write(bytes) ?? Promise.resolve(),
      breath: createBreath({ signal: deps.closing }),
    });
    return { check, unread, draft };
  } catch (error) {
    await draft?.discard();
    throw error;
  }
}

/** A part's body, whose breaking says which part it was. */
function watched(body: ReadableStream<Uint8Array>, name: string): ReadableStream<Uint8Array> {
  return ReadableStream.from((async function* () {
    try {
      yield* body;
    } catch (error) {
      throw error instanceof Failure ? new BrokenPart({ name, error }) : error;
    }
  })());
}

async function inputIds(
  deps: JobTools,
  { files, batches }: Account,
  file: FileId | undefined,
): Promise<AsyncIterable<string> | undefined> {
  if (file === undefined || !files) return undefined;
  const input = await files.read(file, undefined, deps.closing);
  return idsOf(input, batches.envelope, createBreath({ signal: deps.closing }));
}
