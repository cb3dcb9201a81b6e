/** The body of a request that sends an object, or a part of one. */
import { decodedLength, isAwsChunked } from "../../codecs/aws_chunked.ts";
import { createDigestTap, type DeclaredDigest } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { type VerifiedStream, verifiedStream } from "../../codecs/verified_stream.ts";
import { decodedBody } from "./decoded_body.ts";
import type { S3Request } from "./handler.ts";

/** The bytes that the body has once decoded. Throws `invalid` where the request does not tell. */
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
