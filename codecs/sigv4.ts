/**
 * AWS Signature Version 4: each step by itself, so that a failing vector says which one broke, then
 * signing and verifying made of the steps.
 *
 * A canonical request is a string of one character a byte: paths and queries are percent-encoded and
 * header values are latin1, as `Headers` holds them (Deno 2.9.6).
 */
import { Buffer } from "node:buffer";
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import {
  algorithm,
  type Authorization,
  formatTimestamp,
  type PresignedAuthorization,
  requestTimestamp,
  type Scope,
  scopeText,
} from "./sigv4_claims.ts";
import { decodeKey, encodeUri, parseRawQuery } from "./uri.ts";

export {
  type Authorization,
  type CredentialScope,
  formatTimestamp,
  parseAuthorization,
  parseCredential,
  parsePresigned,
  parseTimestamp,
  type PresignedAuthorization,
  requestTimestamp,
  type Scope,
  scopeText,
} from "./sigv4_claims.ts";

/** The payload hash of a request whose body is not covered by its signature. */
export const unsignedPayload = "UNSIGNED-PAYLOAD";

/** A key pair, with a token where it is a temporary one. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What signing needs of headers: `Headers` has it, and so has a map by lower-case name. */
export interface SignableHeaders {
  get(name: string): string | null | undefined;
  has(name: string): boolean;
  set(name: string, value: string): unknown;
  delete(name: string): unknown;
  keys(): Iterable<string>;
}

/** The pieces of a request that a signature covers. */
export interface RequestPieces {
  readonly method: string;
  /** As it is on the wire, with any prefix that the endpoint has. */
  readonly path: string;
  /** As it is on the wire, without `?`. */
  readonly query: string;
  /** Must hold `host`, which HTTP/2 requests lack: take it from the authority there. */
  readonly headers: Headers;
  /** The literal `x-amz-content-sha256` for S3; the hex SHA-256 of the body for other services. */
  readonly payloadHash: string;
}

/** Hex SHA-256 of bytes, or of a string with one character a byte. */
export function sha256Hex(data: Uint8Array | string): string {
  // In one go: a Hash object, which is a stream, costs nine times as much (Deno 2.9.6).
  return hash("sha256", typeof data === "string" ? Buffer.from(data, "latin1") : data, "hex");
}

/**
 * A raw path as it is signed. S3: each segment decoded and encoded again, so a path that AWS's rules
 * encoded stays as it is, and other spellings become what AWS makes of them. Other services: dot
 * segments and empty segments removed, then what is escaped already is escaped once more.
 */
export function canonicalPath(path: string, service: string): string {
  if (service === "s3") {
    // Nothing in it is escaped, or would be.
    if (/^[A-Za-z0-9\-._~/]+$/.test(path)) return path;
    return path.split("/").map((raw) => {
      const segment = decodeKey(raw);
      return segment === undefined ? ascii(raw) : encodeUri(segment, false);
    }).join("/") || "/";
  }
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const end = kept.length > 0 && path.endsWith("/") ? "/" : "";
  return encodeUri(`/${kept.join("/")}${end}`, true);
}

/** Leaves a path that cannot be decoded as it is but for characters that are more than one byte. */
function ascii(path: string): string {
  return path.toWellFormed().replace(/[^\0-\x7f]+/g, encodeURIComponent);
}

/**
 * A raw query as it is signed: without `X-Amz-Signature`, encoded again, in the order of the encoded
 * names and then values.
 *
 * @throws Failure invalid (InvalidArgument) where an escape is broken.
 */
export function canonicalQuery(query: string): string {
  if (query === "") return "";
  return parseRawQuery(query)
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encodeUri(name, false), encodeUri(value, false)] as const)
    .sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0)
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

/**
 * Step 1. Header lines come in the order of `signedHeaders`; a header that the request lacks counts
 * as empty.
 *
 * @param path As {@linkcode canonicalPath} made it.
 */
export function canonicalRequest(
  { method, query, headers, payloadHash }: Omit<RequestPieces, "headers"> & {
    readonly headers: Pick<SignableHeaders, "get">;
  },
  path: string,
  signedHeaders: readonly string[],
): string {
  let lines = "";
  for (const name of signedHeaders) {
    const value = (headers.get(name) ?? "").trim();
    lines += `${name}:${/ {2}|\t/.test(value) ? value.replace(/[ \t]+/g, " ") : value}\n`;
  }
  const names = signedHeaders.join(";");
  return `${method}\n${path}\n${canonicalQuery(query)}\n${lines}\n${names}\n${payloadHash}`;
}

/**
 * Step 2.
 *
 * @param timestamp `yyyymmddThhmmssZ`
 */
export function stringToSign(timestamp: string, scope: Scope, canonical: string): string {
  return [algorithm, timestamp, scopeText(scope), sha256Hex(canonical)].join("\n");
}

const keys = new Map<string, Uint8Array>();
const maxKeys = 64;

/** Step 3. Keys are good for a day, so the 64 made last are kept. */
export function signingKey(secretAccessKey: string, scope: Scope): Uint8Array {
  const name = `${scopeText(scope)} ${secretAccessKey}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  let key: Uint8Array | string = `AWS4${secretAccessKey}`;
  for (const part of [scope.date, scope.region, scope.service, "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const made = key as Uint8Array;
  for (const oldest of keys.keys()) {
    if (keys.size < maxKeys) break;
    keys.delete(oldest);
  }
  keys.set(name, made);
  return made;
}

/** Step 4. Also signs the strings of aws-chunked chunks and trailers. */
export function signature(key: Uint8Array, text: string): string {
  return createHmac("sha256", key).update(text, "latin1").digest("hex");
}

const alwaysSigned: ReadonlySet<string> = new Set(["host", "content-type", "content-md5"]);

/** The request to be signed, and by whom. */
export interface SignRequest extends Omit<RequestPieces, "headers"> {
  /** Must hold `host`. */
  readonly headers: SignableHeaders;
  readonly service: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly date: Date;
}

/**
 * Signs a request: sets `x-amz-date`, `authorization`, for S3 `x-amz-content-sha256`, and with a
 * session token `x-amz-security-token` on its headers; those that were there before are replaced or
 * removed. Signed are `host`, `content-type`, `content-md5` and every `x-amz-*` header.
 *
 * @throws TypeError where the headers lack `host`; Failure invalid where the query has a broken
 * escape.
 */
export function signRequest(request: SignRequest): void {
  const { headers, service, region, credentials } = request;
  if (!headers.has("host")) throw new TypeError("Cannot sign request: its host header is missing");
  const timestamp = formatTimestamp(request.date);
  const scope = { date: timestamp.slice(0, 8), region, service };
  const set = (name: string, value: string | undefined) =>
    value === undefined ? headers.delete(name) : headers.set(name, value);
  set("x-amz-date", timestamp);
  set("x-amz-security-token", credentials.sessionToken);
  set("x-amz-content-sha256", service === "s3" ? request.payloadHash : undefined);
  const names = [...headers.keys()].filter((name) =>
    name.startsWith("x-amz-") || alwaysSigned.has(name)
  ).sort();
  const canonical = canonicalRequest(request, canonicalPath(request.path, service), names);
  const key = signingKey(credentials.secretAccessKey, scope);
  const signed = signature(key, stringToSign(timestamp, scope, canonical));
  headers.set(
    "authorization",
    `${algorithm} Credential=${credentials.accessKeyId}/${scopeText(scope)}, ` +
      `SignedHeaders=${names.join(";")}, Signature=${signed}`,
  );
}

/**
 * Returns whether a request bears the signature that this secret makes; compared in constant time.
 * Both the header and the presigned form; false also where `host` or an `x-amz-*` header that the
 * request has is not signed, where it has no time, or where the time is of another day than the
 * scope.
 *
 * Left to the caller: that service and region are the expected ones, the clock's skew or the expiry,
 * and that the body has the hash that `payloadHash` names.
 *
 * @throws Failure invalid (InvalidArgument) where the query has a broken escape.
 */
export function verifySignature(
  request: RequestPieces,
  claimed: Authorization | PresignedAuthorization,
  secretAccessKey: string,
): boolean {
  const timestamp = "timestamp" in claimed ? claimed.timestamp : requestTimestamp(request.headers);
  if (timestamp?.slice(0, 8) !== claimed.date) return false;
  const names = new Set(claimed.signedHeaders);
  if (!names.has("host")) return false;
  let coversAll = true;
  // forEach: the iterators of Headers cost ten times as much (Deno 2.9.6).
  request.headers.forEach((_, name) => {
    if (name.startsWith("x-amz-") && !names.has(name)) coversAll = false;
  });
  if (!coversAll) return false;
  const key = signingKey(secretAccessKey, claimed);
  const given = Buffer.from(claimed.signature, "hex");
  let right = false;
  // Every spelling is compared, so that the time reveals nothing of the secret.
  for (const path of signedPaths(request.path, claimed.service)) {
    const canonical = canonicalRequest(request, path, claimed.signedHeaders);
    const own = Buffer.from(signature(key, stringToSign(timestamp, claimed, canonical)), "hex");
    right = timingSafeEqual(own, given) || right;
  }
  return right;
}

/** The spellings in which clients sign a path; each once, and for nearly every path only one. */
function signedPaths(path: string, service: string): Iterable<string> {
  const canonical = canonicalPath(path, service);
  if (service !== "s3") return [canonical];
  if (path === canonical && !path.includes("%2F")) return [canonical];
  return new Set([
    canonical,
    // Some clients sign what they send where AWS would encode more, such as `(` in a key.
    ascii(path) || "/",
    // aws4fetch 1.0.20 signs the decoded key, in which an escaped slash is a slash. The name of a
    // bucket has none, so it is the same object. It also signs a bare `+` as a space, which is not
    // accepted: here that is another key.
    canonical.replaceAll("%2F", "/"),
  ]);
}

/**
 * The payload hash that a presigned S3 request was signed with: its signed header
 * `x-amz-content-sha256`, else the parameter of that name (Amazon's JavaScript SDK hoists the header
 * to the query), else UNSIGNED-PAYLOAD. For other services it is the hash of the body.
 *
 * @param query As {@linkcode parseRawQuery} gives it.
 */
export function presignedPayloadHash(
  query: readonly (readonly [string, string])[],
  headers: Headers,
): string {
  const name = "x-amz-content-sha256";
  const hoisted = query.find((pair) => pair[0].toLowerCase() === name);
  return headers.get(name) ?? hoisted?.[1] ?? unsignedPayload;
}
