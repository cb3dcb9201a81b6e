/** Jobs, their tags, and the batches that providers run for them. */
import type { BatchId, FileId, JobId } from "../codecs/ids.ts";
import { isTerminal, type JobStatus } from "../codecs/job_status.ts";
import { createSettledJobs } from "./settled_jobs.ts";
import { countJobs } from "./job_counts.ts";
import { type JobRange, readRange } from "./job_range.ts";
import { keys, nativeTenant, type Scope } from "./keys.ts";
import { change, readAll } from "./kv.ts";
import type { ShardedPlan } from "./plan.ts";
import { batchOf, inputOf } from "./plans.ts";
import { eventNumber, type Outbox, writeEvent } from "./outbox.ts";
import { recordUse } from "./quotas.ts";
import type { BatchEntry, JobDescription, JobEntry, JobProgress } from "./entries.ts";

/** What jobs must be like. */
export interface JobFilter {
  readonly status?: JobStatus;
  readonly nameContains?: string;
}

/** Jobs that a search found. */
export interface FoundJobs {
  readonly ids: readonly JobId[];
  /** The last job that was looked at, where the search ended before it had looked at all. */
  readonly reached?: JobId;
}

/** A job and whose it is. */
export interface OwnedJob {
  readonly scope: Scope;
  readonly job: JobEntry;
}

/** The jobs' part of the catalog. */
export type JobCatalog = ReturnType<typeof createJobCatalog>;

/** Makes the jobs' part of the catalog. */
export function createJobCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  outbox?: Outbox,
) {
  const settled = createSettledJobs(kv);
  return {
    get,
    getAll,
    settled,
    list,
    matching,
    search,
    running,
    count: (most: number) => countJobs(kv, most),
    adopt,
    update,
    replan,
    batch,
    batches,
    tags,
    setTags,
    scannedTo,
    setScannedTo,
  };

  /** The job of this id. */
  async function get(scope: Scope, id: JobId): Promise<JobEntry | undefined> {
    return settled.known(scope, id) ??
      (await kv.get<JobEntry>(keys.job(scope, id))).value ?? undefined;
  }

  /** Jobs in the order of their submission; ids are in that order by themselves. */
  async function* list(scope: Scope, range: JobRange): AsyncGenerator<JobEntry> {
    for await (const { value } of readRange<JobEntry>(kv, keys.jobs(scope), range)) yield value;
  }

  /** The ids of all jobs that a filter lets through, in the order of their submission. */
  async function matching(scope: Scope, range: JobRange, filter: JobFilter): Promise<JobId[]> {
    return [...(await search(scope, range, filter, Infinity)).ids];
  }

  /**
   * The ids of jobs that a filter lets through, in the order of their submission. No job is read
   * for it: a status costs the jobs that have it, a part of a name the names that come before.
   *
   * @param most Entries that are looked at.
   */
  async function search(
    scope: Scope,
    { limit, ...range }: JobRange,
    { status, nameContains }: JobFilter,
    most: number,
  ): Promise<FoundJobs> {
    const prefix = status === undefined ? keys.jobNames(scope) : keys.jobsOfStatus(scope, status);
    const isNamed = nameContains !== undefined;
    // How many names are to be looked at for one that fits is not known.
    const reading: JobRange = limit === undefined || isNamed ? range : { ...range, limit };
    const ids: JobId[] = [];
    let looks = 0;
    for await (const { key, value } of readRange<string>(kv, prefix, reading)) {
      const id = key.at(-1) as JobId;
      if (!isNamed || value.includes(nameContains)) ids.push(id);
      if (ids.length === limit) break;
      if (++looks >= most) return { ids, reached: id };
    }
    return { ids };
  }

  /** The jobs of these ids, in their order. */
  function getAll(scope: Scope, ids: readonly JobId[]): Promise<(JobEntry | undefined)[]> {
    return readAll<JobEntry>(kv, ids.map((id) => keys.job(scope, id)));
  }

  /** Every job that is not over, of all tenants and providers. */
  async function* running(): AsyncGenerator<OwnedJob> {
    for await (const entry of kv.list({ prefix: keys.running() })) {
      const [, tenant, provider, id] = entry.key as [string, string, string, JobId];
      const scope = { tenant, provider };
      const job = await get(scope, id);
      if (job) yield { scope, job };
    }
  }

  /** Records a job for a batch that the catalog did not know. False if it knows one by now. */
  function adopt(
    scope: Scope,
    job: JobEntry,
    tags: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    return change(sleep, async () => {
      const step = kv.atomic().check({ key: keys.job(scope, job.id), versionstamp: null });
      const batch = batchOf(job);
      if (batch !== undefined) {
        step.check({ key: keys.batch(scope.provider, batch), versionstamp: null });
      }
      // Found is not changed: that is not an event.
      writeJob(step, scope, job, undefined);
      // It was over before anybody could read its results.
      if (isTerminal(job.status)) step.set(keys.awaitsResults(scope, job.id), true);
      for (const [name, value] of Object.entries(tags)) {
        step.set(keys.tag(scope, job.id, name), value);
      }
      return { done: (await step.commit()).ok };
    });
  }

  /**
   * Moves a job on. The move is asked again if another writer was faster.
   *
   * @param move The job's new progress, or undefined if nothing changed.
   */
  function update(
    scope: Scope,
    id: JobId,
    move: (job: JobEntry) => JobProgress | undefined,
  ): Promise<JobEntry | undefined> {
    return change(sleep, async () => {
      const old = await kv.get<JobEntry>(keys.job(scope, id));
      if (!old.value) return { done: undefined };
      const progress = move(old.value);
      if (!progress) return { done: old.value };
      const job: JobEntry = { ...describe(old.value), ...progress };
      const step = kv.atomic().check(old);
      writeJob(step, scope, job, old.value, outbox);
      await recordUse(kv, step, scope, job);
      if (!(await step.commit()).ok) return "again";
      outbox?.committed();
      return { done: job };
    });
  }

  /**
   * Gives a job of one batch shards in its place. The batch, which ran nothing, stays the job's.
   *
   * @param move The job's new progress, or undefined where it is to stay as it is.
   */
  function replan(
    scope: Scope,
    id: JobId,
    plan: ShardedPlan,
    move: (job: JobEntry) => JobProgress | undefined,
  ): Promise<JobEntry | undefined> {
    return change(sleep, async () => {
      const old = await kv.get<JobEntry>(keys.job(scope, id));
      if (!old.value) return { done: undefined };
      const progress = move(old.value);
      if (!progress) return { done: old.value };
      const job: JobEntry = { ...describe(old.value), plan, ...progress };
      const step = kv.atomic().check(old).set(keys.unreleased(scope, id), true);
      writeJob(step, scope, job, old.value, outbox);
      const batch = batchOf(old.value);
      const owner: BatchEntry = { tenant: scope.tenant, id, over: true };
      if (batch !== undefined) step.set(keys.batch(scope.provider, batch), owner);
      if (!(await step.commit()).ok) return "again";
      outbox?.committed();
      return { done: job };
    });
  }

  /** To which job a batch belongs. */
  async function batch(provider: string, id: BatchId): Promise<BatchEntry | undefined> {
    return (await kv.get<BatchEntry>(keys.batch(provider, id))).value ?? undefined;
  }

  /** To which jobs these batches belong, in their order. */
  function batches(
    provider: string,
    ids: readonly BatchId[],
  ): Promise<(BatchEntry | undefined)[]> {
    return readAll<BatchEntry>(kv, ids.map((id) => keys.batch(provider, id)));
  }

  /** A job's tags by name. */
  async function tags(scope: Scope, id: JobId): Promise<Record<string, string>> {
    // Made from entries: a tag may be named __proto__.
    const found: [string, string][] = [];
    for await (const entry of kv.list<string>({ prefix: keys.tags(scope, id) })) {
      found.push([entry.key.at(-1) as string, entry.value]);
    }
    return Object.fromEntries(found);
  }

  /** Adds, changes and takes away tags. */
  function setTags(
    scope: Scope,
    id: JobId,
    added: Readonly<Record<string, string>>,
    removed: readonly string[],
  ): Promise<void> {
    return change(sleep, async () => {
      const step = kv.atomic();
      for (const [name, value] of Object.entries(added)) step.set(keys.tag(scope, id, name), value);
      for (const name of removed) step.delete(keys.tag(scope, id, name));
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Returns whether all batches that an account had have been looked at once, and the first of its
   * list when they last were, where that is known.
   */
  async function scannedTo(provider: string, account: string): Promise<BatchId | boolean> {
    return (await kv.get<BatchId | boolean>(keys.scannedTo(provider, account))).value ?? false;
  }

  /** Remembers whether all batches of an account have been looked at, or the first of them. */
  async function setScannedTo(
    provider: string,
    account: string,
    done: BatchId | boolean,
  ): Promise<void> {
    await change(sleep, async () => {
      await kv.set(keys.scannedTo(provider, account), done);
      return { done: undefined };
    });
  }
}

/**
 * Writes a job with all that points to it.
 *
 * @param old The job as it was, which the step must check; undefined where there was none.
 * @param outbox Where a change of its status is an event.
 */
export function writeJob(
  step: Deno.AtomicOperation,
  scope: Scope,
  job: JobEntry,
  old: JobEntry | undefined,
  outbox?: Outbox,
): void {
  const targets = old?.status === job.status ? [] : outbox?.targetsOf(scope.tenant) ?? [];
  const number = eventNumber(old);
  if (targets.length > 0) writeEvent(step, scope, job, number, targets);
  const over = isTerminal(job.status);
  const owner: BatchEntry = { tenant: scope.tenant, id: job.id, over };
  step.set(keys.job(scope, job.id), targets.length > 0 ? { ...job, events: number } : job);
  // The batches of shards are recorded with them.
  const batch = batchOf(job);
  if (batch !== undefined) step.set(keys.batch(scope.provider, batch), owner);
  if (over) step.delete(keys.runningJob(scope, job.id)).delete(keys.asked(scope, job.id));
  else step.set(keys.runningJob(scope, job.id), true);
  const input = inputOf(job);
  if (input !== undefined) writeUse(step, scope, input, job.id, over);
  // Results of native batches are seen by callers that may see these.
  if (scope.tenant !== nativeTenant) {
    for (const file of job.results) step.set(keys.resultFile(scope.provider, file), scope.tenant);
  }
  if (!old && job.plan.kind === "sharded") step.set(keys.unreleased(scope, job.id), true);
  if (!old) writeIndex(step, scope, job);
  else if (old.status !== job.status) {
    step.delete(keys.jobOfStatus(scope, old.status, job.id))
      .set(keys.jobOfStatus(scope, job.status, job.id), job.name);
  }
}

/** Writes what lists find a job by without reading it. */
export function writeIndex(step: Deno.AtomicOperation, scope: Scope, job: JobEntry): void {
  step.set(keys.jobName(scope, job.id), job.name)
    .set(keys.jobOfStatus(scope, job.status, job.id), job.name);
}

function writeUse(
  step: Deno.AtomicOperation,
  scope: Scope,
  file: FileId,
  job: JobId,
  over: boolean,
): void {
  // A native batch's input is not ours to keep or delete.
  if (scope.tenant === nativeTenant) return;
  if (over) step.delete(keys.use(scope.provider, file, job));
  else step.set(keys.use(scope.provider, file, job), true);
}

/** The part of a job that never changes. */
export function describe(job: JobEntry): JobDescription & Pick<JobEntry, "plan" | "events"> {
  const {
    status: _status,
    stopRequested: _stopRequested,
    timedOut: _timedOut,
    message: _message,
    modifiedAt: _modifiedAt,
    endedAt: _endedAt,
    expiresAt: _expiresAt,
    counts: _counts,
    results: _results,
    doubtSince: _doubtSince,
    ...description
  } = job;
  return description;
}
