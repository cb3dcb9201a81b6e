/** Finding an object: by its name, or by the id of the provider file it stands for. */
import type { ObjectCatalog, WriteCondition } from "../catalog/objects.ts";
import type { ObjectEntry } from "../catalog/entries.ts";
import { isS3Etag, isTagged } from "../codecs/etag.ts";
import { Failure } from "../codecs/failure.ts";
import { type FileId, fileId, isProviderId } from "../codecs/ids.ts";
import { isResultsId } from "../codecs/results_id.ts";
import type { ProviderFile } from "../providers/provider.ts";
import { askAccounts } from "../reach/accounts.ts";
import { mayUse, type Reach, scopeOf } from "../reach/reach.ts";
import { scopesOfBucket } from "./results/native.ts";

/** Where an object is looked for. */
export interface Address {
  readonly bucket: string;
  readonly key: string;
  /** Tags of If-Match, without quotes; `*` stands for any object. */
  readonly ifMatch?: readonly string[];
}

/** An object's name, and whose it is. */
export interface ObjectName {
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
}

/** An object that was found. */
export interface Found {
  readonly record: ObjectEntry;
  /** Its name in the catalog; absent for a native file. */
  readonly name?: ObjectName;
}

/** Dependencies of finding. */
export interface FindDeps {
  readonly catalog: ObjectCatalog;
  /** The earliest that it may be, in milliseconds since 1970: what hides an object has come for certain. */
  readonly now: () => number;
}

/**
 * Finds an object. A key that the catalog does not know may still name one: the object of the
 * bucket or the provider file that has an ETag or id of If-Match, or else the key's last part as
 * its ETag or id. Of several objects of one ETag it is the newest.
 *
 * Throws `precondition` where the key exists and If-Match names another file.
 */
export async function find(
  deps: FindDeps,
  reach: Reach,
  address: Address,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const { bucket, key, ifMatch } = address;
  for (const scope of scopesOfBucket(reach, bucket)) {
    const record = await deps.catalog.get(scope, bucket, key);
    if (!record || !isLive(record, deps.now())) continue;
    if (ifMatch && !namesObject(reach, ifMatch, record)) {
      throw new Failure("precondition", "The object is not the one that If-Match names", {
        fields: { Condition: "If-Match" },
      });
    }
    return { record, name: { tenant: scope.tenant, bucket, key } };
  }
  const tags = ifMatch && !ifMatch.includes("*") ? ifMatch : [lastPart(key)];
  return await findNamed(deps, reach, bucket, tags, signal);
}

/**
 * Finds what the first of these texts that stands for anything stands for: the ETag of an object in
 * the bucket, any text that the catalog knows as a provider file's id, and what looks like one of
 * the provider's.
 */
export async function findNamed(
  deps: FindDeps,
  reach: Reach,
  bucket: string | undefined,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Found | undefined> {
  const etags = bucket === undefined || !mayUse(reach, bucket) ? [] : texts.filter(isS3Etag);
  for (const etag of etags) {
    const found = await findEtag(deps, reach, bucket ?? "", etag);
    if (found) return found;
  }
  const spelled = fileIds(reach, texts);
  const others = texts.filter((text) => isProviderId(text) && !isResultsId(text)).map(fileId);
  const known = await deps.catalog.known(reach.provider.name, others);
  for (const id of new Set([...spelled, ...known])) {
    const found = await findFile(deps, reach, id, signal);
    if (found) return found;
  }
  return undefined;
}

async function findEtag(
  deps: FindDeps,
  reach: Reach,
  bucket: string,
  etag: string,
): Promise<Found | undefined> {
  const now = deps.now();
  for (const scope of scopesOfBucket(reach, bucket)) {
    const found = await deps.catalog.ofEtag(scope, bucket, etag, (record) => isLive(record, now));
    if (!found) continue;
    return { record: found.record, name: { tenant: scope.tenant, bucket, key: found.key } };
  }
  return undefined;
}

/** Finds what a provider file's id stands for. */
export async function findFile(
  deps: FindDeps,
  reach: Reach,
  id: FileId,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const owner = await deps.catalog.file(reach.provider.name, id);
  // A native file that was copied goes on being native, too.
  const isNative = !owner || (reach.native && owner.native && owner.state === "current");
  if (isNative) {
    if (!reach.native) return undefined;
    // Results of a job are not native files: they are objects of the bucket that the job names, and
    // their id is not a way around a limit to other buckets.
    const tenant = await deps.catalog.resultOf(reach.provider.name, id);
    if (tenant !== undefined && (tenant !== reach.tenant || reach.mayUse)) return undefined;
    return await findNative(reach, id, deps.now(), signal);
  }
  // The file may have names of other tenants and in buckets that are not the caller's.
  for await (const { bucket, key } of deps.catalog.names(reach.provider.name, id, reach.tenant)) {
    if (!mayUse(reach, bucket)) continue;
    const record = await deps.catalog.get(scopeOf(reach), bucket, key);
    if (record?.file !== id || !isLive(record, deps.now())) continue;
    return { record, name: { tenant: reach.tenant, bucket, key } };
  }
  return undefined;
}

/** Returns whether the provider still has the file, by the time that it gave. */
export function isLive(record: ObjectEntry, now: number): boolean {
  return record.expiresAt === undefined || record.expiresAt > now;
}

/** Presents a native provider file as an object. */
export function nativeRecord(file: ProviderFile, account: string): ObjectEntry {
  return {
    file: file.id,
    etag: file.id,
    held: { in: "provider", file: file.id, account },
    bytes: file.bytes,
    modifiedAt: file.createdAt.getTime(),
    contentType: "application/octet-stream",
    headers: {},
    metadata: {},
    checksums: {},
    ...(file.expiresAt && { expiresAt: file.expiresAt.getTime() }),
  };
}

/** A write's condition with the ids of files as the catalog has them, beside what was sent. */
export function spelledOut(reach: Reach, condition: WriteCondition): WriteCondition {
  const { files, notFiles } = condition;
  const all = (texts: readonly string[]) => [...texts, ...fileIds(reach, texts)];
  return {
    ...condition,
    ...(files && { files: all(files) }),
    ...(notFiles && { notFiles: all(notFiles) }),
  };
}

/** The file ids that these texts spell, each once. */
export function fileIds(reach: Reach, texts: readonly string[]): FileId[] {
  const ids = new Set<FileId>();
  for (const { files } of reach.provider.accounts) {
    for (const text of texts) {
      const id = files?.parseId(text);
      if (id !== undefined) ids.add(id);
    }
  }
  return [...ids];
}

async function findNative(
  reach: Reach,
  id: FileId,
  now: number,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const answers = askAccounts(reach.provider, async ({ name, files }) => {
    try {
      const file = await files?.head(id, signal);
      // Results of native batches are in the bucket named like their provider.
      if (!file || file.origin === "result" && !mayUse(reach, reach.provider.name)) {
        return undefined;
      }
      const record = nativeRecord(file, name);
      return isLive(record, now) ? record : undefined;
    } catch (error) {
      // Services that check the form of ids refuse another text as invalid.
      const kind = error instanceof Failure ? error.kind : undefined;
      if (kind !== "not-found" && kind !== "invalid") throw error;
      return undefined;
    }
  });
  for await (const record of answers) if (record) return { record };
  return undefined;
}

/**
 * Returns whether one of these tags is an object's ETag or, in any spelling, its file's id, or is
 * `*`.
 */
export function namesObject(reach: Reach, tags: readonly string[], object: ObjectEntry): boolean {
  return tags.includes("*") || isTagged(object, tags) ||
    fileIds(reach, tags).includes(object.file);
}

/** The part of a key behind its last slash. */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
