/** Headers of an object in answers to GetObject and HeadObject. */
import type { ObjectEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { typeOfChecksum } from "../../codecs/object_checksum.ts";
import { countParts, type PlacedPart } from "../../codecs/object_parts.ts";
import type { S3Request } from "./handler.ts";

/** Query parameters that replace a header of the answer. */
const overrides: Readonly<Record<string, string>> = {
  "response-cache-control": "cache-control",
  "response-content-disposition": "content-disposition",
  "response-content-encoding": "content-encoding",
  "response-content-language": "content-language",
  "response-content-type": "content-type",
  "response-expires": "expires",
};

/** Headers by lower-case name: `Headers` costs more to fill, and is made from these in the end. */
export type HeaderFields = Record<string, string>;

/** ETag and Last-Modified, which a 304 has too. */
export function validators(record: ObjectEntry): HeaderFields {
  return {
    etag: `"${record.etag}"`,
    "last-modified": new Date(record.modifiedAt).toUTCString(),
  };
}

/** User metadata under which an object shows its provider file's id where its ETag does not. */
export const fileMetadata = "batchway-file";

/** The part of an object in an answer: all, some bytes, or one of the parts it was uploaded in. */
export type Extent = "whole" | "range" | PlacedPart;

/** All headers of an object's answer but those of a range. */
export function objectHeaders(
  { headers: requested, parameters }: S3Request,
  record: ObjectEntry,
  extent: Extent,
): HeaderFields {
  const headers: HeaderFields = {
    ...validators(record),
    "accept-ranges": "bytes",
    "content-type": record.contentType,
    ...record.headers,
  };
  for (const [name, value] of Object.entries(record.metadata)) {
    headers[`x-amz-meta-${name}`] = value;
  }
  // A file id that differs from the ETag is shown beside it.
  const { held, etag } = record;
  if (held.in === "provider" && held.file !== etag) {
    headers[`x-amz-meta-${fileMetadata}`] = held.file;
  }
  const wantsChecksums = requested.get("x-amz-checksum-mode")?.toUpperCase() === "ENABLED";
  if (wantsChecksums) {
    for (const [name, value] of Object.entries(checksumsOf(record, extent))) {
      headers[name] = value;
      headers["x-amz-checksum-type"] = typeOf(record);
    }
  }
  if (record.parts && typeof extent === "object") {
    headers["x-amz-mp-parts-count"] = `${countParts(record.parts)}`;
  }
  for (const [parameter, value] of parameters) {
    const name = Object.hasOwn(overrides, parameter) ? overrides[parameter] : undefined;
    if (name !== undefined && value !== "") headers[name] = headerValue(parameter, value);
  }
  return headers;
}

/** A checksum of the whole on a range of it makes boto3 refuse the answer (captured 2026-11). */
function checksumsOf(
  { checksums, parts }: ObjectEntry,
  extent: Extent,
): Readonly<Record<string, string>> {
  if (extent === "whole") return checksums;
  const header = parts?.checksums?.header;
  if (extent === "range" || header === undefined || extent.checksum === undefined) return {};
  return { [header]: extent.checksum };
}

/** The type of the object's checksum; a part's answer holds it, too (as S3's). */
function typeOf({ checksums }: ObjectEntry): string {
  return typeOfChecksum(Object.values(checksums)[0] ?? "");
}

/** A value from a query as a header: nothing in it may end the header. */
function headerValue(parameter: string, value: string): string {
  if (/^[\x20-\x7e\xa0-\xff]*$/.test(value)) return value;
  throw new Failure("invalid", `${parameter} has characters that no header can hold`, {
    s3: "InvalidArgument",
  });
}
