/** ETags of objects, apart from the ids of the files that hold them. */
import { createHash } from "node:crypto";

/** What an object can be named by besides its key. */
export interface Tagged {
  /** Id of the provider file, or of a job's results. */
  readonly file: string;
  /** Without quotes. */
  readonly etag: string;
}

/**
 * The ETag of a job's results, without quotes. It has S3's multipart form: clients take an ETag
 * without a hyphen for an MD5, and results of several pieces are not hashed as one.
 *
 * @param sha256 Hex digest of the bytes.
 */
export function resultsEtag(sha256: string): string {
  return `${sha256.slice(0, 32)}-1`;
}

/**
 * Returns whether a text has the form of S3's own ETags: an MD5 in hex, `-` and a number behind it
 * for parts.
 */
export function isS3Etag(text: string): boolean {
  return /^[0-9a-f]{32}(?:-[1-9][0-9]{0,4})?$/.test(text);
}

/**
 * Returns whether one of these texts, without quotes, is an object's ETag or the id of its file.
 */
export function isTagged(object: Tagged, texts: readonly string[]): boolean {
  return texts.includes(object.file) || texts.includes(object.etag);
}

/**
 * S3's ETag of an object in parts: the MD5 of the parts' MD5s, and how many there are.
 *
 * @param md5s Hex, in the order of the parts.
 */
export function multipartEtag(md5s: readonly string[]): string {
  const hash = createHash("md5");
  for (const md5 of md5s) hash.update(md5, "hex");
  return `${hash.digest("hex")}-${md5s.length}`;
}
