/** The catalog: which object is which provider file, which job is which batch. */
import { createOutboxCatalog, type Outbox, type OutboxCatalog } from "./outbox.ts";
import { type BucketCatalog, createBucketCatalog } from "./buckets.ts";
import { type CopyCatalog, createCopyCatalog } from "./copies.ts";
import { createExpiryCatalog, type ExpiryCatalog } from "./expiry.ts";
import { createCredentialCatalog, type CredentialCatalog } from "./credentials.ts";
import { createFirstLimitCatalog, type FirstLimitCatalog } from "./first_limits.ts";
import { createInstanceCatalog, type InstanceCatalog } from "./instances.ts";
import { createJobCatalog, type JobCatalog } from "./jobs.ts";
import { createJournalCatalog, type JournalCatalog } from "./journal.ts";
import { change } from "./kv.ts";
import { createLeaseCatalog, type LeaseCatalog } from "./leases.ts";
import { createLinkCatalog, type LinkCatalog } from "./links.ts";
import { createObjectCatalog, type ObjectCatalog } from "./objects.ts";
import { noMemory, type ReadMemory } from "./read_memory.ts";
import { createPinCatalog, type PinCatalog } from "./pins.ts";
import { createQuotaCatalog, type QuotaCatalog } from "./quotas.ts";
import { createRecordIdCatalog, type RecordIdCatalog } from "./record_ids.ts";
import { createResultsCatalog, type ResultsCatalog } from "./results.ts";
import { createSealingCatalog, type SealingCatalog } from "./sealing.ts";
import { createShardCatalog, type ShardCatalog } from "./shards.ts";
import { createUsageCatalog, type UsageCatalog } from "./usage.ts";
import { listTenants } from "./tenants.ts";
import { createUploadCatalog, type UploadCatalog } from "./uploads.ts";

/** The catalog's parts. */
export interface Catalog {
  readonly objects: ObjectCatalog;
  readonly links: LinkCatalog;
  readonly copies: CopyCatalog;
  readonly expiry: ExpiryCatalog;
  readonly buckets: BucketCatalog;
  readonly uploads: UploadCatalog;
  readonly jobs: JobCatalog;
  readonly journal: JournalCatalog;
  readonly results: ResultsCatalog;
  readonly shards: ShardCatalog;
  readonly pins: PinCatalog;
  readonly recordIds: RecordIdCatalog;
  readonly quotas: QuotaCatalog;
  readonly firstLimits: FirstLimitCatalog;
  readonly instances: InstanceCatalog;
  readonly credentials: CredentialCatalog;
  readonly sealing: SealingCatalog;
  readonly leases: LeaseCatalog;
  readonly outbox: OutboxCatalog;
  readonly usage: UsageCatalog;
  /** Tenants that have jobs, buckets or objects, in the order of their names. */
  readonly tenants: () => Promise<readonly string[]>;
  /** What was read of the catalog and holds until the catalog changes. */
  readonly memory: ReadMemory;
  /** Reads one key, to see that the catalog answers; rejects where its file is missing. */
  check(): Promise<void>;
  /** Commits a step that changes nothing, to see that there is room. */
  checkWrite(): Promise<void>;
}

/** Makes the catalog over an open KV. */
export function createCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  memory: ReadMemory = noMemory,
  mustBePresent: () => void = () => {},
  outbox?: Outbox,
): Catalog {
  const objects = createObjectCatalog(kv, sleep);
  return {
    objects,
    copies: createCopyCatalog(kv, sleep),
    expiry: createExpiryCatalog(kv, sleep, objects),
    links: createLinkCatalog(kv, sleep),
    buckets: createBucketCatalog(kv, sleep),
    uploads: createUploadCatalog(kv, sleep),
    jobs: createJobCatalog(kv, sleep, outbox),
    journal: createJournalCatalog(kv, sleep, outbox),
    results: createResultsCatalog(kv, sleep, outbox),
    shards: createShardCatalog(kv, sleep),
    pins: createPinCatalog(kv, sleep),
    recordIds: createRecordIdCatalog(kv, sleep),
    quotas: createQuotaCatalog(kv, sleep),
    firstLimits: createFirstLimitCatalog(kv, sleep),
    instances: createInstanceCatalog(kv, sleep),
    credentials: createCredentialCatalog(kv, sleep),
    sealing: createSealingCatalog(kv, sleep),
    tenants: () => listTenants(kv),
    leases: createLeaseCatalog(kv, sleep),
    outbox: createOutboxCatalog(kv, sleep, outbox),
    usage: createUsageCatalog(kv, sleep),
    memory,
    async check() {
      mustBePresent();
      await kv.get(["check"]);
    },
    checkWrite: () =>
      change(sleep, async () => {
        await kv.delete(["check"]);
        return { done: undefined };
      }),
  };
}
