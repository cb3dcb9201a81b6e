/** Headers of requests and answers that go on through the gateway. */
import { Failure } from "../../codecs/failure.ts";
import { linkForm } from "../../codecs/presigned_headers.ts";
import { hopHeader, hopsWith } from "../../codecs/hops.ts";
import type { ForwardRequest } from "../provider.ts";

/** RFC 9110 §7.6.1, and the older names that are still met. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Written again for the upstream, or meant for the gateway only. */
const notForUpstream: ReadonlySet<string> = new Set([
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-region-set",
  "x-amz-security-token",
]);

/** Headers besides `x-amz-*` that S3 defines for requests (API reference and CORS, 2026-11). */
const s3Headers: ReadonlySet<string> = new Set([
  "accept",
  "access-control-request-headers",
  "access-control-request-method",
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "content-type",
  "expires",
  "if-match",
  "if-modified-since",
  "if-none-match",
  // Not in the reference; without it a resumed download could be of two objects.
  "if-range",
  "if-unmodified-since",
  "origin",
  "range",
  "user-agent",
]);

/** Bedrock's batch operations take nothing from headers but the body's type. */
const bedrockHeaders: ReadonlySet<string> = new Set([
  "accept",
  "content-type",
  "user-agent",
  "x-amz-user-agent",
]);

/** S3's own namespace, which every signature must cover. Only metadata may hold odd characters. */
const s3Namespace = /^x-amz-(?:meta-.+|[a-z0-9-]+)$/;

/**
 * An upstream's say about its own host, which a client would take for the gateway's: AWS sends none
 * of it, what stands in AWS's place may.
 */
const notForClient: ReadonlySet<string> = new Set([
  "alt-svc",
  "clear-site-data",
  "nel",
  "proxy-authentication-info",
  "refresh",
  "report-to",
  "reporting-endpoints",
  "set-cookie",
  "set-cookie2",
  "strict-transport-security",
  "www-authenticate",
]);

/**
 * Headers by lower-case name. A plain map, because `Headers` costs ten times as much to go through
 * and to send from: this is on the way of every request (Deno 2.9.6, docs/performance.md).
 */
export type HeaderFields = Map<string, string>;

/** Facts that decide which of a client's headers are sent on. */
export interface RequestHeaderOptions {
  /** S3 unless given. */
  readonly service?: ForwardRequest["service"];
  /** Names that the client's signature covers; absent where no signature was verified. */
  readonly signedHeaders?: readonly string[] | undefined;
  /** This gateway's id, to be added to those that the request has passed. */
  readonly hop?: string | undefined;
}

/**
 * Selects the client's headers that are sent on: those that the service defines, without the
 * client's signature. Anything else could mean something to what stands before the upstream, such
 * as `x-http-method-override` or `x_amz_copy_source`.
 *
 * `Connection` removes headers only where the signature covers it too: anyone on the way can add
 * it, and a condition or a copy's source that was signed must not be lost.
 *
 * `accept-encoding` is always `identity`: otherwise `fetch` would unpack an object that is stored
 * with `Content-Encoding: gzip` (Deno 2.9.6, measured 2026-11-23), and S3 packs nothing by itself.
 */
export function requestHeaders(
  client: Headers,
  { service = "s3", signedHeaders, hop }: RequestHeaderOptions = {},
): HeaderFields {
  const headers: HeaderFields = new Map();
  const isKnown = service === "s3"
    ? (name: string) => s3Headers.has(name) || s3Namespace.test(name)
    : (name: string) => bedrockHeaders.has(name);
  const mayRemove = signedHeaders === undefined || signedHeaders.includes("connection");
  const hops = hopsOf(client, mayRemove);
  client.forEach((value, name) => {
    if (isKnown(name) && !notForUpstream.has(name) && !hops(name)) headers.set(name, value);
  });
  headers.set("accept-encoding", "identity");
  if (hop !== undefined) headers.set(hopHeader, hopsWith(client.get(hopHeader), hop));
  return headers;
}

/** The upstream's headers as the client gets them; no redirect may lead around the gateway. */
export function responseHeaders(upstream: Headers, status: number): [string, string][] {
  const headers: [string, string][] = [];
  const hops = hopsOf(upstream);
  const isRedirect = status >= 300 && status < 400;
  upstream.forEach((value, name) => {
    if (hops(name) || notForClient.has(name) || isRedirect && name === "location") return;
    headers.push([name, value]);
  });
  return headers;
}

/** Selects headers of this connection only: the known ones, and those that `Connection` names. */
function hopsOf(headers: Headers, mayName = true): (name: string) => boolean {
  const connection = mayName ? headers.get("connection") : null;
  if (connection === null) return (name) => hopByHop.has(name);
  const named = new Set(connection.toLowerCase().split(",").map((name) => name.trim()));
  return (name) => hopByHop.has(name) || named.has(name);
}

/** The part of {@linkcode HeaderFields}, and of `Headers`, that this needs. */
type SettableHeaders = Pick<HeaderFields, "has"> & { set(name: string, value: string): unknown };

/**
 * Takes a presigned URL's signature out of a raw query; everything else stays byte for byte.
 *
 * S3 reads headers that a presigned URL holds in its query (`x-amz-acl=…`) only while the query
 * is what authenticates, so they move into `headers`.
 *
 * @param headers Gets the headers that were found in the query.
 */
export function withoutPresigning(query: string, headers: SettableHeaders): string {
  if (query === "") return query;
  const pieces = query.split("&").map((raw) => ({ raw, name: nameOf(raw) }));
  const { isSignature, isHeader } = linkForm(new Set(pieces.map(({ name }) => name)));
  return pieces.filter(({ raw, name }) => {
    if (isSignature(name)) return false;
    if (!isHeader(name)) return true;
    setFromQuery(headers, name, raw);
    return false;
  }).map(({ raw }) => raw).join("&");
}

function nameOf(raw: string): string {
  const text = raw.split("=", 1)[0]!;
  return (decoded(text) ?? text).toLowerCase();
}

function setFromQuery(headers: SettableHeaders, name: string, raw: string): void {
  if (headers.has(name)) return;
  const value = decoded(raw.slice(raw.indexOf("=") + 1));
  try {
    if (value === undefined) throw new TypeError("invalid percent-encoding");
    // Says whether it can be sent, and trims it.
    headers.set(name, new Headers([[name, value]]).get(name) ?? "");
  } catch (cause) {
    throw new Failure(
      "invalid",
      `The presigned URL's parameter ${name} cannot be sent as a header. Presign it with ASCII ` +
        "characters only.",
      { s3: "InvalidArgument", cause },
    );
  }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // The caller decides what an invalid escape means.
  }
}
