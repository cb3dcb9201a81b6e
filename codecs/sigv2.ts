/**
 * AWS Signature Version 2 in the query: the presigned URLs of boto3 (by default), awscli and s3cmd.
 *
 * What is signed is what botocore 1.44.5 signs (`HmacV1QueryAuth`), a string of one character a byte.
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { decodeKey, parseRawQuery } from "./uri.ts";

/** The SigV2 parameters of a presigned query. */
export interface PresignedV2 {
  readonly accessKeyId: string;
  /** Seconds since 1970; may be long past, or negative. */
  readonly expires: number;
  /** As it was sent: base64, if it is any. */
  readonly signature: string;
}

/** The pieces of a request that a SigV2 signature covers. */
export interface RequestPiecesV2 {
  readonly method: string;
  /**
   * `/bucket` or `/bucket/key` as it is on the wire, without the path of the endpoint and with the
   * bucket also where the host names it. Where there is no bucket, as in ListBuckets, the whole path
   * with that of the endpoint.
   */
  readonly resource: string;
  /** As it is on the wire, without `?`. */
  readonly query: string;
  readonly headers: Headers;
}

const ownNames: ReadonlySet<string> = new Set(["AWSAccessKeyId", "Signature", "Expires"]);

/** Parameters that are signed as a part of the resource. */
const subresources: ReadonlySet<string> = new Set([
  "accelerate",
  "acl",
  "analytics",
  "cors",
  "defaultObjectAcl",
  "delete",
  "inventory",
  "lifecycle",
  "location",
  "logging",
  "metrics",
  "notification",
  "object-lock",
  "partNumber",
  "policy",
  "replication",
  "requestPayment",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "restore",
  "select",
  "select-type",
  "storageClass",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
]);

/**
 * Parameters that SigV2 leaves unsigned, and that do no more than choose among the pages of a list
 * that the link opens anyway.
 */
const harmless: ReadonlySet<string> = new Set([
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "key-marker",
  "list-type",
  "marker",
  "max-keys",
  "max-parts",
  "max-uploads",
  "part-number-marker",
  "prefix",
  "start-after",
  "upload-id-marker",
  "version-id-marker",
  "x-id",
]);

/**
 * Reads the SigV2 parameters of a presigned query; undefined where one is missing, repeated or
 * empty, or `Expires` is not an integer in its plain form. Whether it has expired is for the caller
 * to say.
 *
 * @param query As {@linkcode parseRawQuery} gives it.
 */
export function parsePresignedV2(
  query: readonly (readonly [string, string])[],
): PresignedV2 | undefined {
  const value = (name: string) => {
    const values = query.filter((pair) => pair[0] === name);
    return values.length === 1 ? values[0]?.[1] : undefined;
  };
  const accessKeyId = value("AWSAccessKeyId");
  const signature = value("Signature");
  const expires = value("Expires");
  if (!accessKeyId || !signature || expires === undefined) return undefined;
  // The number is signed as text, so it may have one spelling only.
  if (!/^(?:0|-?[1-9]\d{0,14})$/.test(expires)) return undefined;
  return { accessKeyId, expires: Number(expires), signature };
}

/**
 * Names in the query of a SigV2 request that its signature does not cover and that are more than a
 * page of a list, in their order: a holder of the link could have added them, so a request with any
 * is to be refused. `?attributes`, which botocore sends and does not sign, is one of them.
 *
 * @param query As {@linkcode parseRawQuery} gives it.
 */
export function unsignedParametersV2(query: readonly (readonly [string, string])[]): string[] {
  return query.map(([name]) => name).filter((name) =>
    !ownNames.has(name) && !subresources.has(name) && !harmless.has(name) && !isMoved(name)
  );
}

/**
 * Returns whether a request bears the SigV2 signature that this secret makes; compared in constant
 * time. False also where a header and the parameter that botocore moved it to differ, or where such
 * a parameter is repeated.
 *
 * Left to the caller: whether it has expired, and {@linkcode unsignedParametersV2}.
 *
 * @throws Failure invalid (InvalidArgument) where the query has a broken escape.
 */
export function verifySignatureV2(
  request: RequestPiecesV2,
  claimed: PresignedV2,
  secretAccessKey: string,
): boolean {
  const signed = signedHeaders(request);
  if (signed === undefined) return false;
  const custom = [...signed].filter(([name]) => name.startsWith("x-amz-"))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, value]) => `${name}:${value}\n`);
  const head = [
    request.method.toUpperCase(),
    signed.get("content-md5") ?? "",
    signed.get("content-type") ?? "",
    `${claimed.expires}`,
    custom.join(""),
  ].join("\n");
  const given = Buffer.from(claimed.signature);
  const parameters = signedParameters(request.query);
  let right = false;
  for (const resource of spellings(request.resource)) {
    const text = head + bytesOf(resource) + parameters;
    const own = Buffer.from(
      createHmac("sha1", secretAccessKey).update(text, "latin1").digest("base64"),
    );
    right = own.length === given.length && timingSafeEqual(own, given) || right;
  }
  return right;
}

/** botocore signs a bucket as `/bucket/` and sends `/bucket`; others sign what they send. */
function spellings(resource: string): string[] {
  return /^\/[^/]+$/.test(resource) ? [resource, `${resource}/`] : [resource || "/"];
}

/**
 * The headers that are signed, from the headers themselves and from the parameters that botocore
 * makes of them once it has signed; undefined where they contradict each other.
 */
function signedHeaders({ query, headers }: RequestPiecesV2): Map<string, string> | undefined {
  const signed = new Map<string, string>();
  for (const [parameter, text] of parseRawQuery(query)) {
    if (!isMoved(parameter)) continue;
    const name = parameter.toLowerCase();
    if (signed.has(name)) return undefined;
    signed.set(name, bytesOf(text).trim());
  }
  for (const [name, value] of headers) {
    if (!isMoved(name)) continue;
    if ((signed.get(name) ?? value) !== value) return undefined;
    signed.set(name, value);
  }
  return signed;
}

/**
 * Returns whether it is the name of a header that is signed, and that botocore moves to the query.
 */
function isMoved(name: string): boolean {
  return /^(?:x-amz-.*|content-type|content-md5)$/i.test(name);
}

/**
 * The part of the query that is signed, with its question mark: sorted by name, values decoded, and
 * a flag without an equals sign left so.
 */
function signedParameters(query: string): string {
  const pairs: [name: string, text: string][] = [];
  for (const piece of query.split("&")) {
    const equals = piece.indexOf("=");
    const name = decodeKey(equals < 0 ? piece : piece.slice(0, equals)) ?? "";
    if (!subresources.has(name)) continue;
    // A broken escape was found when the query was parsed.
    const value = equals < 0 ? "" : `=${decodeKey(piece.slice(equals + 1)) ?? ""}`;
    pairs.push([name, bytesOf(name + value)]);
  }
  pairs.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return pairs.length === 0 ? "" : `?${pairs.map(([, text]) => text).join("&")}`;
}

/** Text as one character a byte of its UTF-8. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}
