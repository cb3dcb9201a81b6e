/**
 * The records of a job that have no good result, as an input of their own: those that failed, and
 * those that the results lack. In constant memory but for a digest of each good record's id.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { isBlank, splitLines, withoutByteOrderMark } from "../codecs/jsonl.ts";
import { envelope } from "../dialects/envelopes.ts";
import { type EnvelopeName, envelopeOf, isEnvelopeName } from "../dialects/names.ts";
import { madeId, parseLine } from "../dialects/stream.ts";
import { createBreath } from "../runtime/breath.ts";
import { chunkStream } from "../runtime/chunk_stream.ts";
import { IdSet } from "../runtime/id_set.ts";
import type { Reach } from "../reach/reach.ts";

/** Opens the bytes of an object again. */
type Open = () => Promise<ReadableStream<Uint8Array>>;

/** A file of a job's input, and its results. */
export interface RecordSources {
  /** Opens its bytes, decompressed. */
  readonly input: Open;
  readonly results: Open;
}

/** The envelopes that a job's input and results are in. */
export interface Envelopes {
  readonly input: EnvelopeName;
  readonly results: EnvelopeName;
  /** Whether a record without an id was given one by its line. */
  readonly areIdsMade: boolean;
}

/** An input of failed records. */
export interface FailedRecords {
  readonly records: number;
  readonly bytes: number;
  /** Reads the input once more; ends with an error where it has changed meanwhile. */
  readonly body: ReadableStream<Uint8Array>;
}

const maxLineBytes = 128 * 2 ** 20;
const lineFeed = 0x0a;

/** The envelopes of a job's files. */
export function envelopesOf({ plan }: JobEntry, { provider }: Reach): Envelopes {
  if (plan.kind === "sharded") {
    return { input: envelopeOf(plan.from), results: envelopeOf(plan.back), areIdsMade: true };
  }
  const name = provider.accounts[0]?.batches.envelope.name ?? "";
  if (!isEnvelopeName(name)) throw unreadable(`${provider.name} writes records in its own way`);
  return { input: name, results: name, areIdsMade: false };
}

/**
 * Finds the records of a job without a good result. Throws `unsupported` where records have no ids of
 * their own, for then it is not known which result is whose, and `invalid` where none has failed.
 */
export async function findFailedRecords(
  files: readonly RecordSources[],
  envelopes: Envelopes,
  signal: AbortSignal,
): Promise<FailedRecords> {
  let records = 0;
  let bytes = 0;
  for await (const line of failedIn(files, envelopes, signal)) {
    records++;
    bytes += line.length + 1;
  }
  if (records === 0) {
    throw new Failure("invalid", "Each record of the job has a good result: none is to run again");
  }
  // Opened when it is read, and let go of with the generator.
  async function* again(): AsyncGenerator<Uint8Array> {
    for await (const line of failedIn(files, envelopes, signal)) {
      const whole = new Uint8Array(line.length + 1);
      whole.set(line);
      whole[line.length] = lineFeed;
      yield whole;
    }
  }
  return { records, bytes, body: chunkStream(again(), () => {}) };
}

/** The lines of all files, one after the other; each id is one record's, or it would not be clear whose. */
async function* failedIn(
  files: readonly RecordSources[],
  envelopes: Envelopes,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const ids = new IdSet();
  for (const { input, results } of files) {
    const good = await goodIds(await results(), envelopes.results, signal);
    for await (const { id, line } of failedLines(await input(), envelopes, good, signal)) {
      if (id !== undefined && !ids.add(id)) {
        throw unreadable("more than one of its failed records have the same id");
      }
      yield line;
    }
  }
  if (ids.isFull) throw unreadable("too many of its records have failed");
}

async function goodIds(
  results: ReadableStream<Uint8Array>,
  name: EnvelopeName,
  signal: AbortSignal,
): Promise<IdSet> {
  const good = new IdSet();
  const { readResult } = envelope(name);
  const breath = createBreath({ signal });
  for await (const line of results.pipeThrough(splitLines({ maxLineBytes }))) {
    if (breath.isDue()) await breath.take();
    const json = isBlank(line) ? undefined : parseLine(line);
    if (json === undefined || typeof json === "string") continue;
    const { id, outcome } = readResult(json);
    if (id !== undefined && outcome.kind === "body") good.add(id);
  }
  if (good.isFull) throw unreadable("it has too many records");
  return good;
}

/** A record without a good result; its own id, if it has one. */
interface FailedLine {
  readonly id: string | undefined;
  readonly line: Uint8Array;
}

async function* failedLines(
  input: ReadableStream<Uint8Array>,
  { input: name, areIdsMade }: Envelopes,
  good: IdSet,
  signal: AbortSignal,
): AsyncGenerator<FailedLine> {
  const { readId } = envelope(name);
  let at = 0;
  const breath = createBreath({ signal });
  for await (const bytes of input.pipeThrough(splitLines({ maxLineBytes }))) {
    if (breath.isDue()) await breath.take();
    const line = ++at === 1 ? withoutByteOrderMark(bytes) : bytes;
    if (isBlank(line)) continue;
    const json = parseLine(line);
    // A line that is not a record fails again; its owner has to mend it first.
    if (typeof json === "string") continue;
    const found = readId(json);
    const id = found?.text === "" ? undefined : found?.text;
    const isNamed = id !== undefined || (areIdsMade && (!found || found.text === ""));
    if (!isNamed) throw unreadable("not each of its records has an id that is a text");
    if (!good.has(id ?? madeId(at))) yield { id, line };
  }
}

/** What helps where the failed records of a job cannot be found. */
export const toDoInstead = "Put an input of them and create a job on it";

/** Makes the failure of a job whose failed records cannot be distinguished from the others. */
export function unreadable(why: string): Failure {
  return new Failure(
    "unsupported",
    `The failed records of this job cannot be run again from here: ${why}. ${toDoInstead}`,
  );
}
