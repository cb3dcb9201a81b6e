/** What the step that ends a job records beside the end. */
import { nothing } from "../accounts/tally.ts";
import { costOf, priceOf } from "../accounts/prices.ts";
import type { JobEntry, JobProgress } from "../catalog/entries.ts";
import type { Scope } from "../catalog/keys.ts";
import type { AtEnd, Ending, ResultsObject } from "../catalog/results.ts";
import { writeUsage } from "../catalog/usage.ts";
import type { RunUsage, UsageEntry } from "../catalog/usage_entries.ts";
import { ownModel } from "./requested_model.ts";
import type { JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { EndedJob, JobTools } from "./deps.ts";
import type { Outcome } from "./results/collect.ts";

/** How a job ends. */
interface JobEnd {
  readonly scope: Scope;
  readonly id: JobId;
  /** The job's end, or undefined where it has one already and keeps it. */
  readonly move: (job: JobEntry) => JobProgress | undefined;
  readonly objects: readonly ResultsObject[];
  readonly outcome: Outcome;
}

/**
 * Ends a job in one step with its results and its usage, and lets the figures count it where this
 * process did so.
 *
 * @returns The job; undefined where there is none.
 */
export async function endJob(
  deps: JobTools,
  { scope, id, move, objects, outcome }: JobEnd,
): Promise<JobEntry | undefined> {
  let counted: EndedJob | undefined;
  const atEnd: AtEnd = (step, ending) => {
    const usage = usageOf(deps, ending, outcome);
    writeUsage(step, ending.scope, ending.job, usage);
    const { status } = ending.job;
    counted = { scope, status, usage, isLate: isTerminal(ending.old.status) };
    // Without results nothing was counted, which is not the same as nothing used.
    const cost = outcome.runs && costOfAll(usage);
    return cost === undefined ? {} : { cost: Math.round(cost * 1e9) };
  };
  const job = await deps.catalog.results.end(scope, id, move, objects, atEnd);
  if (counted) deps.ended?.(counted);
  if (job) deps.leaveQueue({ scope, job });
  return job;
}

/** Returns what a job cost in USD; undefined where the price of a part of it is not known. */
function costOfAll({ runs }: UsageEntry): number | undefined {
  const costs = runs.map((run) => costOf(run, run.price));
  const known = costs.filter((cost) => cost !== undefined);
  return known.length < costs.length ? undefined : known.reduce((sum, cost) => sum + cost, 0);
}

/** Returns what a job used, at today's prices. */
export function usageOf(
  deps: Pick<JobTools, "models" | "providers" | "prices">,
  { scope: { provider }, job }: Pick<Ending, "scope" | "job">,
  { counts, runs: read }: Pick<Outcome, "counts" | "runs">,
): UsageEntry {
  const model = ownModel(deps, provider, job);
  const { success: succeeded, error: failed } = counts;
  const runs = read ?? [{ ...nothing, provider, model, succeeded, failed }];
  const prices = deps.prices?.() ?? {};
  const priced = runs.map((run): RunUsage => {
    // The job's own name for its model says nothing of another one.
    const isOwn = run.provider === provider && run.model === model;
    const names = isOwn ? [run.model, job.modelId] : [run.model];
    const price = priceOf(prices, names);
    return price ? { ...run, price } : run;
  });
  const { accessKeyId } = job;
  return { ...(accessKeyId !== undefined && { accessKeyId }), model, runs: priced };
}
