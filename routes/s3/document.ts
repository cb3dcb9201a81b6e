/** XML documents that come in as bodies. */
import { decodedLength, isAwsChunked } from "../../codecs/aws_chunked.ts";
import { createDigestTap, type DeclaredDigest } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";
import { controlTime } from "../request_body.ts";
import { decodedBody, digestsOf } from "./decoded_body.ts";
import type { S3Request } from "./handler.ts";

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
  const length = lengthOf(headers);
  if (length > maxBytes) {
    throw new Failure(
      "invalid",
      `The request's body has ${length} bytes and may have ${maxBytes}`,
      { s3: "MaxMessageLengthExceeded", fields: { MaxMessageLengthBytes: `${maxBytes}` } },
    );
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

function lengthOf(headers: Headers): number {
  if (isAwsChunked(headers)) return decodedLength(headers);
  const text = headers.get("content-length");
  if (text !== null && /^[0-9]{1,15}$/.test(text)) return Number(text);
  if (text === null && !headers.has("transfer-encoding")) return 0;
  throw new Failure("invalid", "The request has no Content-Length. Send its length in bytes", {
    s3: "MissingContentLength",
  });
}
