/**
 * The bodies of requests, as handlers read them, and of answers, as clients do. That of an S3 request
 * is unframed, with its signatures, digests and size verified.
 */
import {
  awsChunkedDecoder,
  type AwsChunkedOptions,
  createAwsChunkedDecoder,
  decodedLength,
  isAwsChunked,
} from "../codecs/aws_chunked.ts";
import {
  createDigestTap,
  type DeclaredDigest,
  declaredDigests,
  type DigestTap,
} from "../codecs/checksums.ts";
import { chunkSigningForm, verifyChunkSignatures } from "../codecs/chunk_signatures.ts";
import { Failure } from "../codecs/failure.ts";
import { countLines } from "../codecs/line_count.ts";
import { verifiedBytes, type VerifiedStream, verifiedStream } from "../codecs/verified_stream.ts";
import { bounds } from "../runtime/bounds.ts";
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import {
  type Pace,
  type PacedBody,
  pacedBody,
  paceOf,
  readPaced,
  type Slowness,
} from "../runtime/pace.ts";
import type { Audit, Context, Principal } from "./context.ts";

/** A body of up to so many bytes is read whole before anything is done with it. */
const smallBytes = 64 * 1024;

/** A request's body is read under these. */
export interface BodyDeps {
  /** How long a body may stand still; 0: for ever, and as slow as its client likes. */
  readonly idleMilliseconds: number;
}

/**
 * The body, limited in how slow it may be and counted for the audit; null where there is none.
 *
 * @param wholeMilliseconds How long the client may take over the whole of it.
 */
export function requestBody(
  { body }: Request,
  audit: Audit,
  deps: BodyDeps,
  wholeMilliseconds?: number,
): ReadableStream<Uint8Array> | null {
  return body && pacedBody(body, pacing(audit, deps, wholeMilliseconds));
}

function pacing(
  audit: Audit,
  { idleMilliseconds }: BodyDeps,
  wholeMilliseconds: number = bounds.bodyMilliseconds,
): PacedBody {
  const pace = paceOf(idleMilliseconds, wholeMilliseconds);
  return {
    count: (bytes) => (audit.bytesIn += bytes),
    ...(idleMilliseconds > 0 && { sender: { pace, failure: (why) => tooSlow(pace, why) } }),
  };
}

/** Limits how slowly a client may read an answer; its connection breaks where it is slower. */
export function answerBody(
  body: ReadableStream<Uint8Array>,
  { idleMilliseconds }: BodyDeps,
): ReadableStream<Uint8Array> {
  if (idleMilliseconds === 0) return body;
  const pace = paceOf(idleMilliseconds * bounds.readerIdleFactor);
  return pacedBody(body, {
    reader: {
      pace,
      failure: () => new Failure("unavailable", "The client read its answer too slowly"),
    },
  });
}

function tooSlow({ idleMilliseconds, wholeMilliseconds }: Pace, why: Slowness): Failure {
  const sentences: Readonly<Record<Slowness, string>> = {
    still:
      `No byte of the body came for ${idleMilliseconds / 1000} seconds. Send it again without ` +
      "a pause",
    slow:
      `The body came at fewer than ${bounds.leastBytesPerSecond} bytes a second. Send it again, ` +
      "and faster",
    long: `The body was not there after ${wholeMilliseconds / 1000} seconds. Send it again, and ` +
      "faster",
  };
  return new Failure("invalid", sentences[why], { s3: "RequestTimeout" });
}

/** The whole time of a control call's body: no less than it may stand still. */
function controlTime({ idleMilliseconds }: BodyDeps): number {
  return Math.max(idleMilliseconds, bounds.controlBodyMilliseconds);
}

/** Makes what reads the whole body of a control call, once. Throws `invalid` where it is too large. */
export function controlBody(
  request: Request,
  audit: Audit,
  deps: BodyDeps,
): () => Promise<Uint8Array<ArrayBuffer>> {
  let reading: Promise<Uint8Array<ArrayBuffer>> | undefined;
  return () => reading ??= readControl(request, audit, deps, bounds.controlBytes);
}

/** Reads the whole body of a control call. Throws `invalid` where it is too large or too slow. */
export async function readControl(
  request: Request,
  audit: Audit,
  deps: BodyDeps,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const gathered = new ByteBuffer(maxBytes);
  if (request.body === null) return gathered.take();
  await readPaced(request.body, pacing(audit, deps, controlTime(deps)), (chunk) => {
    if (!gathered.append(chunk)) {
      throw tooLong(maxBytes, `The request's body is larger than ${maxBytes} bytes`);
    }
  });
  return gathered.take();
}

/** Makes the failure of a control call whose body is too long. */
export function tooLong(maxBytes: number, sentence: string): Failure {
  return new Failure("invalid", sentence, {
    s3: "MaxMessageLengthExceeded",
    fields: { MaxMessageLengthBytes: `${maxBytes}` },
  });
}

/** An S3 request, as far as its body is read by it. */
interface S3Sender extends Pick<Context, "request" | "audit"> {
  readonly principal: Pick<Principal, "chunkSigning" | "bodySha256">;
  /** The request's, and those that a presigned link holds in its query. */
  readonly headers: Headers;
  readonly deps: BodyDeps;
}

/** A body with what was found right about it: in memory, or a stream. */
export interface OpenedBody
  extends Pick<VerifiedStream, "checksums" | "md5" | "isGivenOut" | "records"> {
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
}

/**
 * Opens an S3 request's body, decoded. One of up to 64 KiB is read whole, and throws what is wrong
 * with it; the length, digests and signatures of a larger one are verified on its way, and from here
 * on the caller reads or cancels it.
 *
 * @param bytes What it has once decoded.
 */
export async function openBody(
  sender: S3Sender,
  bytes: number,
  digests: readonly DeclaredDigest[],
): Promise<OpenedBody> {
  const tap = await createDigestTap(digests);
  if (bytes > smallBytes) {
    const body = decodedBody(sender, bytes, tap);
    const { stream, ...found } = verifiedStream(body, { length: bytes, tap });
    return { body: stream, ...found };
  }
  const whole = await readDecoded(sender, bytes, tap);
  return {
    body: whole.bytes,
    checksums: () => whole.checksums,
    md5: () => tap.md5(),
    isGivenOut: () => true,
    records: () => countLines(whole.bytes),
  };
}

/** The body, to be read under a `verifiedStream` of the same length and tap. */
function decodedBody(
  { request, headers, audit, deps, principal }: S3Sender,
  bytes: number,
  tap: DigestTap,
): ReadableStream<Uint8Array> {
  const sent = requestBody(request, audit, deps) ?? emptyStream();
  if (!isAwsChunked(headers)) return sent;
  return sent.pipeThrough(awsChunkedDecoder(decoding(headers, principal, bytes, tap)));
}

/** Reads the whole body, decoded and verified. */
function readDecoded(
  { request: { body }, headers, audit, deps, principal }: S3Sender,
  bytes: number,
  tap: DigestTap,
  wholeMilliseconds?: number,
): ReturnType<typeof verifiedBytes> {
  const paced = pacing(audit, deps, wholeMilliseconds);
  const decoder = isAwsChunked(headers)
    ? createAwsChunkedDecoder(decoding(headers, principal, bytes, tap))
    : undefined;
  return verifiedBytes(async (take) => {
    if (body !== null) {
      await readPaced(body, paced, decoder ? (chunk) => decoder.write(chunk, take) : take);
    }
    decoder?.end();
  }, { length: bytes, tap });
}

function decoding(
  headers: Headers,
  { chunkSigning }: S3Sender["principal"],
  bytes: number,
  { trailer }: DigestTap,
): AwsChunkedOptions {
  const form = chunkSigningForm(headers);
  const watch = form && chunkSigning
    ? verifyChunkSignatures({ ...chunkSigning, ...form, onTrailer: trailer })
    : { onTrailer: trailer };
  return { decodedLength: bytes, ...watch };
}

/** The digests that a request declares for its body, that of a presigned link included. */
export function digestsOf(
  { headers, principal }: Pick<S3Sender, "headers" | "principal">,
): DeclaredDigest[] {
  if (principal.bodySha256 === undefined) return declaredDigests(headers);
  const all = new Headers(headers);
  all.set("x-amz-content-sha256", principal.bodySha256);
  return declaredDigests(all);
}

/** A stream without bytes. */
export function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}

/** The bytes that the body has once decoded. Throws `invalid` where the request does not say. */
export function lengthOf(headers: Headers): number {
  if (isAwsChunked(headers)) return decodedLength(headers);
  const text = headers.get("content-length");
  if (text !== null && /^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new Failure(
    "invalid",
    "The request has no Content-Length. Send the object's length in bytes",
    {
      s3: "MissingContentLength",
    },
  );
}

/**
 * Reads a whole body, decoded and with its digests verified; empty where there is none.
 *
 * @param maxBytes What the body may have; it is held in memory. Above it `invalid`,
 * MaxMessageLengthExceeded, is thrown before any byte is read.
 * @param digests What the body must have; all that the request declares where absent.
 */
export async function readDocument(
  sender: S3Sender,
  maxBytes: number,
  digests: readonly DeclaredDigest[] = digestsOf(sender),
): Promise<Uint8Array> {
  const { headers } = sender;
  const tap = await createDigestTap(digests);
  const length = documentLength(headers);
  if (length > maxBytes) {
    throw tooLong(maxBytes, `The request's body has ${length} bytes and may have ${maxBytes}`);
  }
  return (await readDecoded(sender, length, tap, controlTime(sender.deps))).bytes;
}

function documentLength(headers: Headers): number {
  if (isAwsChunked(headers)) return decodedLength(headers);
  const text = headers.get("content-length");
  if (text !== null && /^[0-9]{1,15}$/.test(text)) return Number(text);
  if (text === null && !headers.has("transfer-encoding")) return 0;
  throw new Failure("invalid", "The request has no Content-Length. Send its length in bytes", {
    s3: "MissingContentLength",
  });
}
