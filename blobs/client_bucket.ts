/**
 * A bucket of clients, behind a provider that forwards to S3: inputs of jobs are read there and
 * results written, with the gateway's own credentials.
 */
import { Failure } from "../codecs/failure.ts";
import { childrenNamed, childText } from "../codecs/xml_reader.ts";
import { encodeUri } from "../codecs/uri.ts";
import type { ForwardingProvider } from "../providers/provider.ts";
import { type BucketCalls, createBucketCalls, type Refusal } from "./bucket_calls.ts";
import { md5Of, putInParts } from "./bucket_parts.ts";
import { withPatience } from "./patience.ts";

/** Where a bucket is. */
export interface BucketAddress {
  readonly provider: ForwardingProvider;
  readonly bucket: string;
  /** The account that must own the bucket, twelve digits; any where absent. */
  readonly owner?: string | undefined;
  /** How long an answer, or the next bytes of one, are waited for; two minutes where absent. */
  readonly patienceMilliseconds?: number;
}

/** An object of a bucket. The body is read to its end or cancelled. */
export interface OpenedObject {
  readonly bytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly modifiedAt: number;
  readonly body: ReadableStream<Uint8Array>;
}

/** Bytes to be written as an object. */
export interface NewClientObject {
  readonly bytes: number;
  readonly contentType: string;
  /** The KMS key that S3 encrypts the object with; the bucket's own setting counts where absent. */
  readonly kmsKey?: string | undefined;
  /** Opens the bytes from the first on. */
  readonly open: () => Promise<ReadableStream<Uint8Array>>;
}

/** Requests to a client's bucket. Throws `unavailable` where S3 is down, `denied` where it refuses. */
export interface ClientBucket {
  /**
   * Opens an object; undefined where nothing is there.
   *
   * @param etag What the object must be: throws `precondition` for another one.
   */
  open(key: string, etag: string | undefined, signal: AbortSignal): Promise<
    OpenedObject | undefined
  >;
  /** Lists the keys below a prefix, in their byte order. */
  list(prefix: string, signal: AbortSignal): AsyncGenerator<string>;
  /**
   * Writes an object: it appears whole, or not at all. S3 compares the MD5 of each part, and the
   * length is verified afterwards. One writer at a time: uploads of the key that others began and did
   * not complete are given up.
   */
  write(key: string, object: NewClientObject, signal: AbortSignal): Promise<void>;
}

/** Opens a bucket; nothing is asked before the first call. */
export type OpenBucket = (place: BucketAddress) => ClientBucket;

/** Objects over this size are put in equal parts, none below S3's least of 5 MiB; one is in memory at a time. */
export const partBytes = 16 * 2 ** 20;
const defaultPatience = 120_000;
/** The most parts that S3 takes. */
const mostParts = 10_000;

/** Opens a bucket. */
export function createClientBucket(place: BucketAddress): ClientBucket {
  const { provider, bucket, owner, patienceMilliseconds = defaultPatience } = place;
  const calls = createBucketCalls({
    provider: withPatience(provider, patienceMilliseconds),
    bucket,
    prefix: "",
    failure: (refusal) => failureOf(place, refusal),
    ...(owner !== undefined && { headers: { "x-amz-expected-bucket-owner": owner } }),
  });
  return {
    async open(key, etag, signal) {
      const headers = etag === undefined ? {} : { "if-match": `"${etag}"` };
      const answer = await calls.find("GET", key, signal, { headers });
      if (!answer) return undefined;
      const length = answer.headers.get("content-length");
      const found = (answer.headers.get("etag") ?? "").replaceAll('"', "");
      // S3 sends both with every object; a page of something in between has neither.
      if (length === null || found === "" || etag !== undefined && found !== etag) {
        await answer.body?.cancel();
        throw new Failure(
          "unavailable",
          `The bucket ${bucket} at ${provider.name} did not answer as S3 does`,
        );
      }
      return {
        bytes: Number(length),
        etag: found,
        modifiedAt: Date.parse(answer.headers.get("last-modified") ?? "") || 0,
        body: answer.body ?? new Blob([]).stream(),
      };
    },
    async *list(prefix, signal) {
      for await (const { name } of calls.list(prefix, signal)) yield name;
    },
    write: (key, object, signal) => write(calls, key, object, signal),
  };
}

async function write(
  calls: BucketCalls,
  key: string,
  { bytes, contentType, kmsKey, open }: NewClientObject,
  signal: AbortSignal,
): Promise<void> {
  const headers = {
    "content-type": contentType,
    ...(kmsKey !== undefined && {
      "x-amz-server-side-encryption": "aws:kms",
      "x-amz-server-side-encryption-aws-kms-key-id": kmsKey,
    }),
  };
  if (bytes > partBytes) {
    await abortUploads(calls, key, signal);
    const maxPartBytes = Math.max(partBytes, Math.ceil(bytes / mostParts));
    await putInParts(calls, key, { bytes, body: await open() }, {
      maxPartBytes,
      headers,
      compare: true,
    }, signal);
  } else {
    const whole = new Uint8Array(await new Response(await open()).arrayBuffer());
    const answer = await calls.send("PUT", key, signal, {
      headers: { ...headers, "content-length": `${whole.length}`, "content-md5": md5Of(whole) },
      body: whole,
    });
    await answer.body?.cancel();
  }
  const written = await calls.find("HEAD", key, signal);
  await written?.body?.cancel();
  if (Number(written?.headers.get("content-length") ?? -1) === bytes) return;
  throw new Failure("unavailable", "The bucket does not hold the bytes that were written");
}

/** Gives up what a process that died has left. */
async function abortUploads(calls: BucketCalls, key: string, signal: AbortSignal): Promise<void> {
  const query = `uploads=&prefix=${encodeUri(key, false)}`;
  const page = await calls.sendForXml("GET", "", "ListMultipartUploadsResult", signal, { query });
  for (const upload of childrenNamed(page, "Upload")) {
    if (childText(upload, "Key") !== key) continue;
    const id = encodeURIComponent(childText(upload, "UploadId") ?? "");
    const answer = await calls.find("DELETE", key, signal, { query: `uploadId=${id}` });
    await answer?.body?.cancel();
  }
}

function failureOf({ provider, bucket }: BucketAddress, { method, status, code }: Refusal) {
  if (status === 412) {
    return new Failure("precondition", `The object in the bucket ${bucket} has changed`);
  }
  const said = `${status}${code === undefined ? "" : ` ${code}`}`;
  if (status >= 500 || status === 429 || status === 408) {
    return new Failure("unavailable", `The bucket ${bucket} at ${provider.name} answered ${said}`);
  }
  const right = method === "GET" || method === "HEAD" ? "read" : "write to";
  return new Failure(
    "denied",
    `The bucket ${bucket} at ${provider.name} answered ${said} to the gateway. Let the gateway's ` +
      `credentials ${right} it, and check its name, region and owner`,
  );
}
