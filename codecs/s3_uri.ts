/** Names of buckets and the `s3://` URIs that jobs are given. */

/** What an `s3://` URI names. */
export interface S3Uri {
  readonly bucket: string;
  /** To the letter, never percent-decoded; empty where the URI names only a bucket. */
  readonly key: string;
}

const maxKeyBytes = 1024;
const encoder = new TextEncoder();

/**
 * Takes `s3://bucket/key` apart; undefined where the bucket is not a valid name or the key is longer
 * than 1,024 bytes of UTF-8. The key may hold any character: AWS's narrower pattern for jobs
 * forbids `=`, `+` and spaces, which the keys of data lakes have.
 */
export function parseS3Uri(text: string): S3Uri | undefined {
  const scheme = "s3://";
  if (!text.startsWith(scheme)) return undefined;
  const slash = text.indexOf("/", scheme.length);
  const bucket = text.slice(scheme.length, slash === -1 ? undefined : slash);
  const key = slash === -1 ? "" : text.slice(slash + 1);
  return isBucketName(bucket) && isKey(key) ? { bucket, key } : undefined;
}

/** A lone surrogate, which JSON can spell, has no UTF-8 form and so names no object. */
function isKey(key: string): boolean {
  return key.isWellFormed() && !isLongerThan(key, maxKeyBytes);
}

/**
 * Returns whether a text has more bytes of UTF-8 than that; a short one has three a unit at the
 * most.
 */
export function isLongerThan(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && encoder.encode(text).length > maxBytes;
}

/** Returns whether a URI names a folder, or a whole bucket. */
export function isFolder({ key }: Pick<S3Uri, "key">): boolean {
  return key === "" || key.endsWith("/");
}

/**
 * Returns whether a key has a segment `.` or `..`: an upstream, or a proxy before it, could read it as
 * one of another bucket.
 */
export function climbs(key: string): boolean {
  return key.split(/[/\\]/).some((part) => part === "." || part === "..");
}

const bucketForm = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const ipv4Form = /^[0-9]+(?:\.[0-9]+){3}$/;
const reservedPrefixes = ["xn--", "sthree-"];
const reservedSuffixes = ["-s3alias", "--ol-s3"];

/**
 * Returns whether S3 would create a bucket of this name: 3 to 63 of `[a-z0-9.-]`, a letter or digit
 * at both ends, no two dots in a row, no IPv4 address, no prefix or suffix that AWS keeps for
 * itself.
 */
export function isBucketName(text: string): boolean {
  return bucketForm.test(text) && !text.includes("..") && !ipv4Form.test(text) &&
    !reservedPrefixes.some((prefix) => text.startsWith(prefix)) &&
    !reservedSuffixes.some((suffix) => text.endsWith(suffix));
}
