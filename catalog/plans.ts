/** What the plans of jobs have in common, whichever way they run. */
import type { BatchId, FileId } from "../codecs/ids.ts";
import type { BegunJob, JobDescription, JobEntry, SingleJob } from "./entries.ts";
import type { BegunPlan, Plan } from "./plan.ts";

/** Returns whether one batch runs a job. */
export function isSingle(job: JobEntry): job is SingleJob {
  return job.plan.kind !== "sharded";
}

/** The batch that runs a job; undefined for a job of shards, which have batches of their own. */
export function batchOf({ plan }: { readonly plan: Plan }): BatchId | undefined {
  return plan.kind === "sharded" ? undefined : plan.batch;
}

/** The account that a job's batches are at. */
export function accountOfJob({ plan }: { readonly plan: Plan | BegunPlan }): string {
  return plan.account;
}

/**
 * Returns the provider file that a job reads, which stays until the job is over; undefined where
 * its input is not a file of its provider.
 */
export function inputOf({ plan }: { readonly plan: Plan | BegunPlan }): FileId | undefined {
  return plan.input;
}

/** Returns whether a job is a native batch. */
export function isNative({ plan }: { readonly plan: Plan }): boolean {
  return plan.kind === "native";
}

/** A job with the batch that its provider made for it. */
export function withBatch(
  { plan, ...description }: BegunJob,
  batch: BatchId,
): JobDescription & { readonly plan: Plan } {
  return { ...description, plan: plan.kind === "sharded" ? plan : { ...plan, batch } };
}
