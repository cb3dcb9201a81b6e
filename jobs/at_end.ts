/** What the step that ends a job records beside the end. */
import { nothing } from "../accounts/tally.ts";
import { priceOf } from "../accounts/prices.ts";
import type { AtEnd, Ending } from "../catalog/results.ts";
import { writeUsage } from "../catalog/usage.ts";
import type { RunUsage, UsageEntry } from "../catalog/usage_entries.ts";
import { ownModel } from "./asked_model.ts";
import type { JobTools } from "./deps.ts";
import type { Outcome } from "./results/collect.ts";

/** Makes what adds to the step that ends a job with an outcome: each part of the accounts in turn. */
export function atEnd(deps: JobTools, outcome: Outcome): AtEnd {
  return (step, ending) => {
    writeUsage(step, ending.scope, ending.job, usageOf(deps, ending, outcome));
  };
}

/** What a job used, at the prices of now. */
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
    const names = run.provider === provider ? [run.model, job.modelId] : [run.model];
    const price = priceOf(prices, names);
    return price ? { ...run, price } : run;
  });
  const { accessKeyId } = job;
  return { ...(accessKeyId !== undefined && { accessKeyId }), model, runs: priced };
}
