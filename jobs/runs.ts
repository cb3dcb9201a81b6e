/** Picks what runs a job, by the job's plan. */
import { isSingle } from "../catalog/plans.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Run } from "./run.ts";
import { createShardedRun } from "./sharded/run.ts";
import { shardedOf } from "./sharded/worker.ts";
import { createSingleRun } from "./single/run.ts";

/**
 * The work of a provider for a job.
 *
 * @param seen The job's batch, where the provider has just shown it in a list.
 */
export function runOf(
  deps: JobTools,
  provider: StoringProvider,
  scoped: ScopedJob,
  seen?: Batch,
): Run {
  const { job } = scoped;
  if (isSingle(job)) return createSingleRun(deps, provider, job, seen);
  const sharded = shardedOf(deps, provider, scoped);
  return createShardedRun(deps, provider, sharded, () => deps.push(provider, scoped));
}
