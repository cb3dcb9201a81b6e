/** Blobs in a bucket of S3, through a provider that forwards there. */
import { Buffer } from "node:buffer";
import { chunkStream } from "../runtime/chunk_stream.ts";
import { createDisk, type Disk } from "../runtime/disk.ts";
import { Failure } from "../codecs/failure.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import { createBucketCalls } from "./bucket_calls.ts";
import { putInParts } from "./bucket_parts.ts";
import { chunksOf, damaged, notKept, wrongLength } from "./draft_file.ts";
import type { NamelessFile } from "../runtime/memory_file.ts";
import { openNameless, writeAll } from "../runtime/files.ts";
import type { BlobDraft, BlobFacts, BlobStore, NewBlob, StoredBlob } from "./store.ts";

/** Where the bucket is, and what a store in it needs. */
export interface BucketStoreOptions {
  readonly provider: ForwardingProvider;
  readonly bucket: string;
  /** Before every name; empty, or ends in a slash. */
  readonly prefix: string;
  /** Folder of drafts; the system's for temporary files where absent. */
  readonly folder?: string;
  /** The disk of drafts; one without a log where absent. */
  readonly disk?: Disk;
  /** The most that is sent in one put; what S3 takes where absent. */
  readonly maxPutBytes?: number;
}

/** The most that S3 takes in one put. */
const s3PutBytes = 5 * 2 ** 30;

/** Makes a store in a bucket. Bodies of known length pass through without a disk. */
export function createBucketStore(options: BucketStoreOptions): BlobStore {
  const { folder, disk = createDisk("blobs"), maxPutBytes = s3PutBytes } = options;
  const calls = createBucketCalls(options);

  async function put(name: string, blob: NewBlob, signal: AbortSignal): Promise<void> {
    if (blob.bytes > maxPutBytes) {
      return await putInParts(calls, name, blob, { maxPartBytes: maxPutBytes }, signal);
    }
    const { bytes, body } = blob;
    // Whether an empty body is right is known once it has ended.
    if (bytes === 0) await readEmpty(body);
    const answer = await calls.send("PUT", name, signal, {
      headers: { "content-length": `${bytes}`, "content-type": "application/octet-stream" },
      body: bytes === 0 ? new Uint8Array() : body,
    });
    await answer.body?.cancel();
    if (isOther(answer.headers, blob.md5?.())) {
      await remove(name, signal);
      throw damaged("are not those that were sent to its bucket");
    }
  }

  async function keep(
    file: NamelessFile,
    name: string,
    { bytes, sha256 }: BlobFacts,
    signal: AbortSignal,
  ): Promise<void> {
    if (bytes > s3PutBytes) {
      throw new Failure("too-large", "The bytes are over 5 GiB, the most that S3 takes at once");
    }
    const answer = await calls.send("PUT", name, signal, {
      headers: {
        "content-length": `${bytes}`,
        "content-type": "application/octet-stream",
        // S3 compares both with what it got, and keeps nothing that is different.
        "x-amz-content-sha256": sha256,
        "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64"),
      },
      // The draft closes the file.
      body: chunkStream(chunksOf(file, 0, bytes), () => {}),
    });
    await answer.body?.cancel();
    if ((await head(name, signal))?.bytes !== bytes) {
      throw new Failure("unavailable", "The gateway's bucket holds fewer bytes than were put");
    }
  }

  async function draft(): Promise<BlobDraft> {
    const file = await disk.write(() => openNameless("batchway-draft-", folder));
    let isOpen = true;
    return {
      write: (bytes) => disk.write(() => writeAll(file, bytes)),
      keep: (name, facts, signal) => keep(file, name, facts, signal),
      discard() {
        if (isOpen) file.close();
        isOpen = false;
        return Promise.resolve();
      },
    };
  }

  async function head(name: string, signal: AbortSignal): Promise<StoredBlob | undefined> {
    const answer = await calls.find("HEAD", name, signal);
    if (!answer) return undefined;
    await answer.body?.cancel();
    const { headers } = answer;
    const bytes = Number(headers.get("content-length"));
    return { name, bytes, modifiedAt: Date.parse(headers.get("last-modified") ?? "") || 0 };
  }

  async function remove(name: string, signal: AbortSignal): Promise<void> {
    await (await calls.find("DELETE", name, signal))?.body?.cancel();
  }

  return {
    put,
    draft,
    head,
    remove,
    list: calls.list,
    async open(name, { first, last }, signal) {
      const headers = { range: `bytes=${first}-${last ?? ""}` };
      const answer = await calls.find("GET", name, signal, { headers });
      if (!answer) throw notKept();
      return answer.body ?? new Blob([]).stream();
    },
  };
}

async function readEmpty(body: ReadableStream<Uint8Array>): Promise<void> {
  for await (const { byteLength } of body) if (byteLength > 0) throw wrongLength(0);
}

/**
 * Returns whether S3 has computed another MD5 than we have. With a KMS key, its ETag is not an MD5.
 */
function isOther(headers: Headers, md5: string | undefined): boolean {
  const etag = headers.get("etag")?.replaceAll('"', "") ?? "";
  const isMd5 = /^[0-9a-f]{32}$/.test(etag) &&
    !headers.get("x-amz-server-side-encryption")?.startsWith("aws:kms");
  return isMd5 && /^[0-9a-f]{32}$/.test(md5 ?? "") && etag !== md5;
}
