/** Headers of a request that makes an object, whichever operation it is. */
import type { WriteCondition } from "../../catalog/objects.ts";
import { stripAwsChunked } from "../../codecs/aws_chunked.ts";
import { Failure } from "../../codecs/failure.ts";
import { parseEntityTags } from "../../codecs/preconditions.ts";
import type { Description } from "../../objects/copy.ts";
import { fileMetadata } from "./object_headers.ts";

/** S3's Content-Type of an object that was put without one. */
const defaultContentType = "binary/octet-stream";
/** Headers that S3 keeps with an object, besides Content-Type and Content-Encoding. */
const keptHeaders = ["cache-control", "content-disposition", "content-language", "expires"];
/** S3's limit for names and values of user metadata together. */
const maxMetadataBytes = 2 * 1024;
/** S3's limit of a part. */
const maxPartBytes = 5 * 2 ** 30;
/** Room in a record of the catalog for Content-Type and the headers above. */
const maxHeaderBytes = 8 * 1024;

/**
 * Content-Type, the other headers that S3 keeps, and the user metadata. Throws `invalid`,
 * MetadataTooLarge, where there is too much of them.
 */
export function describe(headers: Headers): Description {
  return {
    contentType: headers.get("content-type") || defaultContentType,
    headers: headersOf(headers),
    metadata: metadataOf(headers),
  };
}

function metadataOf(headers: Headers): Record<string, string> {
  const prefix = "x-amz-meta-";
  const entries: [name: string, value: string][] = [];
  let size = 0;
  headers.forEach((value, name) => {
    // The gateway's own: a tool that copies metadata would keep the id of another file.
    if (!name.startsWith(prefix) || name === `${prefix}${fileMetadata}`) return;
    entries.push([name.slice(prefix.length), value]);
    size += name.length - prefix.length + value.length;
  });
  if (size > maxMetadataBytes) {
    throw new Failure(
      "invalid",
      `The user metadata has ${size} bytes and may have ${maxMetadataBytes}`,
      {
        s3: "MetadataTooLarge",
      },
    );
  }
  return Object.fromEntries(entries);
}

function headersOf(headers: Headers): Record<string, string> {
  const encoding = stripAwsChunked(headers.get("content-encoding"));
  const entries = keptHeaders.flatMap((name) => {
    const value = headers.get(name);
    return value === null || value === "" ? [] : [[name, value] as const];
  });
  if (encoding) entries.push(["content-encoding", encoding]);
  const type = headers.get("content-type") ?? "";
  const size = entries.reduce((sum, [, value]) => sum + value.length, type.length);
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

/**
 * Returns what must hold for a write: If-Match and If-None-Match. Amazon S3 takes no If-None-Match
 * of tags for a write (2026-11); it is RFC 9110's: the write happens unless the object is one of
 * these.
 */
export function conditionOf(headers: Headers): WriteCondition {
  const noneOf = parseEntityTags(headers.get("if-none-match"));
  const files = parseEntityTags(headers.get("if-match"));
  return {
    ...(noneOf && (noneOf.includes("*") ? { absent: true } : { notFiles: noneOf })),
    ...(files && { files: files.includes("*") ? [] : files }),
  };
}

/** Headers that must not be ignored: a lock that locks nothing, a key that encrypts nothing. */
const refusedHeaders: Readonly<Record<string, string>> = {
  "x-amz-object-lock-mode": "Objects cannot be locked",
  "x-amz-object-lock-retain-until-date": "Objects cannot be locked",
  "x-amz-object-lock-legal-hold": "Objects cannot be locked",
  "x-amz-server-side-encryption-customer-algorithm": "A key of the client's cannot encrypt objects",
  "x-amz-server-side-encryption-customer-key": "A key of the client's cannot encrypt objects",
};

/** Throws `unsupported` where a request that makes an object asks for more than is kept. */
export function refuseHeaders(headers: Headers): void {
  const refused = Object.keys(refusedHeaders).find((name) => headers.has(name));
  if (refused === undefined) return;
  throw new Failure(
    "unsupported",
    `${refusedHeaders[refused]} here. Send the request without ${refused}`,
  );
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
