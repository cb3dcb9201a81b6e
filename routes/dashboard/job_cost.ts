/** What jobs cost, as pages show it. */
import { costOfJob } from "../../accounts/sum.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { nativeTenant } from "../../catalog/keys.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { costText } from "./format.tsx";
import type { DashboardDeps } from "./request.ts";

/** A job, and whose it is; the tenant of a native one does not matter. */
export interface OwnedJob {
  readonly tenant: string;
  readonly provider: string;
  readonly job: JobEntry;
}

/** The costs of jobs in their order; empty for one that runs, or whose usage is not recorded. */
export async function costsOf(
  { records }: Pick<DashboardDeps, "records">,
  jobs: readonly OwnedJob[],
): Promise<readonly string[]> {
  const usages = await records.usageOf(jobs.map(({ tenant, provider, job }) => ({
    scope: { tenant: job.plan.kind === "native" ? nativeTenant : tenant, provider },
    job,
  })));
  return jobs.map(({ job }, at) => {
    const usage = usages[at];
    return usage && isTerminal(job.status) ? costText(costOfJob(usage)) : "";
  });
}
