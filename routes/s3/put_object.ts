/** PutObject. */
import type { WriteCondition } from "../../catalog/objects.ts";
import {
  awsChunkedDecoder,
  decodedLength,
  isAwsChunked,
  stripAwsChunked,
} from "../../codecs/aws_chunked.ts";
import { createDigestTap, declaredDigests } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { parseEntityTags } from "../../codecs/preconditions.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";
import { withIdleLimit } from "../../codecs/idle_limit.ts";
import type { S3Request } from "./handler.ts";

/** What S3 gives an object whose Content-Type nobody named. */
const defaultContentType = "binary/octet-stream";
/** Headers that S3 keeps with an object, besides Content-Type and Content-Encoding. */
const keptHeaders = ["cache-control", "content-disposition", "content-language", "expires"];
/** S3's limit for names and values of user metadata together. */
const maxMetadataBytes = 2 * 1024;
/** Room in a record of the catalog for the headers above. */
const maxHeaderBytes = 8 * 1024;

/** Stores an object: streamed, verified, recorded. */
export async function putObject(request: S3Request): Promise<Response> {
  const { deps, reach, bucket, key, audit, signal } = request;
  const { headers } = request.request;
  const bytes = lengthOf(headers);
  if (bytes > deps.maxBodyBytes) {
    throw new Failure(
      "too-large",
      `The object is larger than ${deps.maxBodyBytes} bytes, the gateway's limit`,
      {
        fields: { ProposedSize: `${bytes}`, MaxSizeAllowed: `${deps.maxBodyBytes}` },
      },
    );
  }
  const condition = conditionOf(headers);
  const metadata = metadataOf(headers);
  const kept = headersOf(headers);
  const tap = await createDigestTap(declaredDigests(headers));
  const sent = withIdleLimit(request.request.body ?? emptyStream(), deps.idleMilliseconds);
  const plain = isAwsChunked(headers)
    ? sent.pipeThrough(awsChunkedDecoder({ decodedLength: bytes, onTrailer: tap.trailer }))
    : sent;
  const { stream, checksums } = verifiedStream(plain, { length: bytes, tap });
  const stored = deps.objects.put(reach, {
    bucket,
    key,
    bytes,
    body: stream,
    checksums,
    contentType: headers.get("content-type") || defaultContentType,
    headers: kept,
    metadata,
    condition,
  }, signal);
  const record = await stored.catch(async (error: unknown) => {
    // Refused before the provider took the stream: an unread body would stall the client for good.
    if (!stream.locked) await stream.cancel(error);
    throw error;
  });
  audit.account = record.account;
  return new Response(null, {
    headers: {
      etag: `"${record.file}"`,
      ...record.checksums,
      ...(Object.keys(record.checksums).length > 0 && { "x-amz-checksum-type": "FULL_OBJECT" }),
    },
  });
}

function lengthOf(headers: Headers): number {
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

function metadataOf(headers: Headers): Record<string, string> {
  const prefix = "x-amz-meta-";
  const entries = [...headers].filter(([name]) => name.startsWith(prefix));
  const size = entries.reduce(
    (sum, [name, value]) => sum + name.length - prefix.length + value.length,
    0,
  );
  if (size > maxMetadataBytes) {
    throw new Failure(
      "invalid",
      `The user metadata has ${size} bytes and may have ${maxMetadataBytes}`,
      {
        s3: "MetadataTooLarge",
      },
    );
  }
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

function headersOf(headers: Headers): Record<string, string> {
  const encoding = stripAwsChunked(headers.get("content-encoding"));
  const entries = keptHeaders.flatMap((name) => {
    const value = headers.get(name);
    return value === null || value === "" ? [] : [[name, value] as const];
  });
  if (encoding) entries.push(["content-encoding", encoding]);
  const size = entries.reduce((sum, [, value]) => sum + value.length, 0);
  if (size > maxHeaderBytes) {
    throw new Failure(
      "invalid",
      `The headers kept with an object have more than ${maxHeaderBytes} bytes`,
      {
        s3: "MetadataTooLarge",
      },
    );
  }
  return Object.fromEntries(entries);
}

function conditionOf(headers: Headers): WriteCondition {
  const noneOf = parseEntityTags(headers.get("if-none-match"));
  if (noneOf && !noneOf.includes("*")) {
    throw new Failure("unsupported", "PutObject takes If-None-Match: * alone, as in S3", {
      s3: "NotImplemented",
    });
  }
  const files = parseEntityTags(headers.get("if-match"));
  return {
    ...(noneOf && { absent: true }),
    ...(files && { files: files.includes("*") ? [] : files }),
  };
}

function emptyStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
