/** One look at a batch that is over, and the writing of what it came to. */
import type { JobEntry } from "../catalog/entries.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import { type Outcome, outcomeOf, unreadable } from "./results/collect.ts";
import { type Reading, readResults } from "./results/read.ts";
import { expectedOf } from "./results/report.ts";
import { advance } from "./state.ts";
import { type Evidence, patience, type Verdict, verdictOf } from "./verdict.ts";

/** Why a batch is to be looked at once more. */
export type Wait = Extract<Verdict, { do: "wait" }>;

/**
 * Reads the results of a batch that is over.
 *
 * @returns What its job ends with, or why it does not end yet.
 */
export async function lookAt(
  deps: JobTools,
  provider: StoringProvider,
  job: JobEntry,
  batch: Batch,
  doubt: Pick<Evidence, "waited" | "isOld">,
): Promise<Outcome | Wait> {
  let reading: Reading | undefined;
  let failure: unknown;
  try {
    const isLast = doubt.waited >= patience.refused;
    reading = await readResults(deps, provider, job, batch, isLast);
  } catch (error) {
    deps.closing.throwIfAborted();
    failure = error;
  }
  const errors = reading ? reading.unread.map(({ error }) => error) : [failure];
  const isShort = reading !== undefined && lacks(batch, reading);
  const verdict = verdictOf({ isShort, errors, ...doubt });
  if (verdict.do === "wait") {
    await reading?.draft?.discard();
    return verdict;
  }
  // Of batches that others made long ago it is what one expects.
  if (errors.length > 0 && !job.native) {
    deps.warn("The results of a job cannot be read any more", { job: job.id, error: errors[0] });
  }
  if (reading) return await outcomeOf(deps, provider.name, job, batch, reading);
  return unreadable(deps, job, batch, failure instanceof Error ? failure : Error("no reason"));
}

/** Whether a batch tells of more results than those that it names hold. */
function lacks(batch: Batch, { told, check }: Reading): boolean {
  if (told.areMore !== true) return false;
  return told.parts.length === 0 || check.records < expectedOf(batch);
}

/**
 * Ends a job, or gives one that is over its results.
 *
 * @param batch Absent where it is gone.
 */
export async function recordEnd(
  deps: JobTools,
  { scope, job }: ScopedJob,
  batch: Batch | undefined,
  { counts, message, objects, cuts }: Outcome,
): Promise<JobEntry | undefined> {
  const { results } = deps.catalog;
  const complete = await Promise.all(objects.map(async (one) => {
    if (cuts.length === 0 || one.results.parts.length === 0) return one;
    const cutChunks = await results.setCuts(scope.provider, one.object.file, cuts);
    return { ...one, results: { ...one.results, cutChunks } };
  }));
  const now = deps.now();
  return await results.settle(scope, job.id, (old) => {
    const ended = batch && advance(old, { ...batch, counts, message }, now);
    if (ended || !isTerminal(old.status)) return ended;
    return { ...old, counts, ...(message !== undefined && { message }) };
  }, complete);
}
