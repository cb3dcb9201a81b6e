/** The catalog: which object is which provider file, which job is which batch. */
import { type BucketCatalog, createBucketCatalog } from "./buckets.ts";
import { createCredentialCatalog, type CredentialCatalog } from "./credentials.ts";
import { createInstanceCatalog, type InstanceCatalog } from "./instances.ts";
import { createJobCatalog, type JobCatalog } from "./jobs.ts";
import { createJournalCatalog, type JournalCatalog } from "./journal.ts";
import { createLinkCatalog, type LinkCatalog } from "./links.ts";
import { createObjectCatalog, type ObjectCatalog } from "./objects.ts";
import { createUploadCatalog, type UploadCatalog } from "./uploads.ts";

/** The catalog's parts. */
export interface Catalog {
  readonly objects: ObjectCatalog;
  readonly links: LinkCatalog;
  readonly buckets: BucketCatalog;
  readonly uploads: UploadCatalog;
  readonly jobs: JobCatalog;
  readonly journal: JournalCatalog;
  readonly instances: InstanceCatalog;
  readonly credentials: CredentialCatalog;
  /** Reads one key, to see that the catalog answers. */
  check(): Promise<void>;
}

/** Makes the catalog over an open KV. */
export function createCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
): Catalog {
  return {
    objects: createObjectCatalog(kv, sleep),
    links: createLinkCatalog(kv, sleep),
    buckets: createBucketCatalog(kv, sleep),
    uploads: createUploadCatalog(kv, sleep),
    jobs: createJobCatalog(kv, sleep),
    journal: createJournalCatalog(kv, sleep),
    instances: createInstanceCatalog(kv, sleep),
    credentials: createCredentialCatalog(kv, sleep),
    async check() {
      await kv.get(["check"]);
    },
  };
}
