/** Percent-encoding of paths and queries as S3 and SigV4 have it. */
import { Failure } from "./failure.ts";

/**
 * Decodes a piece of a raw request path once, byte for byte: `+` stays a plus, `%2F` becomes `/`,
 * and nothing is normalised.
 *
 * @param raw As it came on the wire. UTF-8 that the client did not escape arrives from Deno.serve as
 * characters (measured with Deno 2.9.6) and is kept.
 * @returns undefined where an escape is broken (`%zz`) or the bytes are not UTF-8.
 */
export function decodeKey(raw: string): string | undefined {
  if (!raw.isWellFormed()) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined; // The one error that it throws is the one that undefined stands for.
  }
}

const plain = /^[A-Za-z0-9\-._~/]*$/;

/**
 * Encodes text as AWS does (RFC 3986): UTF-8 bytes other than `A-Za-z0-9-._~` become `%XX` in upper
 * case. A lone surrogate becomes U+FFFD, as in any UTF-8 encoder.
 *
 * @param keepSlash True for a path or a listed key, false for a query and for one path segment.
 */
export function encodeUri(text: string, keepSlash: boolean): string {
  if (plain.test(text)) return keepSlash ? text : text.replaceAll("/", "%2F");
  const encoded = encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return keepSlash ? encoded.replaceAll("%2F", "/") : encoded;
}

/**
 * Splits a raw query into decoded pairs in their order, repeated names included. `+` stays a plus,
 * as S3 and SigV4 have it; a flag without `=` has the value `""`; empty pieces (`a&&b`) are skipped.
 *
 * @param raw Without `?`, as it came on the wire.
 * @throws Failure invalid (InvalidArgument) where an escape is broken or its bytes are not UTF-8.
 */
export function parseRawQuery(raw: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const piece of raw.split("&")) {
    if (piece === "") continue;
    const equals = piece.indexOf("=");
    const name = decodeKey(equals < 0 ? piece : piece.slice(0, equals));
    const value = decodeKey(equals < 0 ? "" : piece.slice(equals + 1));
    if (name === undefined || value === undefined) {
      throw new Failure(
        "invalid",
        "The query has a broken percent-escape; encode each value as UTF-8 and escape a percent sign as %25.",
        { s3: "InvalidArgument" },
      );
    }
    pairs.push([name, value]);
  }
  return pairs;
}
