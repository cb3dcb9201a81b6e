/** The body of an S3 request: unframed, with its signatures, digests and size verified. */
import { awsChunkedDecoder, decodedLength, isAwsChunked } from "../../codecs/aws_chunked.ts";
import {
  createDigestTap,
  type DeclaredDigest,
  declaredDigests,
  type DigestTap,
} from "../../codecs/checksums.ts";
import { chunkSigningForm, verifyChunkSignatures } from "../../codecs/chunk_signatures.ts";
import { Failure } from "../../codecs/failure.ts";
import { type VerifiedStream, verifiedStream } from "../../codecs/verified_stream.ts";
import { controlTime, requestBody, tooLong } from "../request_body.ts";
import type { S3Request } from "./handler.ts";

/** S3's limit of a part. */
const maxPartBytes = 5 * 2 ** 30;

/**
 * The body, to be read under a `verifiedStream` of the same length and tap.
 *
 * @param bytes What it has once decoded.
 * @param wholeMilliseconds How long the client may take over it; as for any data where absent.
 */
export function decodedBody(
  { request, headers, audit, deps, principal }: S3Request,
  bytes: number,
  { trailer }: DigestTap,
  wholeMilliseconds?: number,
): ReadableStream<Uint8Array> {
  const sent = requestBody(request, audit, deps, wholeMilliseconds) ?? emptyStream();
  if (!isAwsChunked(headers)) return sent;
  const form = chunkSigningForm(headers);
  const signing = form && principal.chunkSigning;
  const watch = signing
    ? verifyChunkSignatures({ ...signing, ...form, onTrailer: trailer })
    : { onTrailer: trailer };
  return sent.pipeThrough(awsChunkedDecoder({ decodedLength: bytes, ...watch }));
}

/** The digests that a request declares for its body, that of a presigned link included. */
export function digestsOf({ headers, principal }: S3Request): DeclaredDigest[] {
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
 * Opens the body, decoded, with its length and digests verified on the way. From here on the caller
 * reads or cancels it.
 */
export async function openBody(
  request: S3Request,
  bytes: number,
  digests: readonly DeclaredDigest[],
): Promise<VerifiedStream> {
  const tap = await createDigestTap(digests);
  return verifiedStream(decodedBody(request, bytes, tap), { length: bytes, tap });
}

/**
 * Reads a whole body, decoded and with its digests verified; empty where there is none.
 *
 * @param maxBytes What the body may have; it is held in memory. Above it `invalid`,
 * MaxMessageLengthExceeded, is thrown before any byte is read.
 * @param digests What the body must have; all that the request declares where absent.
 */
export async function readDocument(
  request: S3Request,
  maxBytes: number,
  digests: readonly DeclaredDigest[] = digestsOf(request),
): Promise<Uint8Array> {
  const { headers } = request;
  const tap = await createDigestTap(digests);
  const length = documentLength(headers);
  if (length > maxBytes) {
    throw tooLong(maxBytes, `The request's body has ${length} bytes and may have ${maxBytes}`);
  }
  const body = decodedBody(request, length, tap, controlTime(request.deps));
  const { stream } = verifiedStream(body, { length, tap });
  const document = new Uint8Array(length);
  let at = 0;
  for await (const chunk of stream) {
    document.set(chunk, at);
    at += chunk.byteLength;
  }
  return document;
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

/** Throws `too-large`, EntityTooLarge, for more bytes than the operator allows. */
export function checkObjectSize(bytes: number, maxBodyBytes: number): void {
  checkSize(
    bytes,
    maxBodyBytes,
    (limit) => `The object is larger than ${limit} bytes, the gateway's limit`,
  );
}

/** Throws `too-large` for a part that is larger than S3, or this gateway, allows. */
export function checkPartSize(bytes: number, maxBodyBytes: number): void {
  checkSize(
    bytes,
    Math.min(maxPartBytes, maxBodyBytes),
    (limit) => `The part has ${bytes} bytes, and a part may have ${limit}`,
  );
}

function checkSize(bytes: number, limit: number, sentence: (limit: number) => string): void {
  if (bytes <= limit) return;
  throw new Failure("too-large", sentence(limit), {
    fields: { ProposedSize: `${bytes}`, MaxSizeAllowed: `${limit}` },
  });
}
