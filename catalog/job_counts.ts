/** How many jobs there are, by whose they are and their status. */
import type { JobId } from "../codecs/ids.ts";
import { isTerminal, type JobStatus } from "../codecs/job_status.ts";
import type { JobEntry } from "./entries.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";

/** Jobs of one tenant, provider and status. */
export interface JobCount {
  readonly scope: Scope;
  readonly status: JobStatus;
  /** No more than the bound of the count. */
  readonly count: number;
  /** When the first of them was submitted, in milliseconds since 1970; absent where they are over. */
  readonly oldest?: number;
}

/** After every id of a job. */
const afterIds = "\u{7f}";

/**
 * Counts jobs by the index of their statuses; no job is read but the first of each running group.
 *
 * @param most Entries of one group that are read: a count ends there.
 */
export async function countJobs(kv: Deno.Kv, most: number): Promise<JobCount[]> {
  const counts: JobCount[] = [];
  const prefix = keys.everyJobStatus();
  for (let start: Deno.KvKey | undefined = prefix; start !== undefined;) {
    const group = await countGroup(kv, { prefix, start }, most);
    if (group === undefined) break;
    const { scope, status, first, count } = group;
    const oldest = isTerminal(status)
      ? undefined
      : (await kv.get<JobEntry>(keys.job(scope, first))).value?.submittedAt;
    counts.push({ scope, status, count, ...(oldest !== undefined && { oldest }) });
    start = [...keys.jobsOfStatus(scope, status), afterIds];
  }
  return counts;
}

/** Counts the group that the first entry from `start` on belongs to; undefined where there is none. */
async function countGroup(
  kv: Deno.Kv,
  { prefix, start }: { readonly prefix: Deno.KvKey; readonly start: Deno.KvKey },
  most: number,
) {
  const selector = start === prefix ? { prefix } : { prefix, start };
  for await (const { key } of kv.list(selector, { limit: 1 })) {
    const [, tenant, provider, status, first] = key as [string, string, string, JobStatus, JobId];
    const scope = { tenant, provider };
    const own = kv.list({ prefix: keys.jobsOfStatus(scope, status) }, {
      limit: most,
      batchSize: Math.min(maxBatch, most),
    });
    let count = 0;
    for await (const _ of own) count++;
    return { scope, status, first, count };
  }
  return undefined;
}
