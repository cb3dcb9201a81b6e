/** How long a request's head may be. Deno refuses 64 KiB without a word (Deno 2.9.6). */
import { Failure } from "../codecs/failure.ts";
import type { Target } from "./target.ts";

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
