/**
 * Collects what a finished batch leaves: its results, read and checked, as the objects that will
 * show them.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { ResultsObject } from "../../catalog/results.ts";
import type { JobCounts, JobEntry, SingleJob } from "../../catalog/entries.ts";
import type { RunUsage } from "../../catalog/usage_entries.ts";
import { createBreath } from "../../runtime/breath.ts";
import { resultsEtag } from "../../codecs/etag.ts";
import { Failure } from "../../codecs/failure.ts";
import { type BlobName, blobName } from "../../codecs/ids.ts";
import type { Span } from "../../codecs/pieces.ts";
import { resultsId } from "../../codecs/results_id.ts";
import type { BlobDraft } from "../../blobs/store.ts";
import type { Batch } from "../../providers/provider.ts";
import { ranModel } from "../requested_model.ts";
import type { JobTools } from "../deps.ts";
import { messageWith } from "../end_message.ts";
import type { Check } from "./check.ts";
import { type Names, namesOf } from "./missing.ts";
import { type ResultsKeys, resultsKeys } from "./keys.ts";
import type { InputIds, Reading } from "./read.ts";
import { countsOf, expectedOf, type Faults, manifestOf, messageOf } from "./report.ts";

/** The end of a job, to be recorded. */
export interface Outcome {
  readonly counts: JobCounts;
  readonly message: string | undefined;
  readonly objects: readonly ResultsObject[];
  /** Spans that are left out of the results. */
  readonly cuts: readonly Span[];
  /** What the job used; absent where no results of it were read. */
  readonly runs?: readonly RunUsage[];
}

const contentType = "application/octet-stream";

/** Makes the end of a job from its results, as they were read. Lets the copy go. */
export async function outcomeOf(
  deps: JobTools,
  provider: string,
  job: SingleJob,
  batch: Batch,
  reading: Reading,
): Promise<Outcome> {
  const { reported, check, draft } = reading;
  try {
    const [lost] = reading.unread;
    if (lost && reading.unread.length === reported.parts.length) {
      return unreadable(deps, job, batch, lost.error);
    }
    const faults = await faultsOf(deps, job, batch, reading);
    const counts = countsOf(batch.counts, check);
    const message = messageOf(batch, faults, expectedOf(batch));
    const runs = [runOf(ranModel(deps, provider, job, batch), provider, counts, check)];
    const keys = resultsKeys(job);
    if (!keys) return { counts, message, objects: [], cuts: [], runs };
    const objects = [manifestObject(deps, keys, job, manifestOf(counts, check))];
    if (reported.parts.length === 0) return { counts, message, objects, cuts: [], runs };
    const kept = draft && await keep(deps, draft, provider, job, check);
    const expiresAt = kept === undefined ? reported.expiresAt?.getTime() : undefined;
    objects.push({
      bucket: keys.bucket,
      key: keys.output,
      object: {
        ...commonOf(deps, job, check.sha256),
        held: kept === undefined
          ? {
            in: "batch",
            batch: batch.id,
            account: job.plan.account,
            parts: check.parts,
            cutChunks: 0,
          }
          : { in: "store", blob: kept },
        bytes: check.bytes,
        ...(expiresAt !== undefined && { expiresAt }),
      },
    });
    return { counts, message, objects, cuts: check.cuts, runs };
  } finally {
    await draft?.discard();
  }
}

/** Returns what the one batch of a job used. */
function runOf(
  model: string,
  provider: string,
  { success: succeeded, error: failed }: JobCounts,
  { inputTokens = 0, cachedInputTokens, outputTokens = 0 }: Check,
): RunUsage {
  return { provider, model, succeeded, failed, inputTokens, cachedInputTokens, outputTokens };
}

/** Keeps results; undefined where they are too large for the operator's store. */
async function keep(
  deps: JobTools,
  draft: BlobDraft,
  provider: string,
  { id }: JobEntry,
  check: Check,
): Promise<BlobName | undefined> {
  const name = blobName(`${provider}/${id}/${resultsId(id, check.sha256)}`);
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

/** The end of a job whose results cannot be read. */
export function unreadable(
  deps: JobTools,
  job: JobEntry,
  batch: Pick<Batch, "counts" | "status" | "message">,
  error: Error,
): Outcome {
  const why = `The results cannot be read from the provider: ${error.message}`;
  return withoutResults(deps, job, batch.counts, messageWith(batch, [why]) ?? why);
}

/** The end of a job that has no results, and a message that says why. */
export function withoutResults(
  deps: JobTools,
  job: JobEntry,
  reported: Batch["counts"],
  message: string,
): Outcome {
  const counts = countsOf(reported, undefined);
  const keys = resultsKeys(job);
  const objects = keys ? [manifestObject(deps, keys, job, manifestOf(counts, undefined))] : [];
  return { counts, message: message.slice(0, 2_048), objects, cuts: [] };
}

/** The manifest as an object. */
export function manifestObject(
  deps: JobTools,
  keys: ResultsKeys,
  job: JobEntry,
  text: string,
): ResultsObject {
  const sha256 = createHash("sha256").update(text).digest("hex");
  const bytes = new TextEncoder().encode(text).length;
  return {
    bucket: keys.bucket,
    key: keys.manifest,
    object: { ...commonOf(deps, job, sha256), held: { in: "catalog", text }, bytes },
  };
}

/** Members that all objects of results have in common. */
export function commonOf(deps: JobTools, { id }: JobEntry, sha256: string) {
  return {
    file: resultsId(id, sha256),
    etag: resultsEtag(sha256),
    modifiedAt: deps.now(),
    contentType,
    headers: {},
    metadata: {},
    // Clients that ask for it check what they download.
    checksums: { "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64") },
  };
}

/** Finds faults of the results; names are looked up in the input, which few results need. */
async function faultsOf(
  deps: JobTools,
  job: JobEntry,
  batch: Batch,
  { reported, check, unread, input }: Reading,
): Promise<Faults> {
  const missing = Math.max(0, expectedOf(batch) - check.records);
  const { repeated, isCutShort } = check;
  const rest = {
    isCutShort,
    unread: unread.map(({ error }) => error.message),
    areUnnamed: reported.areMore === true && reported.parts.length === 0,
  };
  if (missing === 0 && repeated === 0) {
    const none = { count: 0, records: 0, first: [] };
    return { missing: none, repeated: none, ...rest };
  }
  const names = await namesFrom(deps, job, check, input);
  return {
    // Which records a batch got to that ended early is not known.
    missing: {
      count: missing,
      records: missing,
      first: batch.status === "Completed" ? names.missing : [],
    },
    repeated: { count: repeated, records: check.repeatedIds.size, first: names.repeated },
    ...rest,
  };
}

async function namesFrom(
  deps: JobTools,
  job: JobEntry,
  check: Check,
  input: InputIds,
): Promise<Names> {
  const none = { missing: [], repeated: [] };
  if (check.ids.isFull) return none;
  try {
    const ids = await input.open();
    return ids ? await namesOf(ids, check, createBreath({ signal: deps.closing })) : none;
  } catch (error) {
    deps.closing.throwIfAborted();
    deps.warn("The input of a job could not be read to name records", { job: job.id, error });
    return none;
  }
}
