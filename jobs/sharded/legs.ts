/** Legs of a sharded job: the rounds that its own provider runs, and the last one, at its fallback. */
import type { PreparedEntry, ShardEntry } from "../../catalog/shard_entries.ts";
import type { ShardedPlan } from "../../catalog/plan.ts";
import { Failure } from "../../codecs/failure.ts";
import type { StoringProvider } from "../../providers/provider.ts";
import { accountOf } from "../../reach/reach.ts";
import type { JobTools } from "../deps.ts";
import type { ShardedJob } from "./prepare.ts";

/** A sharded job as the provider of one of its rounds runs it. */
export interface Leg extends ShardedJob {
  readonly provider: StoringProvider;
  readonly isFallback: boolean;
}

/** The number of the last round that a job may have; its first one is 0. */
export function lastRound({ retries, fallback }: ShardedPlan): number {
  return retries + (fallback ? 1 : 0);
}

/** The leg that runs a round. Throws `unavailable` where its provider is not configured any more. */
export function legOf(deps: JobTools, sharded: ShardedJob, round = 0): Leg {
  const { plan, scope } = sharded;
  const { fallback } = plan;
  const isFallback = fallback !== undefined && round > plan.retries;
  const name = isFallback ? fallback.provider : scope.provider;
  const provider = deps.providers.get(name)?.stores;
  if (!provider?.target) {
    throw new Failure(
      "unavailable",
      `The job runs at ${name}, which the gateway's configuration no longer holds; its operator can ` +
        "add it again",
    );
  }
  if (!isFallback) return { ...sharded, provider, isFallback };
  const { to, account, modelId } = fallback;
  return {
    ...sharded,
    provider,
    isFallback,
    account: accountOf(provider, account),
    target: provider.target,
    plan: { ...plan, to, target: { provider: name, modelId } },
  };
}

/** Returns whether records may have to run once more when all shards are over. */
export function mayGoOn(
  plan: ShardedPlan,
  { records, refused, round = 0 }: PreparedEntry,
  shards: readonly ShardEntry[],
): boolean {
  if (round >= lastRound(plan)) return false;
  if (shards.some(({ end }) => !end || end.status === "Stopped")) return false;
  const success = shards.reduce((sum, { end }) => sum + (end?.counts?.success ?? 0), 0);
  return success < records - (plan.fallback ? 0 : refused);
}
