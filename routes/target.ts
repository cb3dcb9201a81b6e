/**
 * The request's target as it came on the wire.
 *
 * Deno.serve makes `request.url` of the scheme, the Host header and the raw target, none of them
 * checked or normalised (measured with Deno 2.9.6); `new URL` and Hono's decoded path would change
 * keys that hold `..`, `%2F` or a NUL. So the path is cut out of the URL behind a Host that was
 * checked: an unchecked one such as `a/evil` would move the cut.
 */
import { Failure } from "../codecs/failure.ts";

/** The target of a request, undecoded. */
export interface Target {
  /** Host with its port, in lower case. */
  readonly host: string;
  /** Begins with `/`. */
  readonly path: string;
  /** Without `?`; empty where there is none. */
  readonly query: string;
}

const hostForm = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;

/** Cuts the target out of a request. Throws `invalid` where Host and target disagree. */
export function targetOf(request: Request): Target {
  const authority = /^https?:\/\/([^/?#]*)/.exec(request.url);
  const host = (authority?.[1] ?? "").toLowerCase();
  // HTTP/2 has no Host header; HTTP/1.1 may leave it out, and Deno puts its own address there.
  const header = request.headers.get("host")?.toLowerCase() || host;
  if (!authority || header !== host || !hostForm.test(host)) {
    throw new Failure(
      "invalid",
      "The Host header is not valid, or not that of the request's target. Send one host, such as " +
        "localhost:8080",
    );
  }
  const rest = request.url.slice(authority[0].length);
  const mark = rest.indexOf("?");
  const path = mark < 0 ? rest : rest.slice(0, mark);
  return { host, path: path === "" ? "/" : path, query: mark < 0 ? "" : rest.slice(mark + 1) };
}

/** A host without its port. */
export function hostname(host: string): string {
  return host.replace(/:[0-9]+$/, "");
}

/** Names and values together. S3 takes 8 KB; proxies and tokens of others are on top of that here. */
const maxHeaderCharacters = 32 * 1024;
/** Every parameter of a list at its greatest, escaped, stays below. */
const maxTargetCharacters = 16 * 1024;

/** Throws `invalid` for a head that is too long. */
export function checkHead(headers: Headers, { path, query }: Target): void {
  if (path.length + query.length > maxTargetCharacters) {
    throw new Failure(
      "invalid",
      `The path and query are longer than ${maxTargetCharacters} bytes. Send shorter ones`,
      { s3: "InvalidURI" },
    );
  }
  let size = 0;
  // forEach: the iterators of Headers cost ten times as much (docs/performance.md).
  headers.forEach((value, name) => size += name.length + value.length);
  if (size <= maxHeaderCharacters) return;
  throw new Failure(
    "invalid",
    `The headers are longer than ${maxHeaderCharacters} bytes. Send fewer or shorter ones`,
    { s3: "RequestHeaderSectionTooLarge" },
  );
}
