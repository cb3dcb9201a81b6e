/** Listing jobs: in the order of their submission, filtered, in pages. */
import type { JobRecord } from "../catalog/records.ts";
import type { JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { JobFilter, JobRange } from "../catalog/jobs.ts";
import type { Scope } from "../catalog/keys.ts";
import type { Reach } from "../objects/reach.ts";
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
  readonly jobs: readonly JobRecord[];
  /** The last job of this page where another follows. */
  readonly next?: JobId;
}

/** A job of a page, read already or only found. */
interface Listed {
  readonly id: JobId;
  readonly scope: Scope;
  readonly job?: JobRecord;
}

/**
 * Lists one page of a caller's jobs from the catalog. Where there is a filter, the catalog's indexes
 * tell which jobs it lets through, so that no other is read. Which buckets a job uses, they do not
 * tell: a caller that may use some alone has jobs read that it is not shown.
 */
export async function listJobs(
  deps: Pick<JobDeps, "catalog">,
  reach: Reach,
  request: ListJobsRequest,
): Promise<JobPage> {
  if (reach.mayUse === undefined) return await rememberedPage(deps, reach, request);
  const { maxResults } = request;
  const jobs: JobRecord[] = [];
  let { after } = request;
  for (;;) {
    const page = await readPage(deps, reach, { ...request, ...(after && { after }) });
    for (const job of page.jobs) {
      if (!isVisible(reach, job)) continue;
      const last = jobs.at(-1);
      if (jobs.length === maxResults && last) return { jobs, next: last.id };
      jobs.push(job);
    }
    if (page.next === undefined) return { jobs };
    after = page.next;
  }
}

/** A page that was read before and holds still is the same object. */
function rememberedPage(
  deps: Pick<JobDeps, "catalog">,
  reach: Reach,
  request: ListJobsRequest,
): Promise<JobPage> {
  const name = JSON.stringify(["jobs", scopesOf(reach), request]);
  const weight = ({ jobs }: JobPage) => 1 + jobs.length;
  return deps.catalog.memory.remember(name, weight, () => readPage(deps, reach, request));
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
    // One more than fits tells whether another page follows.
    limit: maxResults + 1,
    ...(request.submitTimeAfter !== undefined && { from: request.submitTimeAfter + 1 }),
    ...(request.submitTimeBefore !== undefined && { before: request.submitTimeBefore }),
    ...(request.after !== undefined && { after: request.after }),
  };
  const isFiltered = status !== undefined || nameContains !== undefined;
  const scopes = scopesOf(reach);
  const found = await Promise.all(scopes.map(isFiltered ? findMatching : findAll));
  const merged = found.flat().sort((a, b) => (a.id < b.id) === descending ? 1 : -1);
  const page = merged.slice(0, maxResults);
  const last = page.at(-1);
  const listed = isFiltered ? await readListed(page) : page.flatMap(({ job }) => job ?? []);
  return { jobs: listed, ...(merged.length > maxResults && last && { next: last.id }) };

  async function findAll(scope: Scope): Promise<Listed[]> {
    const all: Listed[] = [];
    for await (const job of jobs.list(scope, range)) all.push({ id: job.id, scope, job });
    return all;
  }

  async function findMatching(scope: Scope): Promise<Listed[]> {
    return (await jobs.matching(scope, range, filter)).map((id) => ({ id, scope }));
  }

  async function readListed(page: readonly Listed[]): Promise<JobRecord[]> {
    const read = new Map<JobId, JobRecord>();
    await Promise.all(scopes.map(async (scope) => {
      const ids = page.flatMap((one) => one.scope.tenant === scope.tenant ? [one.id] : []);
      for (const job of await jobs.getAll(scope, ids)) if (job) read.set(job.id, job);
    }));
    const inOrder = page.flatMap(({ id }) => read.get(id) ?? []);
    // One that has moved on since it was found is of another status now.
    return inOrder.filter((job) => status === undefined || job.status === status);
  }
}
