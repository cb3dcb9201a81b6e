/** A page of jobs over all reaches of a session, by the time of submission. */
import type { JobEntry } from "../../catalog/entries.ts";
import type { JobId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { type JobStatus, jobStatuses } from "../../codecs/job_status.ts";
import type { JobPage } from "../../jobs/list.ts";
import type { Reach } from "../../reach/reach.ts";
import { orLastKnown } from "./last_known.ts";
import { reachesOf } from "./reaches.ts";
import type { PageRequest } from "./request.ts";

/** Which jobs are shown. */
export interface JobsFilter {
  readonly tenant?: string | undefined;
  readonly provider?: string | undefined;
  readonly status?: JobStatus | undefined;
  readonly name?: string | undefined;
  readonly after?: JobId | undefined;
  /** Whether the list begins with the oldest: what is stuck is at its head. */
  readonly isOldestFirst: boolean;
}

/** The value of the query that asks for the oldest first. */
export const oldestFirst = "oldest";

/** A job of the page, and whose it is. */
export interface ShownJob {
  readonly tenant: string;
  readonly provider: string;
  readonly job: JobEntry;
}

/** One page of the list. */
export interface ShownJobs {
  readonly jobs: readonly ShownJob[];
  /** What the next page begins after; absent on the last. */
  readonly next?: JobId;
  /** Why providers could not be asked, by their names: their jobs are as they were last known. */
  readonly troubles: ReadonlyMap<string, string>;
}

const pageSize = 50;
/** A longer part of a name finds nothing. */
const longestName = 63;

/** Reads the filter of a page's query; what is not a filter is left out. */
export function readFilter(query: ReadonlyMap<string, string>): JobsFilter {
  const after = query.get("after") ?? "";
  const text = (name: string) => query.get(name)?.trim() || undefined;
  return {
    tenant: text("tenant"),
    provider: text("provider"),
    status: jobStatuses.find((status) => status === query.get("status")),
    name: text("name")?.slice(0, longestName),
    after: isJobId(after) ? after : undefined,
    isOldestFirst: query.get("order") === oldestFirst,
  };
}

/** Lists a page. Each reach is asked for a page of its own; ids are in the order of submission. */
export async function listShownJobs(
  request: Pick<PageRequest, "principal" | "deps" | "signal">,
  filter: JobsFilter,
): Promise<ShownJobs> {
  const reaches = await reachesOf(request, filter);
  const { jobs } = request.deps;
  const wanted = {
    maxResults: pageSize,
    sortOrder: filter.isOldestFirst ? "Ascending" : "Descending",
    ...(filter.status && { statusEquals: filter.status }),
    ...(filter.name !== undefined && { nameContains: filter.name }),
    ...(filter.after && { after: filter.after }),
  } as const;
  const troubles = new Map<string, string>();
  const newest = async (reach: Reach, region: string | undefined) => {
    const { name } = reach.provider;
    const { value, trouble } = await orLastKnown(
      name,
      jobs.list(reach, region, wanted, request.signal),
      () => jobs.listKnown(reach, wanted, request.signal),
    );
    if (trouble !== undefined) troubles.set(name, trouble);
    return value;
  };
  const pages = await Promise.all(reaches.map(async ({ tenant, principal, reach }) => ({
    tenant,
    provider: reach.provider.name,
    page: await newest(reach, principal.region),
  })));
  const inOrder = (a: string, b: string) => (a < b) === filter.isOldestFirst ? -1 : 1;
  // What follows the first place where a list ended early may not be all that is there.
  const [reached] = pages.flatMap(({ page }) => page.next ?? []).sort(inOrder);
  const merged = pages.flatMap(({ tenant, provider, page }) => shown(tenant, provider, page))
    .filter(({ job: { id } }) =>
      reached === undefined || id === reached || inOrder(id, reached) < 0
    )
    .sort((a, b) => inOrder(a.job.id, b.job.id));
  const found = merged.slice(0, pageSize);
  const next = merged.length > pageSize ? found.at(-1)?.job.id : reached;
  return { jobs: found, troubles, ...(next && { next }) };
}

function shown(tenant: string, provider: string, { jobs }: JobPage): ShownJob[] {
  return jobs.map((job) => ({
    tenant: job.plan.kind === "native" ? "" : tenant,
    provider,
    job,
  }));
}
