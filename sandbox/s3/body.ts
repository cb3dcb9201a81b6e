/** Takes in what a client sends: unwrapped from aws-chunked, of the right length, digests verified. */
import { awsChunkedDecoder, isAwsChunked, stripAwsChunked } from "../../codecs/aws_chunked.ts";
import { createDigestTap, declaredDigests } from "../../codecs/checksums.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";
import type { SandboxRequest } from "../context.ts";
import { keptHeaders } from "./data.ts";
import { s3Failure } from "./errors.ts";

/** A body on its way in. */
export interface IncomingBody {
  /** Errors where the body is shorter or longer than declared, or a digest is wrong. */
  readonly stream: ReadableStream<Uint8Array>;
  /** Bytes that the stream will yield. */
  readonly length: number;
  /** `x-amz-checksum-*` headers to values; to be asked once the stream has ended. */
  readonly checksums: () => Readonly<Record<string, string>>;
}

/**
 * Opens a request's body.
 *
 * @throws {Failure} MissingContentLength, or what a malformed digest is called.
 */
export async function receiveBody({ headers, body }: SandboxRequest): Promise<IncomingBody> {
  const chunked = isAwsChunked(headers);
  const length = headers.get(chunked ? "x-amz-decoded-content-length" : "content-length");
  if (length === null || !/^\d{1,15}$/.test(length)) throw s3Failure("MissingContentLength");
  const decodedLength = Number(length);
  const tap = await createDigestTap(declaredDigests(headers));
  const raw = body ?? ReadableStream.from<Uint8Array>([]);
  const plain = chunked
    ? raw.pipeThrough(
      awsChunkedDecoder({
        decodedLength,
        onTrailer: (name: string, value: string) => tap.trailer(name, value),
      }),
    )
    : raw;
  const { stream, checksums } = verifiedStream(plain, { length: decodedLength, tap });
  return { stream, length: decodedLength, checksums };
}

/**
 * Reads a body that is a document.
 *
 * @throws {Failure} MalformedXML where it is longer than `maxBytes`.
 */
export async function receiveText(request: SandboxRequest, maxBytes: number): Promise<string> {
  const { stream, length } = await receiveBody(request);
  if (length > maxBytes) {
    await stream.cancel();
    throw s3Failure("MalformedXML");
  }
  return await new Response(stream).text();
}

const maxMetadataBytes = 2048;

/**
 * The headers to keep with an object.
 *
 * @throws {Failure} MetadataTooLarge.
 */
export function objectHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = { "content-type": "binary/octet-stream" };
  for (const name of keptHeaders) {
    const value = name === "content-encoding"
      ? stripAwsChunked(headers.get(name))
      : headers.get(name);
    if (value !== null && value !== undefined && value !== "") kept[name] = value;
  }
  let bytes = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith("x-amz-meta-")) continue;
    kept[name] = value;
    bytes += name.length - "x-amz-meta-".length + value.length;
  }
  if (bytes > maxMetadataBytes) {
    throw s3Failure("MetadataTooLarge", undefined, {
      Size: `${bytes}`,
      MaxSizeAllowed: `${maxMetadataBytes}`,
    });
  }
  return kept;
}
