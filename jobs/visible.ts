/** Which of its tenant's jobs a reach shows. */
import type { JobEntry } from "../catalog/entries.ts";
import { isNative } from "../catalog/plans.ts";
import { parseS3Uri } from "../codecs/s3_uri.ts";
import { mayUse, type Reach } from "../reach/reach.ts";

/**
 * Returns whether a job is shown: it reads and writes buckets that may be used. A native batch is
 * in no bucket; a caller that may see such batches sees them all.
 */
export function isVisible(reach: Reach, job: JobEntry): boolean {
  if (reach.mayUse === undefined || isNative(job)) return true;
  const { inputDataConfig: { s3InputDataConfig: input } } = job;
  const { outputDataConfig: { s3OutputDataConfig: output } } = job;
  return [input.s3Uri, output.s3Uri].every((uri) => {
    const bucket = parseS3Uri(uri)?.bucket;
    return bucket !== undefined && mayUse(reach, bucket);
  });
}
