/**
 * Job ids: 12 characters of `[a-z0-9]`, as the ARN's pattern wants them.
 *
 * The first eight hold the job's submit time (milliseconds, base 36, good until 2059), so that the
 * order of ids is the order of time: a list by time is one range of the catalog, and a job whose
 * record was lost still knows when it was submitted.
 */
import { createHash } from "node:crypto";
import { type JobId, jobId, randomId } from "./ids.ts";

const timeLength = 8;
const restLength = 4;
const endOfTime = 36 ** timeLength - 1;

/** Makes the id of a job submitted at a time (milliseconds since 1970). */
export function newJobId(time: number, random: (bytes: Uint8Array) => Uint8Array): JobId {
  return jobId(timePrefix(time) + randomId(restLength, random));
}

/**
 * The id under which a native batch is adopted: always the same one for the
 * same batch, so that two gateways, or one with a new catalog, agree on it.
 *
 * @param attempt Counts up where the id is taken by another batch of the same millisecond.
 */
export function adoptedJobId(createdAt: number, batch: string, attempt = 0): JobId {
  const digest = createHash("sha256").update(`${attempt} ${batch}`).digest();
  const rest = (digest.readUInt32BE(0) % 36 ** restLength).toString(36);
  return jobId(timePrefix(createdAt) + rest.padStart(restLength, "0"));
}

/** The submit time that an id holds, in milliseconds since 1970. */
export function timeOfJobId(id: JobId): number {
  return Number.parseInt(id.slice(0, timeLength), 36);
}

/** Returns the prefix of all ids of jobs submitted at this time; for ranges of ids by time. */
export function timePrefix(time: number): string {
  const clipped = Math.min(Math.max(0, Math.trunc(time)), endOfTime);
  return clipped.toString(36).padStart(timeLength, "0");
}

/** Returns whether a text has the form of a job id. */
export function isJobId(text: string): text is JobId {
  return /^[a-z0-9]{12}$/.test(text);
}
