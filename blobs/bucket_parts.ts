/** Puts a blob that is too large for one put of S3's, as one of S3's uploads in parts. */
import { createHash } from "node:crypto";
import { chunkStream } from "../runtime/chunk_stream.ts";
import { childText } from "../codecs/xml_reader.ts";
import type { BucketCalls } from "./bucket_calls.ts";
import { wrongLength } from "./draft_file.ts";
import type { NewBlob } from "./store.ts";

/** Milliseconds that giving up may take. */
const cleanupMilliseconds = 30_000;
/** How often it is tried: what is left of an upload is billed, and is seen only in the bucket's own lists. */
const cleanupTries = 3;

/** How a blob is put in parts. */
export interface PartsOptions {
  readonly maxPartBytes: number;
  /** Sent as the upload begins. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether each part is held in memory, so that S3 can compare its MD5 with what it got. */
  readonly compare?: boolean;
}

/**
 * Puts a blob in parts of equal size, one after the other, in constant memory. Nothing is under the
 * name before all of them are there; where one fails, they are given up.
 */
export async function putInParts(
  calls: BucketCalls,
  name: string,
  { bytes, body }: NewBlob,
  { maxPartBytes, headers, compare = false }: PartsOptions,
  signal: AbortSignal,
): Promise<void> {
  const source = cutter(body);
  try {
    const begun = await calls.sendForXml("POST", name, "InitiateMultipartUploadResult", signal, {
      query: "uploads=",
      headers: { "content-type": "application/octet-stream", ...headers },
    });
    const upload = `uploadId=${encodeURIComponent(childText(begun, "UploadId") ?? "")}`;
    try {
      const whole = { source, bytes, maxPartBytes, compare };
      const etags = await putParts(calls, name, upload, whole, signal);
      await complete(calls, name, upload, etags, signal);
    } catch (error) {
      await giveUp(calls, name, upload);
      throw error;
    }
  } finally {
    await source.end();
  }
}

/** Gives an upload up. What stays is for the next writing of its name, or the bucket's lifecycle rules. */
async function giveUp(calls: BucketCalls, name: string, upload: string): Promise<void> {
  const late = AbortSignal.timeout(cleanupMilliseconds);
  for (let tries = 0; tries < cleanupTries && !late.aborted; tries++) {
    try {
      const answer = await calls.find("DELETE", name, late, { query: upload });
      await answer?.body?.cancel();
      // With 200 something else may have answered.
      if (!answer || answer.status === 204) return;
    } catch {
      // The error that came first is the one to report.
    }
  }
}

/** What the parts are cut from. */
interface Whole {
  readonly source: Cutter;
  readonly bytes: number;
  readonly maxPartBytes: number;
  readonly compare: boolean;
}

/** Puts all parts; their ETags in their order. */
async function putParts(
  calls: BucketCalls,
  name: string,
  upload: string,
  { source, bytes, maxPartBytes, compare }: Whole,
  signal: AbortSignal,
): Promise<string[]> {
  const etags: string[] = [];
  const count = Math.ceil(bytes / maxPartBytes);
  const partBytes = Math.ceil(bytes / count);
  for (let left = bytes; left > 0;) {
    const size = Math.min(left, partBytes);
    const held = compare ? await gathered(source.take(size), size) : undefined;
    const answer = await calls.send("PUT", name, signal, {
      query: `partNumber=${etags.length + 1}&${upload}`,
      headers: { "content-length": `${size}`, ...(held && { "content-md5": md5Of(held) }) },
      body: held ?? chunkStream(source.take(size), () => {}),
    });
    await answer.body?.cancel();
    etags.push(answer.headers.get("etag") ?? "");
    left -= size;
  }
  if (!await source.isAtEnd()) throw wrongLength(bytes);
  return etags;
}

/** The MD5 of bytes, as the header Content-MD5 has it. */
export function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("base64");
}

async function gathered(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for await (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

async function complete(
  calls: BucketCalls,
  name: string,
  upload: string,
  etags: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const parts = etags.map((etag, at) =>
    `<Part><PartNumber>${at + 1}</PartNumber><ETag>${etag.replaceAll('"', "&quot;")}</ETag></Part>`
  );
  const body = new TextEncoder().encode(
    `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`,
  );
  // S3 may answer 200 and only then say that it failed: the document decides.
  await calls.sendForXml("POST", name, "CompleteMultipartUploadResult", signal, {
    query: upload,
    headers: { "content-type": "application/xml", "content-length": `${body.byteLength}` },
    body,
  });
}

/** A body that is read in pieces of given sizes. */
interface Cutter {
  /** Yields the next bytes. Throws where there are fewer. */
  take(bytes: number): AsyncGenerator<Uint8Array>;
  isAtEnd(): Promise<boolean>;
  /** Cancels what is left of the body. */
  end(): Promise<void>;
}

function cutter(body: ReadableStream<Uint8Array>): Cutter {
  const reader = body.getReader();
  let rest: Uint8Array = new Uint8Array();
  return {
    async *take(bytes) {
      for (let left = bytes; left > 0;) {
        if (rest.byteLength === 0) {
          const { done, value } = await reader.read();
          if (done) throw wrongLength(bytes);
          rest = value;
        }
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.byteLength);
        left -= piece.byteLength;
        if (piece.byteLength > 0) yield piece;
      }
    },
    async isAtEnd() {
      return rest.byteLength === 0 && (await reader.read()).done;
    },
    async end() {
      await reader.cancel().catch(() => {});
      reader.releaseLock();
    },
  };
}
