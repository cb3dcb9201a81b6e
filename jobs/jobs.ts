/** The life of a job: created, found, brought up to date, listed, stopped, tagged, and swept. */
import { countMonth, type LimitedKey } from "../accounts/first_limit.ts";
import { tracedCreate } from "../runtime/tracing.ts";
import type { JobEntry } from "../catalog/entries.ts";
import { trustedClock } from "../runtime/clock.ts";
import type { Reach } from "../reach/reach.ts";
import { createAdoption } from "./adopt.ts";
import { createCatchUp } from "./catch_up.ts";
import { createCreate } from "./create.ts";
import type { JobDeps, JobTools } from "./deps.ts";
import { createForwardedQuota, type ForwardedQuota } from "./forwarded_quota.ts";
import { type Forwarded, ForwardedJobs } from "./forwarded.ts";
import { createIdentify } from "./identify.ts";
import { JournalWork } from "./journal.ts";
import { type JobPage, listJobs, type ListJobsRequest } from "./list.ts";
import { Poll } from "./poll.ts";
import { Finishing } from "./finish.ts";
import { ShardWorker } from "./sharded/worker.ts";
import { sweepJobs } from "./sweep.ts";
import { stop } from "./stop.ts";
import { tagJob, untagJob } from "./tags.ts";
import type { CreateRequest } from "./validate.ts";

/** The service that the routes use. `region` is the one that the caller signed for, if any. */
export interface Jobs {
  create(
    reach: Reach,
    region: string | undefined,
    request: CreateRequest,
    signal: AbortSignal,
  ): Promise<JobEntry>;
  get(
    reach: Reach,
    region: string | undefined,
    identifier: string,
    signal: AbortSignal,
  ): Promise<JobEntry>;
  /**
   * A job of the caller's as the catalog has it, by its ARN or the last 12 characters of that; its
   * provider is not asked.
   */
  known(reach: Reach, identifier: string): Promise<JobEntry | undefined>;
  list(
    reach: Reach,
    region: string | undefined,
    request: ListJobsRequest,
    signal?: AbortSignal,
  ): Promise<JobPage>;
  /** Lists jobs as the catalog has them; their provider is not asked. */
  listKnown(reach: Reach, request: ListJobsRequest, signal?: AbortSignal): Promise<JobPage>;
  stop(
    reach: Reach,
    region: string | undefined,
    identifier: string,
    signal: AbortSignal,
  ): Promise<JobEntry>;
  tags(reach: Reach, identifier: string, signal: AbortSignal): Promise<Record<string, string>>;
  tag(
    reach: Reach,
    identifier: string,
    added: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void>;
  untag(
    reach: Reach,
    identifier: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<void>;
  /** Remembers a job that a forwarding provider has taken, until what it used is counted. */
  remember(forwarded: Forwarded): Promise<void>;
  /** Counts what a key's jobs used of this month, which is about to have its first limits. */
  countMonth(key: LimitedKey): Promise<void>;
  /** Reserves of an access key's limits for jobs that are forwarded. */
  readonly forwardedQuota: Pick<ForwardedQuota, "reserve" | "giveBack">;
  /** Batches that wait until an account takes them, by provider, as far as this process knows. */
  waiting(): ReadonlyMap<string, number>;
  /**
   * Brings creates to an end that were cut short, and running jobs forward that no client asks for.
   */
  sweep(signal: AbortSignal): Promise<void>;
  /**
   * Breaks off what providers are asked; resolves once nothing of it is under way behind an answer.
   * A create that this cuts short is found again later.
   */
  close(): Promise<void>;
}

/** Makes the service. */
export function createJobs(deps: JobDeps): Jobs {
  const closing = new AbortController();
  const clock = deps.clock ?? trustedClock(deps.now);
  const tools: JobTools = {
    ...deps,
    clock,
    closing: closing.signal,
    delayed: new Map(),
    push: (provider, scoped) => worker.push(provider, scoped),
    queue: (name, full) =>
      full === undefined ? worker.turns.freed(name) : worker.turns.full(name, full),
    hasQueue: (name) => worker.turns.hasQueue(name),
    leaveQueue: (scoped) => worker.turns.leave(scoped),
  };
  const worker = new ShardWorker(tools);
  const finishing = new Finishing(tools);
  const catching = createCatchUp(tools, finishing);
  const poll = new Poll(tools, finishing, catching);
  const adoption = createAdoption(tools, poll);
  const forwarded = new ForwardedJobs(tools);
  const forwardedQuota = createForwardedQuota(tools);
  const work = new JournalWork(tools);
  const create = createCreate(tools, work);
  const { identify, known } = createIdentify(deps, adoption);
  return {
    create: (reach, region, request, signal) =>
      tracedCreate(reach.provider.name, async (note) => {
        const job = await create(reach, region ?? deps.defaultRegion, request, signal);
        note({ "batchway.job.id": job.id });
        return job;
      }),
    async get(reach, region, identifier, signal) {
      const found = await identify(reach, identifier, region, signal);
      return await poll.refresh(reach.provider, found);
    },
    known,
    async list(reach, region, request, signal) {
      await adoption.look(reach.provider, region ?? deps.defaultRegion);
      signal?.throwIfAborted();
      return await listJobs(deps, reach, request, signal);
    },
    listKnown: (reach, request, signal) => listJobs(deps, reach, request, signal),
    async stop(reach, region, identifier, signal) {
      const found = await identify(reach, identifier, region, signal);
      await stop(tools, poll, reach.provider, found, signal);
      return found.job;
    },
    async tags(reach, identifier, signal) {
      const { scope, job } = await identify(reach, identifier, undefined, signal);
      return await deps.catalog.jobs.tags(scope, job.id);
    },
    async tag(reach, identifier, added, signal) {
      await tagJob(deps, await identify(reach, identifier, undefined, signal), added);
    },
    async untag(reach, identifier, names, signal) {
      await untagJob(deps, await identify(reach, identifier, undefined, signal), names);
    },
    remember: (job) => forwarded.remember(job),
    countMonth: (key) => countMonth(deps.catalog, key, deps.now()),
    forwardedQuota,
    waiting: () => worker.turns.waiting(),
    async sweep(signal) {
      worker.turns.freeAll();
      await work.sweep(signal);
      await sweepJobs(tools, poll, signal);
      await catching.sweep(signal);
      await worker.sweep(signal);
      await forwarded.sweep(signal);
      await forwardedQuota.sweep();
    },
    async close() {
      closing.abort();
      await Promise.all([adoption.idle(), finishing.idle(), worker.idle()]);
    },
  };
}
