/** Collecting the results of a job that one batch ran. */
import type { SingleJob } from "../../catalog/entries.ts";
import { isNative } from "../../catalog/plans.ts";
import type { Batch, StoringProvider } from "../../providers/provider.ts";
import type { JobTools } from "../deps.ts";
import { type Outcome, outcomeOf, unreadable } from "../results/collect.ts";
import { type Reading, readResults } from "../results/read.ts";
import { expectedOf } from "../results/report.ts";
import type { DoubtSoFar } from "../run.ts";
import { patience, verdictOf, type Wait } from "../verdict.ts";

/**
 * Reads the results of a batch that is over.
 *
 * @returns What its job ends with, or why it does not end yet.
 */
export async function collectBatch(
  deps: JobTools,
  provider: StoringProvider,
  job: SingleJob,
  batch: Batch,
  doubt: DoubtSoFar,
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
  if (errors.length > 0 && !isNative(job)) {
    deps.warn("The results of a job cannot be read any more", { job: job.id, error: errors[0] });
  }
  if (reading) return await outcomeOf(deps, provider.name, job, batch, reading);
  return unreadable(deps, job, batch, failure instanceof Error ? failure : Error("no reason"));
}

/** Returns whether a batch reports more results than those that it names hold. */
function lacks(batch: Batch, { reported, check }: Reading): boolean {
  if (reported.areMore !== true) return false;
  return reported.parts.length === 0 || check.records < expectedOf(batch);
}
