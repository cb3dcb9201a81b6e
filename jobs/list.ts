/** Listing jobs: in the order of their submission, filtered, in pages. */
import type { JobEntry } from "../catalog/entries.ts";
import type { JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { JobRange } from "../catalog/job_range.ts";
import type { JobFilter } from "../catalog/jobs.ts";
import { keys, type Scope } from "../catalog/keys.ts";
import type { Reach } from "../reach/reach.ts";
import type { JobDeps } from "./deps.ts";
import { scopesOf } from "./identify.ts";
import { isVisible } from "./visible.ts";

/** Which jobs to list. Times are milliseconds since 1970. */
export interface ListJobsRequest {
  /** Submitted after this time. */
  readonly submitTimeAfter?: number;
  /** Submitted before this time. */
  readonly submitTimeBefore?: number;
  readonly statusEquals?: JobStatus;
  readonly nameContains?: string;
  readonly maxResults: number;
  readonly sortOrder: "Ascending" | "Descending";
  /** The last job of the page before. */
  readonly after?: JobId;
}

/** One page of jobs. */
export interface JobPage {
  /** As many as were asked for; fewer, or none, also where many had to be looked at for them. */
  readonly jobs: readonly JobEntry[];
  /** The last job that was looked at for this page, where others follow. */
  readonly next?: JobId;
}

/** A job of a page, read already or only found. */
interface Listed {
  readonly id: JobId;
  readonly scope: Scope;
  readonly job?: JobEntry;
}

/** Jobs that one part of the catalog gives for a page, and how far it was searched. */
interface FoundListed {
  readonly listed: readonly Listed[];
  readonly reached?: JobId;
}

/** Jobs that are read at one time for a caller that may not see all of them. */
const readAtOnce = 100;
/** Jobs that are looked at for one page of such a caller. */
const maxLookedAt = 1_000;
/** Entries of an index that are looked at for one page. */
const maxSearched = 10_000;

/**
 * Lists one page of a caller's jobs from the catalog. Where there is a filter, the catalog's indexes
 * show which jobs it lets through, so that no other is read. Which buckets a job uses, they do not
 * show: a caller that may use only some has jobs read that it is not shown. A page ends early rather
 * than look at very many, and when its client has gone.
 */
export async function listJobs(
  deps: Pick<JobDeps, "catalog">,
  reach: Reach,
  request: ListJobsRequest,
  signal?: AbortSignal,
): Promise<JobPage> {
  if (reach.mayUse === undefined) return await rememberedPage(deps, reach, request);
  const { maxResults } = request;
  const size = Math.max(maxResults, readAtOnce);
  const jobs: JobEntry[] = [];
  let { after } = request;
  for (let looks = 0; looks < maxLookedAt;) {
    const wanted = { ...request, maxResults: size, ...(after && { after }) };
    const page = await readPage(deps, reach, wanted);
    signal?.throwIfAborted();
    for (const job of page.jobs) {
      if (!isVisible(reach, job)) continue;
      const last = jobs.at(-1);
      if (jobs.length === maxResults && last) return { jobs, next: last.id };
      jobs.push(job);
    }
    if (page.next === undefined) return { jobs };
    after = page.next;
    // A search that found nothing has looked at many entries all the same.
    looks += page.jobs.length < size ? maxLookedAt : size;
  }
  return { jobs, ...(after && { next: after }) };
}

/** A page that was read before and holds still is the same object. */
function rememberedPage(
  deps: Pick<JobDeps, "catalog">,
  reach: Reach,
  request: ListJobsRequest,
): Promise<JobPage> {
  const name = JSON.stringify(["jobs", scopesOf(reach), request]);
  const weight = ({ jobs }: JobPage) => 1 + jobs.length;
  const of = scopesOf(reach).flatMap((scope) => [keys.jobs(scope), keys.jobNames(scope)]);
  return deps.catalog.memory.remember(name, weight, () => readPage(deps, reach, request), of);
}

/** A page of all jobs that the filter lets through. */
async function readPage(
  { catalog: { jobs } }: Pick<JobDeps, "catalog">,
  reach: Reach,
  request: ListJobsRequest,
): Promise<JobPage> {
  const { maxResults, statusEquals: status, nameContains } = request;
  const descending = request.sortOrder === "Descending";
  const filter: JobFilter = {
    ...(status !== undefined && { status }),
    ...(nameContains !== undefined && { nameContains }),
  };
  const range: JobRange = {
    descending,
    // One more than fits shows whether another page follows.
    limit: maxResults + 1,
    ...(request.submitTimeAfter !== undefined && { from: request.submitTimeAfter + 1 }),
    ...(request.submitTimeBefore !== undefined && { before: request.submitTimeBefore }),
    ...(request.after !== undefined && { after: request.after }),
  };
  const isFiltered = status !== undefined || nameContains !== undefined;
  const scopes = scopesOf(reach);
  const found = await Promise.all(scopes.map(isFiltered ? findMatching : findAll));
  const isBefore = (a: JobId, b: JobId) => a !== b && (a < b) !== descending;
  // What follows the first place where a search was broken off may not be all that is there.
  const reached = found.flatMap((one) => one.reached ?? [])
    .reduce<JobId | undefined>((a, b) => a === undefined || isBefore(b, a) ? b : a, undefined);
  const merged = found.flatMap(({ listed }) => listed)
    .filter(({ id }) => reached === undefined || !isBefore(reached, id))
    .sort((a, b) => isBefore(a.id, b.id) ? -1 : 1);
  const page = merged.slice(0, maxResults);
  const listed = isFiltered ? await readListed(page) : page.flatMap(({ job }) => job ?? []);
  const next = merged.length > maxResults ? page.at(-1)?.id : reached;
  return { jobs: listed, ...(next && { next }) };

  async function findAll(scope: Scope): Promise<FoundListed> {
    const listed: Listed[] = [];
    for await (const job of jobs.list(scope, range)) listed.push({ id: job.id, scope, job });
    return { listed };
  }

  async function findMatching(scope: Scope): Promise<FoundListed> {
    const { ids, reached } = await jobs.search(scope, range, filter, maxSearched);
    return { listed: ids.map((id) => ({ id, scope })), ...(reached && { reached }) };
  }

  async function readListed(page: readonly Listed[]): Promise<JobEntry[]> {
    const read = new Map<JobId, JobEntry>();
    await Promise.all(scopes.map(async (scope) => {
      const ids = page.flatMap((one) => one.scope.tenant === scope.tenant ? [one.id] : []);
      for (const job of await jobs.getAll(scope, ids)) if (job) read.set(job.id, job);
    }));
    const inOrder = page.flatMap(({ id }) => read.get(id) ?? []);
    // One that has moved on since it was found is of another status now.
    return inOrder.filter((job) => status === undefined || job.status === status);
  }
}
