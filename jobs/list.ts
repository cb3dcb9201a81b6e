/** Listing jobs: in the order of their submission, filtered, in pages. */
import type { JobRecord } from "../catalog/records.ts";
import type { JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { JobRange } from "../catalog/jobs.ts";
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

/** Lists one page of a caller's jobs from the catalog. */
export async function listJobs(
  { catalog }: JobDeps,
  reach: Reach,
  request: ListJobsRequest,
): Promise<JobPage> {
  const descending = request.sortOrder === "Descending";
  const isFiltered = request.statusEquals !== undefined || request.nameContains !== undefined;
  const range: JobRange = {
    descending,
    // One more than a page tells whether another follows.
    ...(!isFiltered && { expected: request.maxResults + 1 }),
    ...(request.submitTimeAfter !== undefined && { from: request.submitTimeAfter + 1 }),
    ...(request.submitTimeBefore !== undefined && { before: request.submitTimeBefore }),
    ...(request.after !== undefined && { after: request.after }),
  };
  const sources = scopesOf(reach).map((scope) => catalog.jobs.list(scope, range));
  const jobs: JobRecord[] = [];
  for await (const job of merge(sources, descending)) {
    if (!matches(job, request) || !isVisible(reach, job)) continue;
    const last = jobs.at(-1);
    if (jobs.length === request.maxResults && last) return { jobs, next: last.id };
    jobs.push(job);
  }
  return { jobs };
}

function matches(job: JobRecord, { statusEquals, nameContains }: ListJobsRequest): boolean {
  return (statusEquals === undefined || job.status === statusEquals) &&
    (nameContains === undefined || job.name.includes(nameContains));
}

/** Merges lists that are each in the order of ids. */
async function* merge(
  sources: readonly AsyncGenerator<JobRecord>[],
  descending: boolean,
): AsyncGenerator<JobRecord> {
  const heads = await Promise.all(sources.map((source) => source.next()));
  try {
    for (;;) {
      let first: number | undefined;
      for (const [at, head] of heads.entries()) {
        if (head.done) continue;
        const best = first === undefined ? undefined : heads[first];
        if (!best || best.done || (head.value.id < best.value.id) !== descending) first = at;
      }
      const head = first === undefined ? undefined : heads[first];
      const source = first === undefined ? undefined : sources[first];
      if (first === undefined || !source || !head || head.done) return;
      yield head.value;
      heads[first] = await source.next();
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}
