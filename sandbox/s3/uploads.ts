/** Uploads in parts that are under way, as documents and blobs of the sandbox's store. */
import { s3Time } from "../../codecs/s3_xml.ts";
import type { SandboxContext } from "../context.ts";
import { toJson } from "./data.ts";
import { s3Failure } from "./errors.ts";

/** A part that has come in. */
export interface Part {
  readonly blob: string;
  readonly bytes: number;
  /** Lower-case hex; also its ETag. */
  readonly md5: string;
  /** ISO 8601. */
  readonly modified: string;
  readonly checksums: Readonly<Record<string, string>>;
}

/** An upload in parts. */
export interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  /** ISO 8601. */
  readonly initiated: string;
  /** To keep with the object. */
  readonly headers: Readonly<Record<string, string>>;
  /** The object's ETag once the upload was completed: a repeated Complete answers the same. */
  readonly completed?: string;
}

/** A part with its number, 1 to 10,000. */
export type NumberedPart = readonly [number: number, part: Part];

const uploads = "s3-uploads";
const parts = (id: string) => `s3-parts-${id}`;

/** Opens the uploads that lie in a store. */
export function createUploads({ store, now, id }: Pick<SandboxContext, "store" | "now" | "id">) {
  return {
    /** Begins an upload. */
    begin(bucket: string, key: string, headers: Readonly<Record<string, string>>): Upload {
      const upload = { id: id(32), bucket, key, initiated: s3Time(now().getTime()), headers };
      store.set(uploads, upload.id, toJson(upload));
      return upload;
    },

    /** The upload of this key; throws NoSuchUpload. One that was completed is found too. */
    find(bucket: string, key: string, uploadId: string): Upload {
      const upload = store.get(uploads, uploadId) as unknown as Upload | undefined;
      if (upload === undefined || upload.bucket !== bucket || upload.key !== key) {
        throw s3Failure("NoSuchUpload", undefined, { UploadId: uploadId });
      }
      return upload;
    },

    /** All uploads of a bucket that are under way, in no order. */
    list(bucket: string): Upload[] {
      return store.list(uploads)
        .map(([, document]) => document as unknown as Upload)
        .filter((upload) => upload.bucket === bucket && upload.completed === undefined);
    },

    /** Its parts in the order of their numbers. */
    parts(upload: Upload): NumberedPart[] {
      return store.list(parts(upload.id))
        .map(([number, document]): NumberedPart => [Number(number), document as unknown as Part])
        .sort(([a], [b]) => a - b);
    },

    /** Stores a part; one of the same number is replaced. */
    async putPart(
      upload: Upload,
      number: number,
      body: ReadableStream<Uint8Array>,
      checksums: () => Readonly<Record<string, string>> = () => ({}),
    ): Promise<Part> {
      const blob = `s3-part-${id(24)}`;
      const { bytes, md5 } = await store.writeBlob(blob, body);
      // The upload may have ended while the part came in.
      const current = store.get(uploads, upload.id) as unknown as Upload | undefined;
      if (current === undefined || current.completed !== undefined) {
        await store.deleteBlob(blob);
        throw s3Failure("NoSuchUpload", undefined, { UploadId: upload.id });
      }
      const old = store.get(parts(upload.id), `${number}`) as unknown as Part | undefined;
      const modified = s3Time(now().getTime());
      const part: Part = { blob, bytes, md5, modified, checksums: checksums() };
      store.set(parts(upload.id), `${number}`, toJson(part));
      if (old !== undefined) await store.deleteBlob(old.blob);
      return part;
    },

    /** The bytes of parts, one after the other. */
    async *read(chosen: readonly Part[]): AsyncGenerator<Uint8Array> {
      for (const part of chosen) yield* store.readBlob(part.blob);
    },

    /** Ends an upload and forgets its parts; with an ETag it was completed. */
    async end(upload: Upload, etag?: string): Promise<void> {
      if (etag === undefined) store.delete(uploads, upload.id);
      else store.set(uploads, upload.id, toJson({ ...upload, completed: etag }));
      for (const [number, document] of store.list(parts(upload.id))) {
        store.delete(parts(upload.id), number);
        await store.deleteBlob((document as unknown as Part).blob);
      }
    },
  };
}

/** Uploads in parts. */
export type Uploads = ReturnType<typeof createUploads>;
