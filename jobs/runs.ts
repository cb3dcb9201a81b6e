/** Picks what runs a job, by the job's plan. */
import type { JobEntry } from "../catalog/entries.ts";
import { isSingle } from "../catalog/plans.ts";
import { Failure } from "../codecs/failure.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { JobTools } from "./deps.ts";
import type { Run } from "./run.ts";
import { createSingleRun } from "./single/run.ts";

/**
 * The work of a provider for a job.
 *
 * @param seen The job's batch, where the provider has just shown it in a list.
 */
export function runOf(
  deps: JobTools,
  provider: StoringProvider,
  job: JobEntry,
  seen?: Batch,
): Run {
  if (isSingle(job)) return createSingleRun(deps, provider, job, seen);
  throw new Failure("internal", `The job ${job.id} has a plan that this version does not run`);
}
