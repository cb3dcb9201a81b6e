/** Gauges of the jobs in the catalog: all processes of a catalog show the same. */
import type { JobCount } from "../catalog/job_counts.ts";
import { isTerminal, jobStatuses } from "../codecs/job_status.ts";
import { labels, type Registry } from "./registry.ts";
import { seldom } from "./seldom.ts";
import type { TenantLabel } from "./tenants.ts";

/** Dependencies of the gauges. */
export interface JobGaugesDeps {
  readonly count: (most: number) => Promise<readonly JobCount[]>;
  readonly providers: () => Iterable<string>;
  readonly tenant: TenantLabel;
  readonly now: () => number;
  readonly uptime: () => number;
}

/** Jobs of one tenant, provider and status that are counted; the gauge goes no further. */
const mostJobs = 100_000;

/** Adds the gauges. */
export function addJobs(registry: Registry, deps: JobGaugesDeps): void {
  const { count, providers, tenant, now, uptime } = deps;
  const jobs = registry.gauge(
    "batchway_jobs",
    "Jobs in the catalog, by their provider and status.",
  );
  const oldest = registry.gauge(
    "batchway_oldest_running_job_seconds",
    "Age of the oldest job that is not over; 0 where there is none.",
  );
  const hasTenants = Object.keys(tenant(null)).length > 0;
  let counts: readonly JobCount[] = [];
  const recount = seldom(async () => {
    counts = await count(mostJobs);
  }, uptime);

  registry.beforeRender(async () => {
    await recount();
    const byLabels = new Map<string, number>();
    const ages = new Map<string, number>();
    for (const provider of providers()) {
      ages.set(labels({ provider }), 0);
      // With tenants there are too many of these to show each that is 0.
      if (hasTenants) continue;
      for (const status of jobStatuses) byLabels.set(labels({ provider, status }), 0);
    }
    for (const one of counts) {
      const { scope: { provider }, status } = one;
      const name = labels({ provider, status, ...tenant(one.scope.tenant) });
      byLabels.set(name, (byLabels.get(name) ?? 0) + one.count);
      if (isTerminal(status) || one.oldest === undefined) continue;
      const age = Math.max(0, now() - one.oldest) / 1000;
      const place = labels({ provider });
      ages.set(place, Math.max(ages.get(place) ?? 0, age));
    }
    replace(jobs, byLabels);
    replace(oldest, ages);
  });
}

function replace(
  gauge: ReturnType<Registry["gauge"]>,
  values: ReadonlyMap<string, number>,
): void {
  gauge.clear();
  for (const [labels, value] of values) gauge.set(labels, value);
}
