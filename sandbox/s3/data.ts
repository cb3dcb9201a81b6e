/**
 * The simulated S3's buckets and objects, as documents and blobs of the sandbox's store. Bedrock
 * reads its inputs and writes its outputs here too. It holds no state of its own: any number of
 * instances over one store see the same.
 */
import { s3Time } from "../../codecs/s3_xml.ts";
import { compareUtf8 } from "./keys.ts";
import { s3Failure } from "./errors.ts";
import type { Json, SandboxContext, Store } from "../context.ts";

/** A bucket; one that was never created exists, empty, unless the sandbox is strict. */
export interface Bucket {
  readonly name: string;
  readonly region: string;
  /** ISO 8601. */
  readonly created: string;
}

/** An object as it is stored. */
export interface StoredObject {
  readonly key: string;
  readonly blob: string;
  readonly bytes: number;
  /** Without quotes. */
  readonly etag: string;
  /** Whole seconds, ISO 8601: headers cannot say more, and a listing must agree with them. */
  readonly modified: string;
  /** Headers to answer with: content headers, `x-amz-meta-*`, `x-amz-storage-class`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the whole object: `x-amz-checksum-*` header to value in base64. */
  readonly checksums: Readonly<Record<string, string>>;
  /** Bytes of each part where it was uploaded in parts. */
  readonly parts: readonly number[];
}

/** Content and metadata of an object to be stored. */
export interface NewObject {
  readonly body: ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked after the body has come to its end. */
  readonly checksums?: () => Readonly<Record<string, string>>;
  /** The ETag where it is not the body's MD5. */
  readonly etag?: string;
  readonly parts?: readonly number[];
  /** Asked right before the object becomes visible; throws to keep the old one. */
  readonly check?: (existing: StoredObject | undefined) => void;
}

/** Buckets and objects. */
export interface S3Data {
  /** The bucket; throws NoSuchBucket. */
  bucket(name: string, region: string): Bucket;
  buckets(): Bucket[];
  /** Creates a bucket; one that is there stays as it is. */
  createBucket(name: string, region: string): void;
  /** Deletes a bucket; throws BucketNotEmpty. */
  deleteBucket(name: string): void;
  find(bucket: string, key: string): StoredObject | undefined;
  /** All objects in the byte order of their keys. */
  objects(bucket: string): StoredObject[];
  /** Stores an object once its body has come in whole; until then the old one is seen. */
  put(bucket: string, key: string, object: NewObject): Promise<StoredObject>;
  /** Its bytes, or those from `first` to `last` inclusive. */
  read(object: StoredObject, first?: number, last?: number): ReadableStream<Uint8Array>;
  /** Deletes an object; a missing one is not an error. */
  remove(bucket: string, key: string): Promise<void>;
}

/** Headers that S3 keeps with an object beside `x-amz-meta-*`. */
export const keptHeaders = [
  "content-type",
  "content-encoding",
  "content-disposition",
  "content-language",
  "cache-control",
  "expires",
  "x-amz-storage-class",
  "x-amz-website-redirect-location",
] as const;

const collections = {
  buckets: "s3-buckets",
  objects: (bucket: string) => `s3-objects-${bucket}`,
} as const;

/** Opens the data of the simulated S3 that lies in a store. */
export function createS3Data(
  { store, options, now, id }: Pick<SandboxContext, "store" | "options" | "now" | "id">,
): S3Data {
  const data: S3Data = {
    bucket(name, region) {
      const bucket = findBucket(store, name);
      if (bucket !== undefined) return bucket;
      if (options.strict) throw s3Failure("NoSuchBucket", undefined, { BucketName: name });
      return { name, region, created: s3Time(now().getTime()) };
    },
    buckets: () =>
      store.list(collections.buckets)
        .map(([, document]) => document as unknown as Bucket)
        .sort((a, b) => compareUtf8(a.name, b.name)),
    createBucket(name, region) {
      if (findBucket(store, name) !== undefined) return;
      const bucket: Bucket = { name, region, created: s3Time(now().getTime()) };
      store.set(collections.buckets, name, toJson(bucket));
    },
    deleteBucket(name) {
      if (store.list(collections.objects(name)).length > 0) {
        throw s3Failure("BucketNotEmpty", undefined, { BucketName: name });
      }
      store.delete(collections.buckets, name);
    },
    find: (bucket, key) =>
      store.get(collections.objects(bucket), key) as unknown as StoredObject | undefined,
    objects: (bucket) =>
      store.list(collections.objects(bucket))
        .map(([, document]) => document as unknown as StoredObject)
        .sort((a, b) => compareUtf8(a.key, b.key)),
    async put(bucket, key, { body, headers = {}, checksums, etag, parts = [], check }) {
      const blob = `s3-${id(24)}`;
      const { bytes, md5 } = await store.writeBlob(blob, body);
      // From here to the document nothing waits, so two writers cannot both pass the check.
      const old = data.find(bucket, key);
      try {
        check?.(old);
      } catch (error) {
        await store.deleteBlob(blob);
        throw error;
      }
      const object: StoredObject = {
        key,
        blob,
        bytes,
        etag: etag ?? md5,
        modified: s3Time(now().getTime()),
        headers,
        checksums: checksums?.() ?? {},
        parts,
      };
      store.set(collections.objects(bucket), key, toJson(object));
      if (old !== undefined) await store.deleteBlob(old.blob);
      return object;
    },
    read: (object, first, last) => store.readBlob(object.blob, first, last),
    async remove(bucket, key) {
      const object = data.find(bucket, key);
      if (object === undefined) return;
      store.delete(collections.objects(bucket), key);
      await store.deleteBlob(object.blob);
    },
  };
  return data;
}

function findBucket(store: Store, name: string): Bucket | undefined {
  return store.get(collections.buckets, name) as unknown as Bucket | undefined;
}

/** A document of plain JSON values, which interfaces cannot show to the compiler. */
export function toJson(document: object): Json {
  return document as unknown as Json;
}
