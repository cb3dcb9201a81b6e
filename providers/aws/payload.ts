/** The body of a request, and what its signature covers. */
import { awsChunkedDecoder, decodedLength, stripAwsChunked } from "../../codecs/aws_chunked.ts";
import { chunkSigningForm, verifyChunkSignatures } from "../../codecs/chunk_signatures.ts";
import { createDigestTap, declaredDigests } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { sha256Hex, unsignedPayload } from "../../codecs/sigv4.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";
import { readWhole } from "../body.ts";
import type { ForwardRequest } from "../provider.ts";
import type { HeaderFields } from "./headers.ts";
import { framedLength, frameUnsignedChunks } from "./unsigned_chunks.ts";

/** A body ready to be sent. */
export interface Payload {
  readonly body: ForwardRequest["body"];
  /** The value that the signature covers: a hash, or the S3 word for not covering the body. */
  readonly hash: string;
  /** The very body that came in: Deno's fetch then keeps its framing and its speed. */
  readonly untouched: boolean;
  /** The body's exact length; undefined where the client did not send it. */
  readonly bytes: number | undefined;
}

const unsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const maxControlBytes = 1024 * 1024;

/**
 * Prepares a request's body.
 *
 * A payload hash that does not depend on the client's key stays as it is, and the body is not
 * touched. Chunks that are signed with the client's key are decoded: AWS could not verify them. The
 * checksum in their trailer, if there is one, is verified here and sent on as an unsigned trailer:
 * without it S3 would refuse the parts of a multipart upload that was begun with a checksum.
 *
 * @param headers The upstream's; those about the framing are changed to what is sent.
 * @param lengthNeeded Frame the body so that its length is known, where it came without one.
 */
export async function preparePayload(
  request: ForwardRequest,
  headers: HeaderFields,
  lengthNeeded: boolean,
): Promise<Payload> {
  const bytes = contentLength(request);
  if (request.service !== "s3") return await hashedPayload(request);
  const declared = request.headers.get("x-amz-content-sha256");
  if (declared?.startsWith("STREAMING-")) {
    if (declared === unsignedTrailer && (!lengthNeeded || bytes !== undefined)) {
      return { body: request.body, hash: declared, untouched: true, bytes };
    }
    return await reframed(request, headers, declared.endsWith("-TRAILER"));
  }
  return { body: request.body, hash: declaredHash(request, declared), untouched: true, bytes };
}

/** Control calls are small JSON; a service other than S3 must have its body signed. */
async function hashedPayload({ body }: ForwardRequest): Promise<Payload> {
  const whole = body instanceof ReadableStream
    ? await readWhole(body, maxControlBytes)
    : body ?? new Uint8Array();
  if (whole === undefined) {
    throw new Failure("too-large", "The request's body is over 1 MiB. Send a shorter one.");
  }
  return {
    body: body === null ? null : whole,
    hash: sha256Hex(whole),
    untouched: true,
    bytes: whole.byteLength,
  };
}

function declaredHash({ body }: ForwardRequest, declared: string | null): string {
  if (declared === null) {
    if (body instanceof ReadableStream) return unsignedPayload;
    return sha256Hex(body ?? new Uint8Array());
  }
  if (declared === unsignedPayload || /^[0-9a-f]{64}$/.test(declared)) return declared;
  throw new Failure(
    "invalid",
    "The x-amz-content-sha256 header must be UNSIGNED-PAYLOAD, a STREAMING- value or a SHA-256 " +
      "in lower-case hexadecimal.",
    { s3: "InvalidArgument" },
  );
}

async function reframed(
  request: ForwardRequest,
  headers: HeaderFields,
  hasTrailer: boolean,
): Promise<Payload> {
  const length = decodedLength(new Headers([...headers]));
  const trailers = hasTrailer ? trailerNames(headers) : [];
  const framed = trailers.length > 0 ? framedLength(length, trailers) : undefined;
  const body = request.body instanceof ReadableStream
    ? request.body
    : new Blob(request.body === null ? [] : [request.body]).stream();
  // Digests in headers go on with them and are verified upstream.
  const tap = await createDigestTap(
    declaredDigests(new Headers({ "x-amz-trailer": trailers.join(",") })),
  );
  const values = new Map<string, string>();
  const onTrailer = (name: string, value: string) => {
    values.set(name.toLowerCase(), value);
    tap.trailer(name, value);
  };
  const form = chunkSigningForm(request.headers);
  const watch = form && request.chunkSigning
    ? verifyChunkSignatures({ ...request.chunkSigning, ...form, onTrailer })
    : { onTrailer };
  const decoder = awsChunkedDecoder({ decodedLength: length, ...watch });
  const { stream } = verifiedStream(body.pipeThrough(decoder), { length, tap });
  if (framed === undefined) {
    headers.delete("x-amz-decoded-content-length");
    headers.delete("x-amz-trailer");
    const coding = stripAwsChunked(headers.get("content-encoding") ?? null);
    if (coding === undefined) headers.delete("content-encoding");
    else headers.set("content-encoding", coding);
    return { body: stream, hash: unsignedPayload, untouched: false, bytes: length };
  }
  return {
    body: stream.pipeThrough(
      frameUnsignedChunks(length, trailers, (name) => values.get(name)),
    ),
    hash: unsignedTrailer,
    untouched: false,
    bytes: framed,
  };
}

function trailerNames(headers: HeaderFields): string[] {
  const names = (headers.get("x-amz-trailer") ?? "").toLowerCase().split(",");
  return names.map((name) => name.trim()).filter((name) => name !== "");
}

function contentLength({ body, headers }: ForwardRequest): number | undefined {
  if (!(body instanceof ReadableStream)) return body?.byteLength ?? 0;
  return wholeNumber(headers.get("content-length"));
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
