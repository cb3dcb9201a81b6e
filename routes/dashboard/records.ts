/** What the dashboard's pages show of the catalog beside jobs and objects. */
import type { Catalog } from "../../catalog/catalog.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import type { Scope } from "../../catalog/keys.ts";
import type { JobEvents } from "../../catalog/outbox.ts";
import type { ShardEntry } from "../../catalog/shard_entries.ts";
import type { JobId } from "../../codecs/ids.ts";

/** What the pages read. */
export interface DashboardRecords {
  /** Tenants that have jobs, buckets or objects, in the order of their names. */
  readonly tenants: () => Promise<readonly string[]>;
  /** The shards of a job, in the order of their records. */
  readonly shards: (scope: Scope, job: JobId) => Promise<readonly ShardEntry[]>;
  /** What jobs used that are over, in their order. */
  readonly usageOf: Catalog["usage"]["ofJobs"];
  /** The events of a job. */
  readonly eventsOf: (scope: Scope, job: JobEntry) => Promise<JobEvents>;
}

/** So many events that are done are looked through for those of a job. */
const mostDone = 2_000;

/** Makes what the pages read. */
export function createRecords(
  { tenants, shards, usage, outbox }: Pick<Catalog, "tenants" | "shards" | "usage" | "outbox">,
): DashboardRecords {
  return {
    tenants,
    shards: shards.all,
    usageOf: usage.ofJobs,
    async eventsOf(scope, job) {
      // A job that has reported nothing costs no search.
      if (job.events === undefined) return { events: [], isWhole: true };
      return await outbox.ofJob(scope, job, mostDone);
    },
  };
}
