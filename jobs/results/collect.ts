/** What a finished batch leaves: its results, read and checked, as the objects that will show them. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { RecordIds } from "../../catalog/record_ids.ts";
import type { ResultsObject } from "../../catalog/results.ts";
import type { JobCounts, JobRecord } from "../../catalog/records.ts";
import { createBreath } from "../../codecs/breath.ts";
import { Failure } from "../../codecs/failure.ts";
import type { Span } from "../../codecs/pieces.ts";
import { resultsId } from "../../codecs/results_id.ts";
import { accountOf } from "../../objects/reach.ts";
import type { Draft } from "../../objects/results/store.ts";
import type { Account, Batch, BatchResults, StoringProvider } from "../../providers/provider.ts";
import type { JobTools } from "../deps.ts";
import { type Check, checkResults, type Likeness, type OpenPart } from "./check.ts";
import { idsOf, type Names, namesOf } from "./missing.ts";
import { placeOf, type ResultsPlace } from "./place.ts";
import { countsOf, expectedOf, type Faults, manifestOf, messageOf } from "./report.ts";

/** What is to be recorded of a job's end. */
export interface Outcome {
  readonly counts: JobCounts;
  readonly message: string | undefined;
  readonly objects: readonly ResultsObject[];
  /** What is left out of the results. */
  readonly cuts: readonly Span[];
}

/** Results that seem to lack something are read so often: it may be the reading that failed. */
const readings = 3;
/** Between two of them, in milliseconds; each time twice as long. */
const readingPause = 500;

const contentType = "application/octet-stream";

/** Results that were read, perhaps with a copy that waits to be kept. */
interface Read {
  readonly check: Check;
  readonly draft: Draft | undefined;
}

/** Reads a finished batch's results. Throws where they cannot be read now. */
export async function collect(
  deps: JobTools,
  provider: StoringProvider,
  job: JobRecord,
  batch: Batch,
): Promise<Outcome> {
  const account = accountOf(provider, job.account);
  const told = await account.batches.results(batch, deps.closing);
  const known = job.file && await deps.catalog.recordIds.get(provider.name, job.file);
  const isUnique = account.batches.form.uniqueIds || known?.unique === true;
  const { check, draft } = await readPatiently(deps, account, batch, told, isUnique);
  try {
    const faults = await faultsOf(deps, account, job, batch, check, known);
    const counts = countsOf(batch.counts, check);
    const message = messageOf(batch.message, faults, expectedOf(batch));
    const place = placeOf(job);
    if (!place) return { counts, message, objects: [], cuts: [] };
    const objects = [manifest(deps, place, job, manifestOf(counts, check))];
    if (told.parts.length === 0) return { counts, message, objects, cuts: [] };
    const kept = draft && await keep(deps, draft, provider.name, job, check);
    const expiresAt = kept === undefined ? told.expiresAt?.getTime() : undefined;
    objects.push({
      bucket: place.bucket,
      key: place.output,
      object: {
        ...common(deps, job, check.sha256),
        bytes: check.bytes,
        ...(expiresAt !== undefined && { expiresAt }),
      },
      results: {
        sha256: check.sha256,
        batch: batch.id,
        parts: check.parts,
        cutChunks: 0,
        ...(kept !== undefined && { kept }),
      },
    });
    return { counts, message, objects, cuts: check.cuts };
  } finally {
    await draft?.discard();
  }
}

/** Keeps results; undefined where they are too large for the operator's store. */
async function keep(
  deps: JobTools,
  draft: Draft,
  provider: string,
  { id }: JobRecord,
  check: Check,
): Promise<string | undefined> {
  const name = `${provider}/${id}/${resultsId(id, check.sha256)}`;
  try {
    await draft.keep(name, check, deps.closing);
    return name;
  } catch (error) {
    if (!(error instanceof Failure && error.kind === "too-large")) throw error;
    deps.warn("Results are too large to be kept; they are read from their provider", {
      job: id,
      provider,
      error,
    });
    return undefined;
  }
}

/** The end of a job whose results are not to be had. */
export function unreadable(
  deps: JobTools,
  job: JobRecord,
  { counts: told, message: reason }: Pick<Batch, "counts" | "message">,
  error: Error,
): Outcome {
  const counts = countsOf(told, undefined);
  const why = `The results cannot be read from the provider: ${error.message}`;
  const message = reason === undefined ? why : `${reason} ${why}`;
  const place = placeOf(job);
  const objects = place ? [manifest(deps, place, job, manifestOf(counts, undefined))] : [];
  return { counts, message: message.slice(0, 2_048), objects, cuts: [] };
}

function manifest(
  deps: JobTools,
  place: ResultsPlace,
  job: JobRecord,
  text: string,
): ResultsObject {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const bytes = new TextEncoder().encode(text).length;
  return {
    bucket: place.bucket,
    key: place.manifest,
    object: { ...common(deps, job, sha256), bytes },
    results: { sha256, text, batch: job.batch, parts: [], cutChunks: 0 },
  };
}

function common(deps: JobTools, { id, account }: JobRecord, sha256: string) {
  return {
    file: resultsId(id, sha256),
    account,
    modifiedAt: deps.now(),
    contentType,
    headers: {},
    metadata: {},
    // Clients that ask for it check what they download.
    checksums: { "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64") },
  };
}

/** Reads results, again where they seem to lack something. */
async function readPatiently(
  deps: JobTools,
  account: Account,
  batch: Batch,
  told: BatchResults,
  isUnique: boolean,
): Promise<Read> {
  const expected = expectedOf(batch);
  let likeness: Likeness = isUnique ? "id" : "line";
  for (let n = 1;; n++) {
    const read = await readOnce(deps, account, batch, told, likeness);
    const { records, repeated, isCutShort } = read.check;
    const looksAlike = likeness === "line" && repeated > 0 && records + repeated === expected;
    const isShort = told.parts.length > 0 && (isCutShort || records < expected);
    if (!looksAlike && (!isShort || n >= readings)) return read;
    await read.draft?.discard();
    // There are as many as there must be: records that look alike, and none that came twice.
    if (looksAlike) likeness = "nothing";
    else await deps.sleep(readingPause * 2 ** (n - 1));
    deps.closing.throwIfAborted();
  }
}

async function readOnce(
  deps: JobTools,
  { batches }: Account,
  batch: Batch,
  told: BatchResults,
  likeness: Likeness,
): Promise<Read> {
  const parts = told.parts.map(({ name, bytes }): OpenPart => ({
    name,
    bytes,
    open: async () => (await batches.openResults(batch.id, name, undefined, deps.closing)).body,
  }));
  const draft = parts.length > 0 ? await deps.resultStore?.draft() : undefined;
  try {
    const check = await checkResults(parts, {
      form: batches.form,
      likeness,
      write: (bytes) => draft?.write(bytes) ?? Promise.resolve(),
      breath: createBreath({ signal: deps.closing }),
    });
    return { check, draft };
  } catch (error) {
    await draft?.discard();
    throw error;
  }
}

/** What is wrong with the results; names are looked up in the input, which few results need. */
async function faultsOf(
  deps: JobTools,
  account: Account,
  job: JobRecord,
  batch: Batch,
  check: Check,
  known: RecordIds | undefined,
): Promise<Faults> {
  const missing = Math.max(0, expectedOf(batch) - check.records);
  const { repeated, isCutShort } = check;
  if (missing === 0 && repeated === 0) {
    const none = { count: 0, records: 0, first: [] };
    return { missing: none, repeated: none, isCutShort };
  }
  const names = await namesFrom(deps, account, job, check, known);
  return {
    // Of a batch that ended early nobody knows which records it got to.
    missing: {
      count: missing,
      records: missing,
      first: batch.status === "Completed" ? names.missing : [],
    },
    repeated: { count: repeated, records: check.repeatedIds.size, first: names.repeated },
    isCutShort,
  };
}

async function namesFrom(
  deps: JobTools,
  account: Account,
  job: JobRecord,
  check: Check,
  known: RecordIds | undefined,
): Promise<Names> {
  const none = { missing: [], repeated: [] };
  if (check.ids.isFull) return none;
  try {
    const ids = known ? await known.ids() : await inputIds(deps, account, job);
    return ids ? await namesOf(ids, check, createBreath({ signal: deps.closing })) : none;
  } catch (error) {
    deps.closing.throwIfAborted();
    deps.warn("The input of a job could not be read to name records", { job: job.id, error });
    return none;
  }
}

async function inputIds(
  deps: JobTools,
  { files, batches }: Account,
  { file }: JobRecord,
): Promise<AsyncIterable<string> | undefined> {
  if (file === undefined || !files) return undefined;
  const input = await files.read(file, undefined, deps.closing);
  return idsOf(input, batches.form, createBreath({ signal: deps.closing }));
}
