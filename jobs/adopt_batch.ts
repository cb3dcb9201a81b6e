/** Making a job of a batch that the catalog does not know. */
import type { Catalog } from "../catalog/catalog.ts";
import { nativeTenant, type Scope } from "../catalog/keys.ts";
import type { BegunJob, JobDescription, JobEntry } from "../catalog/entries.ts";
import type { SinglePlan } from "../catalog/plan.ts";
import { accountOfJob, inputOf, withBatch } from "../catalog/plans.ts";
import { adoptedJobId, timeOfJobId } from "../codecs/job_id.ts";
import type { ShardEntry } from "../catalog/shard_entries.ts";
import type { JobId } from "../codecs/ids.ts";
import type { Batch } from "../providers/provider.ts";
import type { ScopedJob } from "./deps.ts";
import { accepted, beforeEnd } from "./state.ts";
import { maxTags } from "./validate.ts";

/** The role that jobs show which have none. */
const nativeRole = "arn:aws:iam::000000000000:role/batchway-native";

/** Bedrock takes job names of 63 characters; batches of others have longer ones. */
const maxNameLength = 256;
/** Limit of Bedrock. */
const maxModelIdLength = 2_048;
const maxTagKeyLength = 128;
/** Limit of OpenAI; Bedrock takes half of it. */
const maxTagValueLength = 512;

/** Provider clocks may be this much behind ours, in milliseconds. */
export const clockSkew = 10 * 60_000;

/** Dependencies of adopting. */
export interface AdoptDeps {
  readonly catalog: Pick<Catalog, "jobs" | "journal" | "shards">;
  readonly now: () => number;
}

/** Where a batch was found, and whose its job becomes. */
export interface BatchOrigin {
  readonly provider: string;
  readonly account: string;
  readonly region: string;
  /** Absent: a native batch, for callers that may see these. */
  readonly tenant?: string;
}

/**
 * Makes a job of a batch that the catalog does not know.
 *
 * @returns The job; undefined for a batch whose create is still under way.
 */
export async function adoptBatch(
  { catalog: { jobs, journal, shards }, now }: AdoptDeps,
  place: BatchOrigin,
  batch: Batch,
): Promise<ScopedJob | undefined> {
  const { provider, tenant = nativeTenant } = place;
  const scope: Scope = { tenant, provider };
  if (await isUnderWay()) return undefined;
  for (let attempt = 0;; attempt++) {
    const job = adopted(place, batch, attempt, now());
    if (await jobs.adopt(scope, job, fittingTags(batch.tags))) return { scope, job };
    const owner = await jobs.batch(provider, batch.id);
    if (!owner) continue; // The id is another batch's: the next attempt has another id.
    const theirs = { tenant: owner.tenant, provider };
    const found = await jobs.get(theirs, owner.id);
    return found && { scope: theirs, job: found };
  }

  async function isUnderWay(): Promise<boolean> {
    for await (const { scope, entry } of journal.entries()) {
      if (scope.provider === provider && mayBeOf(entry.job, place, batch)) return true;
    }
    for await (const { job, shard } of shards.asking(provider)) {
      if (mayBeOfShard(job, shard, place, batch)) return true;
    }
    // A catalog that was set back does not know of it yet.
    return await shards.isOfRunning(batch);
  }
}

/**
 * Ends a create under way that no process is at, with the batch that bears its job's id: the journal knows
 * more of the job than the batch does.
 *
 * @returns Whether there was such a create.
 */
export async function finishCreate(
  { catalog: { journal }, now }: AdoptDeps,
  provider: string,
  batch: Batch,
): Promise<boolean> {
  for await (const { scope, entry } of journal.entries()) {
    if (scope.provider !== provider || entry.job.id !== batch.jobId) continue;
    if (entry.leaseUntil > now()) continue;
    await journal.finish(scope, {
      ...withBatch(entry.job, batch.id),
      // Its end is recorded with its results, as that of any other job.
      ...accepted(beforeEnd(batch), now(), entry.job),
    });
    return true;
  }
  return false;
}

/**
 * Returns whether a batch may be that of a create under way. A service that drops metadata leaves
 * the input to know it by, and where it does not have that either, the time: who made it will be
 * known soon.
 */
function mayBeOf(job: BegunJob, { account }: BatchOrigin, batch: Batch): boolean {
  if (batch.jobId !== undefined) return job.id === batch.jobId;
  if (accountOfJob(job) !== account) return false;
  if (batch.input !== undefined && batch.input !== inputOf(job)) return false;
  const createdAt = batch.createdAt.getTime();
  return createdAt === 0 || createdAt >= job.submittedAt - clockSkew;
}

/** Returns whether a batch may be one that was asked for, for a shard, and is not recorded yet. */
function mayBeOfShard(
  job: JobId,
  { account, askedAt = 0 }: ShardEntry,
  place: BatchOrigin,
  batch: Batch,
): boolean {
  if (batch.jobId !== undefined) return batch.jobId === job;
  const createdAt = batch.createdAt.getTime();
  return account === place.account && (createdAt === 0 || createdAt >= askedAt - clockSkew);
}

function adopted(
  { provider, account, region, tenant }: BatchOrigin,
  batch: Batch,
  attempt: number,
  now: number,
): JobEntry {
  // A job whose record was lost has its old id back, which holds when it was submitted.
  const lost = attempt === 0 ? batch.jobId : undefined;
  const submittedAt = lost === undefined ? batch.createdAt.getTime() : timeOfJobId(lost);
  const description: JobDescription = {
    id: lost ?? adoptedJobId(submittedAt, batch.id, attempt),
    region,
    name: (batch.name ?? batch.id).slice(0, maxNameLength).toWellFormed(),
    modelId: (batch.modelId ?? "unknown").slice(0, maxModelIdLength).toWellFormed(),
    roleArn: nativeRole,
    inputDataConfig: {
      s3InputDataConfig: { s3Uri: `s3://${provider}/${batch.input ?? batch.id}` },
    },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${provider}/` } },
    submittedAt,
  };
  const plan: SinglePlan = {
    kind: tenant === undefined ? "native" : "direct",
    account,
    batch: batch.id,
    ...(batch.input !== undefined && { input: batch.input }),
  };
  return { ...description, plan, ...accepted(batch, now, description) };
}

/** The tags that have room; who made the batch may have given it any number, of any length. */
function fittingTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const fitting = Object.entries(tags)
    .filter(([key, value]) => key.length <= maxTagKeyLength && value.length <= maxTagValueLength);
  return Object.fromEntries(fitting.slice(0, maxTags));
}
