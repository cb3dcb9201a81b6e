/** Conditional requests: entity tags, and the headers that read an object only if it changed. */

import { Failure } from "./failure.ts";

/** Tags of one header: each may be looked for at the provider, and clients send one. */
const maxEntityTags = 10;

/** One tag up to the next comma; a comma within quotes is part of the tag. */
const element = /((?:"[^"]*"|[^,])*)(,|$)/g;

/**
 * The tags of an If-Match or If-None-Match header, without quotes and `W/`; `*` stands for any.
 * Throws `invalid` for more than {@linkcode maxEntityTags}.
 */
export function parseEntityTags(header: string | null): readonly string[] | undefined {
  if (header === null || header.trim() === "") return undefined;
  const tags: string[] = [];
  for (const [, tag = "", comma] of header.matchAll(element)) {
    tags.push(tag);
    if (comma === "" || tags.length > maxEntityTags) break;
  }
  if (tags.length > maxEntityTags) {
    throw new Failure(
      "invalid",
      `A condition names more than ${maxEntityTags} entity tags. Send fewer in one request`,
      { s3: "InvalidArgument" },
    );
  }
  return tags.map((tag) => tag.trim().replace(/^W\//, "").replace(/^"(.*)"$/, "$1"));
}

/** What a reading request's conditions come to. */
export type Verdict = "go" | "not-modified" | { readonly failed: "If-Unmodified-Since" };

/**
 * Applies the conditions of a GET or HEAD but If-Match, which decides earlier. In RFC 9110's order,
 * as S3 has it: If-Match makes If-Unmodified-Since void, If-None-Match makes If-Modified-Since void.
 *
 * @param names Whether a tag, without quotes, is one of the object's.
 * @param modifiedAt Milliseconds since 1970; headers hold whole seconds, so the rest is cut off.
 */
export function checkRead(
  headers: Headers,
  names: (tag: string) => boolean,
  modifiedAt: number,
): Verdict {
  const modified = Math.floor(modifiedAt / 1000) * 1000;
  const unmodifiedSince = timeOf(headers.get("if-unmodified-since"));
  if (unmodifiedSince !== undefined && !headers.has("if-match") && modified > unmodifiedSince) {
    return { failed: "If-Unmodified-Since" };
  }
  const noneOf = parseEntityTags(headers.get("if-none-match"));
  if (noneOf) return noneOf.includes("*") || noneOf.some(names) ? "not-modified" : "go";
  const modifiedSince = timeOf(headers.get("if-modified-since"));
  return modifiedSince !== undefined && modified <= modifiedSince ? "not-modified" : "go";
}

function timeOf(header: string | null): number | undefined {
  const time = header === null ? NaN : Date.parse(header);
  return Number.isNaN(time) ? undefined : time;
}
