/**
 * Buckets of providers that have none of their own. A bucket exists if it was created, if an object
 * is in it, or if it is one of the two that show a provider's native files; where buckets are
 * implicit, every bucket does.
 */
import type { BucketCatalog, NamedBucket } from "../catalog/buckets.ts";
import { Failure } from "../codecs/failure.ts";
import { mayUse, type Reach, scopeOf } from "../reach/reach.ts";

/** Dependencies of buckets. */
export interface BucketDeps {
  readonly catalog: BucketCatalog;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether any allowed name is a bucket, empty, until it is used. */
  readonly implicit: boolean;
  /** Gives up what is being uploaded into a bucket in parts. */
  readonly abortUploads: (reach: Reach, bucket: string) => Promise<void>;
}

/** Parameters of a list of buckets. */
export interface BucketRange {
  readonly prefix: string;
  /** Only buckets after this one; empty for all. */
  readonly after: string;
  readonly limit: number;
}

/** One page of buckets, in the order of their names. */
export interface BucketPage {
  readonly buckets: readonly NamedBucket[];
  readonly isTruncated: boolean;
}

/** The buckets of a gateway. */
export type Buckets = ReturnType<typeof createBuckets>;

/** Makes the service. */
export function createBuckets({ catalog, now, implicit, abortUploads }: BucketDeps) {
  return { check, create, remove, list };

  /** Throws `not-found`, NoSuchBucket, where a bucket does not exist. */
  async function check(reach: Reach, bucket: string): Promise<void> {
    if (implicit || isNative(reach, bucket)) return;
    const scope = scopeOf(reach);
    // An object may have arrived while its bucket was being deleted: it is not to be lost.
    if (await catalog.has(scope, bucket) || await catalog.holds(scope, bucket)) return;
    throw new Failure("not-found", `The bucket does not exist at ${reach.provider.name}`, {
      s3: "NoSuchBucket",
      fields: { BucketName: bucket },
    });
  }

  /** Creates a bucket; one that is there is no error. */
  async function create(reach: Reach, bucket: string): Promise<void> {
    await catalog.create(scopeOf(reach), bucket, { createdAt: now() });
  }

  /**
   * Deletes a bucket without objects; as at S3, uploads that were not completed go with it. Throws
   * `conflict`, BucketNotEmpty, where an object is in it.
   */
  async function remove(reach: Reach, bucket: string): Promise<void> {
    if (isNative(reach, bucket)) {
      throw new Failure(
        "denied",
        `The bucket ${bucket} shows the files of ${reach.provider.name} and cannot be deleted`,
      );
    }
    const scope = scopeOf(reach);
    if (await catalog.holds(scope, bucket)) {
      throw new Failure(
        "conflict",
        "The bucket is not empty. Delete its objects first",
        { s3: "BucketNotEmpty", fields: { BucketName: bucket } },
      );
    }
    await abortUploads(reach, bucket);
    await catalog.remove(scope, bucket);
  }

  /**
   * Lists the buckets that were created, that hold objects, and that show native files. Throws the
   * signal's reason once its client has gone: there may be many, and each is looked for by itself.
   */
  async function list(
    reach: Reach,
    { prefix, after, limit }: BucketRange,
    signal?: AbortSignal,
  ): Promise<BucketPage> {
    const scope = scopeOf(reach);
    const found = new Map<string, NamedBucket>();
    const undated = new Set<string>();
    if (reach.native) {
      for (const name of nativeBuckets(reach)) found.set(name, { name, createdAt: nativeDate });
    }
    for await (const bucket of catalog.holding(scope)) {
      signal?.throwIfAborted();
      if (isNative(reach, bucket.name)) {
        found.set(bucket.name, { ...bucket, createdAt: nativeDate });
      } else {
        undated.add(bucket.name);
        found.set(bucket.name, bucket);
      }
    }
    for await (const { name, createdAt, implicit } of catalog.created(scope)) {
      undated.delete(name);
      if (!implicit || found.has(name)) found.set(name, { name, createdAt });
    }
    const buckets = [...found.values()]
      .filter(({ name }) => name.startsWith(prefix) && name > after && mayUse(reach, name))
      .sort((a, b) => a.name < b.name ? -1 : 1);
    const page: NamedBucket[] = [];
    for (const { name, createdAt } of buckets.slice(0, limit)) {
      const isDated = !undated.has(name);
      page.push({
        name,
        createdAt: isDated ? createdAt : await catalog.date(scope, name, createdAt),
      });
    }
    return { buckets: page, isTruncated: buckets.length > limit };
  }
}

/** Buckets of native files always exist, so their date is the earliest there is. */
const nativeDate = 0;

/** The buckets that show a provider's native files. */
function nativeBuckets({ provider: { name } }: Reach): readonly string[] {
  return [name, `${name}-files`];
}

function isNative(reach: Reach, bucket: string): boolean {
  return nativeBuckets(reach).includes(bucket);
}
