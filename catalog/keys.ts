/**
 * Every key of the catalog and every limit of Deno KV, in one place.
 *
 * Object keys are stored as their UTF-8 bytes, because that is the order in which S3 lists them.
 */
import type { BatchId, FileId, JobId } from "../codecs/ids.ts";

/** Bytes of a serialized value (Deno 2.9.6; the same over KV Connect). */
export const maxValueBytes = 65_536;
/** Encoded bytes of a key, of which a zero byte takes two. */
export const maxKeyBytes = 2_048;
/** Keys read by one `getMany`. */
export const maxGetMany = 10;
/** Checks in one atomic operation over KV Connect; a local catalog allows 100. */
export const maxChecks = 10;

const utf8 = new TextEncoder();

/** Whose things, at which provider. Nothing of one tenant is under a key of another. */
export interface Scope {
  readonly tenant: string;
  /** The provider's configured name. */
  readonly provider: string;
}

/** The tenant of a gateway without credentials. */
export const anonymousTenant = "default";
/** Batches made by other means belong to no tenant; who may see native files sees them. */
export const nativeTenant = "@native";

/** The keys. A plural is the prefix of what it lists. */
export const keys = {
  objects: (s: Scope, bucket: string) => ["object", s.tenant, s.provider, bucket],
  object: (s: Scope, bucket: string, key: string) =>
    ["object", s.tenant, s.provider, bucket, utf8.encode(key)] as const,
  file: (provider: string, file: FileId) => ["file", provider, file],
  trash: () => ["trash"],
  trashed: (provider: string, file: FileId) => ["trash", provider, file],
  uses: (provider: string, file: FileId) => ["use", provider, file],
  use: (provider: string, file: FileId, job: JobId) => ["use", provider, file, job],
  jobs: (s: Scope) => ["job", s.tenant, s.provider],
  job: (s: Scope, id: JobId) => ["job", s.tenant, s.provider, id],
  running: () => ["running"],
  runningJob: (s: Scope, id: JobId) => ["running", s.tenant, s.provider, id],
  tags: (s: Scope, id: JobId) => ["tag", s.tenant, s.provider, id],
  tag: (s: Scope, id: JobId, name: string) => ["tag", s.tenant, s.provider, id, name],
  batch: (provider: string, batch: BatchId) => ["batch", provider, batch],
  journal: () => ["journal"],
  journalEntry: (s: Scope, id: JobId) => ["journal", s.tenant, s.provider, id],
  tokens: (s: Scope, token: string) => ["token", s.tenant, s.provider, token],
  token: (
    s: Scope,
    token: string,
    digest: string,
  ) => ["token", s.tenant, s.provider, token, digest],
  walked: (provider: string, account: string) => ["walked", provider, account],
  instances: () => ["instance"],
  instance: (id: string) => ["instance", id],
  secret: (name: string) => ["secret", name],
};
