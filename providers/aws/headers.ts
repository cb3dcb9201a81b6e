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
const notForClient: readonly string[] = [
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
];

const notForUpstreamPrefixes = ["amz-sdk-", "x-forwarded-"];

/**
 * The client's headers without hop-by-hop ones, its signature and what is the gateway's business.
 *
 * `accept-encoding` is always `identity`: otherwise `fetch` would unpack an object that is stored
 * with `Content-Encoding: gzip` (Deno 2.9.6, measured 2026-11-23), and S3 packs nothing by itself.
 */
export function requestHeaders(client: Headers): Headers {
  const headers = withoutHops(client);
  for (const name of [...headers.keys()]) {
    const prefixed = notForUpstreamPrefixes.some((prefix) => name.startsWith(prefix));
    if (prefixed || notForUpstream.has(name)) headers.delete(name);
  }
  headers.set("accept-encoding", "identity");
  return headers;
}

/** The upstream's headers as the client gets them; no redirect may lead around the gateway. */
export function responseHeaders(upstream: Headers, status: number): Headers {
  const headers = withoutHops(upstream);
  for (const name of notForClient) headers.delete(name);
  if (status >= 300 && status < 400) headers.delete("location");
  return headers;
}

function withoutHops(from: Headers): Headers {
  const headers = new Headers(from);
  for (const name of (from.get("connection") ?? "").toLowerCase().split(",")) {
    // A list may hold what is no header name; such a one names no header.
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim())) headers.delete(name.trim());
  }
  for (const name of hopByHop) headers.delete(name);
  return headers;
}

/**
 * Takes a presigned URL's signature out of a raw query; everything else stays byte for byte.
 *
 * S3 reads headers that a presigned URL holds in its query (`x-amz-acl=…`) only while the query
 * is what authenticates, so they move into `headers`.
 *
 * @param headers Gets the headers that were found in the query.
 */
export function withoutPresigning(query: string, headers: Headers): string {
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

function setFromQuery(headers: Headers, name: string, raw: string): void {
  if (headers.has(name)) return;
  const value = decoded(raw.slice(raw.indexOf("=") + 1));
  try {
    if (value === undefined) throw new TypeError("invalid percent-encoding");
    headers.set(name, value);
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
