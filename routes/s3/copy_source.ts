/** The source of a copy: `x-amz-copy-source` and the conditions on it. */
import type { ObjectEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { checkRead, parseEntityTags } from "../../codecs/preconditions.ts";
import { decodeKey } from "../../codecs/uri.ts";
import { type Address, namesObject } from "../../objects/find.ts";
import type { Reach } from "../../reach/reach.ts";
import { checkAddress, checkVersion } from "./address.ts";

const header = "x-amz-copy-source";

/**
 * Reads where a copy comes from: `bucket/key` or `/bucket/key`, percent-encoded, perhaps with the
 * slash between them, and with `?versionId=` behind it. Only in this header `+` is a space: so
 * the Go SDK writes it, which other tools are made of, and a plus is `%2B` (s5cmd 2.3.0, captured
 * 2026-11).
 */
export function copySourceOf(headers: Headers): Address {
  const [source = "", version] = (headers.get(header) ?? "").split(/\?versionId=([^?]*)$/);
  const path = decodedSource(source);
  const slash = path?.indexOf("/") ?? -1;
  if (path === undefined || slash < 1 || slash === path.length - 1) {
    throw new Failure("invalid", `${header} must be a bucket and a key, bucket/key, encoded`, {
      s3: "InvalidArgument",
      fields: { ArgumentName: header },
    });
  }
  checkVersion(version);
  const [bucket, key] = [path.slice(0, slash), path.slice(slash + 1)];
  checkAddress({ bucket, key, path: "" });
  const ifMatch = parseEntityTags(headers.get(`${header}-if-match`));
  return { bucket, key, ...(ifMatch && { ifMatch }) };
}

/** The bucket that a copy's source names; undefined where it cannot be read. */
export function copySourceBucket(source: string): string | undefined {
  return decodedSource(source)?.split("/")[0];
}

/** The decoded path of a copy's source, without a slash before it; undefined where it cannot be read. */
export function decodedSource(source: string): string | undefined {
  // A header's bytes come as Latin-1: those of UTF-8 that came unescaped are escaped here.
  const escaped = source.replaceAll("+", "%20").replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16)}`,
  );
  return decodeKey(escaped)?.replace(/^\//, "");
}

/** Conditions on the source, by the header that they are on a read. */
const conditions = {
  "if-match": "If-Match",
  "if-none-match": "If-None-Match",
  "if-modified-since": "If-Modified-Since",
  "if-unmodified-since": "If-Unmodified-Since",
} as const;

/**
 * Refuses a source that does not meet the conditions but If-Match, which decides where the source is
 * looked for. All of them are 412 for a copy.
 */
export function checkCopySource(reach: Reach, headers: Headers, source: ObjectEntry): void {
  const standard = new Headers();
  for (const name of Object.keys(conditions)) {
    const value = headers.get(`${header}-${name}`);
    if (value !== null) standard.set(name, value);
  }
  const verdict = checkRead(
    standard,
    (tag) => namesObject(reach, [tag], source),
    source.modifiedAt,
  );
  if (verdict === "go") return;
  const failed = verdict !== "not-modified"
    ? verdict.failed
    : standard.has("if-none-match")
    ? conditions["if-none-match"]
    : conditions["if-modified-since"];
  throw new Failure("precondition", `The copy's source does not meet the condition ${failed}`, {
    fields: { Condition: `${header}-${failed}` },
  });
}
