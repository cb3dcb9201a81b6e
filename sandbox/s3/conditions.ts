/** Conditional requests and ranges, as S3 evaluates them. */
import { s3Failure } from "./errors.ts";
import type { StoredObject } from "./data.ts";

/** The names under which the four conditions travel. */
interface Names {
  readonly match: string;
  readonly noneMatch: string;
  readonly modifiedSince: string;
  readonly unmodifiedSince: string;
}

const ofRequest: Names = {
  match: "if-match",
  noneMatch: "if-none-match",
  modifiedSince: "if-modified-since",
  unmodifiedSince: "if-unmodified-since",
};

const ofCopySource: Names = {
  match: "x-amz-copy-source-if-match",
  noneMatch: "x-amz-copy-source-if-none-match",
  modifiedSince: "x-amz-copy-source-if-modified-since",
  unmodifiedSince: "x-amz-copy-source-if-unmodified-since",
};

/**
 * Evaluates the conditions of a GET or HEAD.
 *
 * @returns `not-modified` where the answer is 304.
 * @throws {Failure} PreconditionFailed.
 */
export function checkRead(headers: Headers, object: StoredObject): "read" | "not-modified" {
  const failed = evaluate(headers, object, ofRequest);
  if (failed === "match" || failed === "unmodifiedSince") throw preconditionFailed(failed);
  return failed === undefined ? "read" : "not-modified";
}

/** Evaluates the conditions on a copy's source; each that fails is PreconditionFailed. */
export function checkCopySource(headers: Headers, object: StoredObject): void {
  const failed = evaluate(headers, object, ofCopySource);
  if (failed !== undefined) throw preconditionFailed(failed);
}

/**
 * Evaluates the conditions of a write on what is there now.
 *
 * @throws {Failure} PreconditionFailed; NoSuchKey where If-Match meets no object.
 */
export function checkWrite(headers: Headers, existing: StoredObject | undefined): void {
  const match = headers.get(ofRequest.match);
  if (match !== null) {
    if (existing === undefined) throw s3Failure("NoSuchKey");
    if (!matches(match, existing.etag)) throw preconditionFailed("match");
  }
  const noneMatch = headers.get(ofRequest.noneMatch);
  if (noneMatch === null) return;
  if (noneMatch.trim() !== "*") {
    throw s3Failure("NotImplemented", "If-None-Match of a write can only be *.");
  }
  if (existing !== undefined) throw preconditionFailed("noneMatch");
}

/**
 * Evaluates If-Match of a delete, or an `<ETag>` of DeleteObjects; a missing object is not a
 * failure.
 */
export function checkDelete(match: string | null, existing: StoredObject | undefined): void {
  if (match === null || existing === undefined) return;
  if (!matches(match, existing.etag)) throw preconditionFailed("match");
}

/** The condition that does not hold, in S3's order of precedence. */
function evaluate(headers: Headers, object: StoredObject, names: Names): keyof Names | undefined {
  const modified = Date.parse(object.modified);
  const match = headers.get(names.match);
  if (match !== null) {
    if (!matches(match, object.etag)) return "match";
  } else {
    const since = date(headers, names.unmodifiedSince);
    if (since !== undefined && modified > since) return "unmodifiedSince";
  }
  const noneMatch = headers.get(names.noneMatch);
  if (noneMatch !== null) {
    if (matches(noneMatch, object.etag)) return "noneMatch";
  } else {
    const since = date(headers, names.modifiedSince);
    if (since !== undefined && modified <= since) return "modifiedSince";
  }
  return undefined;
}

/** Milliseconds since 1970; a date that cannot be read is as if it were not there. */
function date(headers: Headers, name: string): number | undefined {
  const time = Date.parse(headers.get(name) ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** Returns whether a list of ETags, quoted or not, names this one. */
export function matches(list: string, etag: string): boolean {
  return list.split(",").some((item) => {
    const wanted = unquote(item);
    return wanted === "*" || wanted === etag;
  });
}

/** An ETag without quotes, weak mark and spaces. */
export function unquote(etag: string): string {
  return etag.trim().replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}

const conditionNames: Record<keyof Names, string> = {
  match: "If-Match",
  noneMatch: "If-None-Match",
  modifiedSince: "If-Modified-Since",
  unmodifiedSince: "If-Unmodified-Since",
};

function preconditionFailed(condition: keyof Names) {
  return s3Failure("PreconditionFailed", undefined, { Condition: conditionNames[condition] });
}

/** Bytes of an object, both ends inclusive. */
export interface Slice {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a Range header.
 *
 * @param header Its value, or null.
 * @param bytes Length of the object.
 * @returns Undefined where the whole object is to be sent: no range, several, or a malformed one,
 * or the last bytes of an empty object.
 * @throws {Failure} InvalidRange.
 */
export function parseRange(header: string | null, bytes: number): Slice | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (found === null) return undefined;
  const [, from = "", to = ""] = found;
  if (from === "" && to === "") return undefined;
  const unsatisfiable = () =>
    s3Failure("InvalidRange", undefined, {
      RangeRequested: header ?? "",
      ActualObjectSize: `${bytes}`,
    });
  if (from === "") {
    const length = Math.min(Number(to), bytes);
    if (Number(to) === 0) throw unsatisfiable();
    // The last bytes of an empty object are all of it, with status 200.
    return bytes === 0 ? undefined : { first: bytes - length, last: bytes - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return undefined;
  if (first >= bytes) throw unsatisfiable();
  return { first, last: to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1) };
}
