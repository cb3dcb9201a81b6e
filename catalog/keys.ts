/**
 * Every key of the catalog and every limit of Deno KV, in one place.
 *
 * Object keys are stored as their UTF-8 bytes, because that is the order in which S3 lists them.
 */
import { createHash } from "node:crypto";
import { Failure } from "../codecs/failure.ts";
import type { BatchId, BlobName, FileId, JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";

/** Bytes of a serialized value (Deno 2.9.6; the same over KV Connect). */
export const maxValueBytes = 65_536;
/** Encoded bytes of a key, of which a zero byte takes two. */
export const maxKeyBytes = 2_048;
/** Keys read by one `getMany`. */
export const maxGetMany = 10;
/** Entries that one read of a list brings; a larger size is refused over KV Connect. */
export const maxBatch = 500;
/** Checks in one atomic operation over KV Connect; a local catalog allows 100. */
export const maxChecks = 10;

const utf8 = new TextEncoder();

/** Longer ids of files and batches stand in keys as a digest. */
const maxIdInKey = 256;

/**
 * An id as it stands in a key. A key has no room for a long one: its place takes a digest, which no
 * id can be mistaken for, as none has a blank. Given a digest it returns that, so that keys can be
 * made of parts of other keys.
 */
export function inKey(id: string): string {
  if (id.length <= maxIdInKey) return id;
  return `sha256 ${createHash("sha256").update(id).digest("hex")}`;
}

/**
 * Returns what a value holds of an id beside its key: the id itself, where the key has only a
 * digest.
 */
export function longId<Id extends string>(id: Id): { readonly id?: Id } {
  return id.length <= maxIdInKey ? {} : { id };
}

/** Whose things, at which provider. Nothing of one tenant is under a key of another. */
export interface Scope {
  readonly tenant: string;
  /** The provider's configured name. */
  readonly provider: string;
}

/** The tenant of a gateway without credentials. */
export const anonymousTenant = "default";
/** Native batches belong to no tenant; who may see native files sees them. */
export const nativeTenant = "@native";

/** The keys. A plural is the prefix of what it lists. */
export const keys = {
  objects: (s: Scope, bucket: string) => ["object", s.tenant, s.provider, bucket],
  object: (s: Scope, bucket: string, key: string) => keys.objectAt(s, bucket, utf8.encode(key)),
  /** A position among the keys of a bucket, which need not be a key itself. */
  objectAt: (s: Scope, bucket: string, position: Uint8Array) =>
    ["object", s.tenant, s.provider, bucket, fitting(position)] as const,
  /** Objects of a bucket by an ETag that is not their file's id, the oldest first. */
  etags: (s: Scope, bucket: string, etag: string) => ["etag", s.tenant, s.provider, bucket, etag],
  etag: (s: Scope, bucket: string, etag: string, modifiedAt: number, key: string) =>
    [...keys.etags(s, bucket, etag), modifiedAt, fitting(utf8.encode(key))] as const,
  bucketsWithObjects: (s: Scope) => ["object", s.tenant, s.provider],
  buckets: (s: Scope) => ["bucket", s.tenant, s.provider],
  bucket: (s: Scope, bucket: string) => ["bucket", s.tenant, s.provider, bucket],
  uploads: (s: Scope, bucket: string) => ["upload", s.tenant, s.provider, bucket],
  allUploads: () => ["upload"],
  upload: (s: Scope, bucket: string, key: string, id: string) => [
    ...keys.uploadAt(s, bucket, utf8.encode(key)),
    id,
  ],
  /** A position among the keys of a bucket's uploads, which need not be a key itself. */
  uploadAt: (s: Scope, bucket: string, position: Uint8Array) =>
    ["upload", s.tenant, s.provider, bucket, fitting(position)] as const,
  /** Bytes of an upload's parts together, as a sum that many parts are added to at once. */
  uploadBytes: (id: string) => ["upload-bytes", id],
  completing: (id: string) => ["completing", id],
  allCompleted: () => ["completed"],
  completed: (id: string) => ["completed", id],
  allParts: () => ["part"],
  parts: (id: string) => ["part", id],
  part: (id: string, number: number) => ["part", id, number],
  file: (provider: string, file: FileId) => ["file", provider, inKey(file)],
  /** Names of a file besides the one in its entry. */
  furtherNames: (provider: string, file: FileId) => ["name", provider, inKey(file)],
  furtherName: (
    provider: string,
    file: FileId,
    { tenant, bucket, key }: { tenant: string; bucket: string; key: string },
  ) => ["name", provider, inKey(file), tenant, bucket, fitting(utf8.encode(key))] as const,
  /** Files with a time at which their provider forgets them, in the order of that time. */
  expiries: () => ["expiry"],
  expiry: (time: number, provider: string, file: FileId) => ["expiry", time, provider, inKey(file)],
  /** Blobs that are copies of provider files. */
  copy: (provider: string, blob: BlobName) => ["copy", provider, blob],
  trash: () => ["trash"],
  trashed: (provider: string, file: FileId) => ["trash", provider, inKey(file)],
  uses: (provider: string, file: FileId) => ["use", provider, inKey(file)],
  use: (provider: string, file: FileId, job: JobId) => ["use", provider, inKey(file), job],
  objectsOfAll: () => ["object"],
  bucketsOfAll: () => ["bucket"],
  jobNamesOfAll: () => ["job-name"],
  jobs: (s: Scope) => ["job", s.tenant, s.provider],
  job: (s: Scope, id: JobId) => ["job", s.tenant, s.provider, id],
  everyJobStatus: () => ["job-status"],
  /** Jobs of one status, in the order of their submission; the value is the job's name. */
  jobsOfStatus: (s: Scope, status: JobStatus) => ["job-status", s.tenant, s.provider, status],
  jobOfStatus: (s: Scope, status: JobStatus, id: JobId) => [
    "job-status",
    s.tenant,
    s.provider,
    status,
    id,
  ],
  /** Names of jobs, in the order of their submission. */
  jobNames: (s: Scope) => ["job-name", s.tenant, s.provider],
  jobName: (s: Scope, id: JobId) => ["job-name", s.tenant, s.provider, id],
  running: () => ["running"],
  runningJob: (s: Scope, id: JobId) => ["running", s.tenant, s.provider, id],
  /** What a job's input was found to hold, once its shards are ready to be started. */
  prepared: (s: Scope, id: JobId) => ["prepared", s.tenant, s.provider, id],
  /** Jobs of shards that may have left something in the blob store, or at a provider. */
  everyUnreleased: () => ["unreleased"],
  unreleased: (s: Scope, id: JobId) => ["unreleased", s.tenant, s.provider, id],
  /** Files that a job reads beside the one in its plan. */
  pins: (s: Scope, id: JobId) => ["pin", s.tenant, s.provider, id],
  pin: (s: Scope, id: JobId, n: number) => ["pin", s.tenant, s.provider, id, n],
  shards: (s: Scope, id: JobId) => ["shard", s.tenant, s.provider, id],
  shard: (s: Scope, id: JobId, n: number) => ["shard", s.tenant, s.provider, id, n],
  /** Shards whose batch the provider was asked for, and may have made. */
  askingShards: (provider: string) => ["asking", provider],
  askingShard: (s: Scope, id: JobId, n: number) => ["asking", s.provider, s.tenant, id, n],
  /** Batches of shards that an account runs. */
  busyBatches: (provider: string, account: string) => ["busy", provider, account],
  busyBatch: (provider: string, account: string, s: Scope, id: JobId, n: number) => [
    "busy",
    provider,
    account,
    s.tenant,
    s.provider,
    id,
    n,
  ],
  /** Changes with each batch of an account whose batches are counted. */
  busyGate: (provider: string, account: string) => ["busy-gate", provider, account],
  tags: (s: Scope, id: JobId) => ["tag", s.tenant, s.provider, id],
  tag: (s: Scope, id: JobId, name: string) => ["tag", s.tenant, s.provider, id, name],
  batch: (provider: string, batch: BatchId) => ["batch", provider, inKey(batch)],
  /** Whose job a provider's file of results is of. */
  resultFile: (provider: string, file: FileId) => ["result-file", provider, inKey(file)],
  journal: () => ["journal"],
  journalEntry: (s: Scope, id: JobId) => ["journal", s.tenant, s.provider, id],
  tokens: (s: Scope, token: string) => ["token", s.tenant, s.provider, token],
  token: (
    s: Scope,
    token: string,
    digest: string,
  ) => ["token", s.tenant, s.provider, token, digest],
  /** Spans that are left out of the parts of results. */
  resultsCuts: (provider: string, id: FileId) => ["results-cut", provider, id],
  resultsCut: (provider: string, id: FileId, n: number) => ["results-cut", provider, id, n],
  /** Who reads the results of a job that its provider has finished. */
  resultsLease: (s: Scope, id: JobId) => ["settling", s.tenant, s.provider, id],
  /** Jobs that were over when they were found, whose results are still to be read. */
  allAwaitingResults: () => ["unsettled"],
  awaitsResults: (s: Scope, id: JobId) => ["unsettled", s.tenant, s.provider, id],
  /** Ids of a file's records, where the file cannot be downloaded. */
  recordIds: (
    provider: string,
    file: FileId,
    n: number,
  ) => ["record-ids", provider, inKey(file), n],
  /** When a running job's provider was last asked for it. */
  asked: (s: Scope, id: JobId) => ["asked", s.tenant, s.provider, id],
  /** Events that wait: by receiver, then by job, in the order in which they happened. */
  allEvents: () => ["event"],
  events: (target: string) => ["event", target],
  event: (target: string, s: Scope, id: JobId, n: number) => [
    "event",
    target,
    s.tenant,
    s.provider,
    id,
    n,
  ],
  /** Events that are over, by the time of that. */
  doneEvents: () => ["event-done"],
  doneEvent: (at: number, target: string, s: Scope, id: JobId, n: number) => [
    "event-done",
    at,
    target,
    s.tenant,
    s.provider,
    id,
    n,
  ],
  /** When events were last asked to be sent again. */
  lastReplay: () => ["event-replay"],
  /** Jobs that a forwarding provider runs, until what they used is recorded. */
  allForwarded: () => ["forwarded"],
  forwarded: (provider: string, arn: string) => ["forwarded", provider, arn],
  /** What jobs used, by the day of their end: `2026-11-30`. */
  usageOfDay: (day: string) => ["usage", day],
  usageOfTenant: (day: string, tenant: string) => ["usage", day, tenant],
  usage: (day: string, s: Scope, id: JobId) => ["usage", day, s.tenant, s.provider, id],
  lease: (name: string) => ["lease", name],
  scannedTo: (provider: string, account: string) => ["walked", provider, account],
  instances: () => ["instance"],
  instance: (id: string) => ["instance", id],
  registration: (id: string) => ["registration", id],
  secret: (name: string) => ["secret", name],
  /** In which form the catalog is. */
  schema: () => ["schema"],
  /** Which backup the catalog came back from; in no backup itself. */
  restored: () => ["schema", "restored"],
  credentials: () => ["credential"],
  credential: (accessKeyId: string) => ["credential", accessKeyId],
  credentialUses: () => ["credential-use"],
  /** When a credential was last used. */
  credentialUse: (accessKeyId: string) => ["credential-use", accessKeyId],
  /** What an access key has used and reserved in a calendar month. */
  quotas: (accessKeyId: string) => ["quota", accessKeyId],
  quota: (accessKeyId: string, month: string) => ["quota", accessKeyId, month],
  /** What a job has reserved of its access key's limits until it ends. */
  reservation: (s: Scope, id: JobId) => ["reservation", s.tenant, s.provider, id],
  putReservations: () => ["put-reservation"],
  putReservation: (accessKeyId: string, instance: string, id: string) => [
    "put-reservation",
    accessKeyId,
    instance,
    id,
  ],
  /** Which key the secrets of credentials are sealed under. */
  sealedUnder: () => ["sealed-under"],
  /** Changes with every change of a credential, so that one read shows whether any did. */
  credentialsVersion: () => ["credentials-version"],
};

/** What the catalog's key for an object may take besides the object's own key. */
const overhead = 448;

/** Refuses what Deno KV would refuse with an error of its own. */
function fitting(position: Uint8Array): Uint8Array {
  let length = position.length;
  for (const byte of position) if (byte === 0) length++;
  if (length <= maxKeyBytes - overhead) return position;
  throw new Failure("invalid", "The key or prefix is longer than 1024 bytes of UTF-8", {
    s3: "KeyTooLongError",
  });
}
