/** Counting what an access key has used of its month before it gets limits. */
import type { FirstLimitCatalog } from "../catalog/first_limits.ts";
import type { JobCatalog } from "../catalog/jobs.ts";
import { type Amounts, costUnits, monthOf, noAmounts, plus } from "../catalog/limits.ts";
import { dayOf, type UsageCatalog } from "../catalog/usage.ts";
import { createBreath } from "../runtime/breath.ts";
import { costOf } from "./prices.ts";

/** Dependencies of counting. */
export interface FirstLimitDeps {
  readonly usage: Pick<UsageCatalog, "rows">;
  readonly jobs: Pick<JobCatalog, "running">;
  readonly firstLimits: FirstLimitCatalog;
}

/** A key that gets limits. */
export interface LimitedKey {
  readonly accessKeyId: string;
  readonly tenant: string;
}

/**
 * Counts the jobs of a key that ended in this month, and those that run, in its quota. Of a job that
 * runs the records count that are known by now, and no cost.
 */
export async function countMonth(
  { usage, jobs, firstLimits }: FirstLimitDeps,
  { accessKeyId, tenant }: LimitedKey,
  now: number,
): Promise<void> {
  const month = monthOf(now);
  const breath = createBreath();
  let known: Amounts = noAmounts;
  for await (const { entry } of usage.rows({ from: `${month}-01`, to: dayOf(now, now), tenant })) {
    if (breath.isDue()) await breath.take();
    if (entry.accessKeyId !== accessKeyId) continue;
    for (const run of entry.runs) {
      const cost = Math.round((costOf(run, run.price) ?? 0) * costUnits);
      known = plus(known, { ...noAmounts, records: run.succeeded + run.failed, cost });
    }
    known = plus(known, { ...noAmounts, jobs: 1 });
  }
  for await (const { scope, job } of jobs.running()) {
    if (breath.isDue()) await breath.take();
    const isOwn = scope.tenant === tenant && job.accessKeyId === accessKeyId &&
      monthOf(job.submittedAt) === month;
    if (!isOwn || await firstLimits.hasReserved(scope, job.id)) continue;
    known = plus(known, { ...noAmounts, jobs: 1, records: job.counts?.total ?? 0 });
  }
  await firstLimits.raise(accessKeyId, month, known);
}
