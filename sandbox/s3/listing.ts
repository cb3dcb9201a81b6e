/** One page of a bucket's keys, grouped by a delimiter. */
import { Buffer } from "node:buffer";
import { compareUtf8 } from "./keys.ts";
import { s3Failure } from "./errors.ts";

/** What is asked for. */
export interface ListingQuery {
  readonly prefix: string;
  /** Empty: no grouping. */
  readonly delimiter: string;
  /** Keys and common prefixes up to and including this one are left out; empty: from the start. */
  readonly after: string;
  readonly maxKeys: number;
}

/** A page of a listing. */
export interface Listing<Entry> {
  readonly entries: readonly Entry[];
  readonly prefixes: readonly string[];
  readonly truncated: boolean;
  /** The last key or common prefix of the page, to go on after; empty where there is none. */
  readonly last: string;
}

/**
 * Cuts one page out of a bucket.
 *
 * @param sorted All entries in the byte order of their keys.
 */
export function paginate<Entry extends { readonly key: string }>(
  sorted: readonly Entry[],
  { prefix, delimiter, after, maxKeys }: ListingQuery,
): Listing<Entry> {
  const entries: Entry[] = [];
  const prefixes: string[] = [];
  let last = "";
  if (maxKeys === 0) return { entries, prefixes, truncated: false, last };
  for (const entry of sorted) {
    if (!entry.key.startsWith(prefix)) continue;
    const cut = delimiter === "" ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const name = cut < 0 ? entry.key : entry.key.slice(0, cut + delimiter.length);
    // A common prefix that ended a page must not come again on the next one, so it is compared as
    // a whole, not by the keys below it.
    if (after !== "" && compareUtf8(name, after) <= 0) continue;
    if (cut >= 0 && prefixes.at(-1) === name) continue;
    if (entries.length + prefixes.length === maxKeys) {
      return { entries, prefixes, truncated: true, last };
    }
    if (cut < 0) entries.push(entry);
    else prefixes.push(name);
    last = name;
  }
  return { entries, prefixes, truncated: false, last };
}

/**
 * Reads `max-keys` and its like.
 *
 * @returns At most 1,000, which is also the default.
 * @throws {Failure} InvalidArgument.
 */
export function parseMax(query: ReadonlyMap<string, string>, name: string): number {
  const text = query.get(name);
  if (text === undefined || text === "") return 1000;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw s3Failure("InvalidArgument", `Provided ${name} not an integer or within integer range`, {
      ArgumentName: name,
      ArgumentValue: text,
    });
  }
  return Math.min(Number(text), 1000);
}

/** The continuation token that goes on after a key. */
export function sealToken(last: string): string {
  return Buffer.from(`1${last}`).toString("base64url");
}

/**
 * The key after which a continuation token goes on.
 *
 * @throws {Failure} InvalidArgument where it is not one of ours.
 */
export function openToken(token: string): string {
  const bytes = Buffer.from(token, "base64url");
  const text = bytes.toString();
  if (bytes.toString("base64url") !== token || !text.startsWith("1")) {
    throw s3Failure("InvalidArgument", "The continuation token provided is incorrect", {
      ArgumentName: "continuation-token",
    });
  }
  return text.slice(1);
}
