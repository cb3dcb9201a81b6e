/**
 * Writing the results of a job into the bucket that its output names, where that bucket is bound to a
 * provider that forwards to S3. It is done before the job ends: whatever waits for the objects finds
 * them whole.
 */
import type { JobEntry } from "../catalog/entries.ts";
import type { ResultsObject } from "../catalog/results.ts";
import { Failure, publicReason } from "../codecs/failure.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import { resultsKeys } from "./results/keys.ts";
import { deadlineOf } from "./state.ts";

/** A job without a time of its own is given up after the longest that one may have, in milliseconds. */
const longest = 168 * 3_600_000;
/** A bucket has at least so long from the end of the work on, in milliseconds. */
const leastAfterEnd = 3_600_000;

/**
 * Writes results, one after the other, the manifest last: whatever it triggers finds the others whole.
 * A bucket that refuses keeps the job from ending: then it
 * throws, and the reason is shown with the job until the next attempt.
 *
 * @param endedAt When the work ended, in milliseconds since 1970; absent where that is not known.
 * @returns Why the results were given up, once the job's time is up; undefined where they are written.
 */
export async function publish(
  deps: JobTools,
  scoped: ScopedJob,
  objects: readonly ResultsObject[],
  endedAt: number | undefined,
): Promise<string | undefined> {
  const { job } = scoped;
  if (job.outputAt === undefined) return undefined;
  const name = nameOf(scoped);
  try {
    for (const one of manifestLast(job, objects)) await write(deps, scoped, one);
    deps.delayed.delete(name);
    return undefined;
  } catch (error) {
    deps.closing.throwIfAborted();
    const why = `The results could not be written to ${outputOf(job).s3Uri}: ${
      publicReason(error)
    }.`;
    if (deps.clock.due() >= giveUpAt(job, endedAt)) {
      deps.delayed.delete(name);
      return `${why} The job's time is up. They can be read with the provider that ran the job.`;
    }
    deps.delayed.set(name, `${why} It will be tried again.`);
    throw error;
  }
}

function manifestLast(job: JobEntry, objects: readonly ResultsObject[]): ResultsObject[] {
  const manifest = resultsKeys(job)?.manifest;
  const isManifest = ({ key }: ResultsObject) => key === manifest;
  return [...objects.filter((one) => !isManifest(one)), ...objects.filter(isManifest)];
}

function giveUpAt(job: JobEntry, endedAt = job.submittedAt): number {
  return Math.max(deadlineOf(job) ?? job.submittedAt + longest, endedAt + leastAfterEnd);
}

function outputOf({ outputDataConfig: { s3OutputDataConfig } }: JobEntry) {
  return s3OutputDataConfig;
}

async function write(
  { openBucket, providers, objects, closing }: JobTools,
  { scope, job }: ScopedJob,
  { bucket, key, object }: ResultsObject,
): Promise<void> {
  const provider = providers.get(job.outputAt ?? "")?.forward;
  const source = providers.get(scope.provider)?.stores;
  if (!provider || !source || !openBucket) {
    throw new Failure(
      "unavailable",
      `the gateway's configuration no longer holds ${job.outputAt}; its operator can add it again`,
    );
  }
  const { s3BucketOwner: owner, s3EncryptionKeyId: kmsKey } = outputOf(job);
  const reach = { tenant: scope.tenant, native: true, provider: source };
  await openBucket({ provider, bucket, owner }).write(key, {
    bytes: object.bytes,
    contentType: object.contentType,
    kmsKey,
    open: () => objects.read(reach, { record: object }, undefined, closing),
  }, closing);
}
