/** What of a client's request and of an upstream's answer goes on through the gateway. */
import { Failure } from "../../codecs/failure.ts";
import { linkForm } from "../../codecs/presigned_headers.ts";

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

/** Said anew for the upstream, or meant for the gateway alone. */
const notForUpstream: ReadonlySet<string> = new Set([
  "accept-encoding",
  "authorization",
  "content-length",
  "cookie",
  "date",
  "expect",
  "forwarded",
  "host",
  "via",
  "x-amz-content-sha256",
  "x-amz-date",
  "x-amz-region-set",
  "x-amz-security-token",
  "x-model-provider",
  "x-real-ip",
]);

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

/**
 * The client's headers without hop-by-hop ones, its signature and what is the gateway's business.
 *
 * `accept-encoding` is always `identity`: otherwise `fetch` would unpack an object that is stored
 * with `Content-Encoding: gzip` (Deno 2.9.6, measured 2026-11-23), and S3 packs nothing by itself.
 */
export function requestHeaders(client: Headers): HeaderFields {
  const headers: HeaderFields = new Map();
  const hops = hopsOf(client);
  client.forEach((value, name) => {
    if (hops(name) || notForUpstream.has(name)) return;
    if (name.startsWith("amz-sdk-") || name.startsWith("x-forwarded-")) return;
    headers.set(name, value);
  });
  headers.set("accept-encoding", "identity");
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

/** Tells which headers are for this connection alone: the known ones, and those that it names. */
function hopsOf(headers: Headers): (name: string) => boolean {
  const connection = headers.get("connection");
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
