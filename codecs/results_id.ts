/** Ids of results of jobs, which are objects with no provider file of their own. */
import { createHash } from "node:crypto";
import { type FileId, fileId, type JobId } from "./ids.ts";

/** `results.<job>.<digest>`: no provider spells a file's id with a dot. */
const shape = /^results\.[a-z0-9]{12}\.([0-9a-f]{32})$/;

/**
 * The id of an object that holds results of a job.
 *
 * @param sha256 Hex digest of the object's bytes.
 */
export function resultsId(job: JobId, sha256: string): FileId {
  return fileId(`results.${job}.${sha256.slice(0, 32)}`);
}

/**
 * The id of the results of one file of a job's input. Files of a folder whose results have the same
 * bytes have different ids: what is deleted under one name stays under the other.
 *
 * @param path The file's, relative to its folder; absent where the input is one object.
 */
export function resultsFile(job: JobId, sha256: string, path?: string): FileId {
  if (path === undefined) return resultsId(job, sha256);
  return resultsId(job, createHash("sha256").update(`${sha256} ${path}`).digest("hex"));
}

/** The digest in the id of results; undefined for any other id. */
export function resultsDigest(id: string): string | undefined {
  return shape.exec(id)?.[1];
}

/** Returns whether an id is that of results, and so of no provider file. */
export function isResultsId(id: string): boolean {
  return shape.test(id);
}
