/** The body of an S3 request as its bytes: unframed, with the signatures of its chunks verified. */
import { awsChunkedDecoder, isAwsChunked } from "../../codecs/aws_chunked.ts";
import { type DeclaredDigest, declaredDigests, type DigestTap } from "../../codecs/checksums.ts";
import { chunkSigningForm, verifyChunkSignatures } from "../../codecs/chunk_signatures.ts";
import { requestBody } from "../request_body.ts";
import type { S3Request } from "./handler.ts";

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
