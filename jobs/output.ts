/** Where a job's results will be must be sayable before the job is begun. */
import type { JobDescription } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { isFolder, parseS3Uri } from "../codecs/s3_uri.ts";
import type { Objects } from "../objects/objects.ts";
import type { Reach } from "../reach/reach.ts";
import { resultsKeys } from "./results/keys.ts";

/**
 * The provider that forwards to S3 to which the bucket of a job's output is bound; undefined where
 * results stay with the job's own provider. Throws `denied` where the caller may not use it.
 */
export function outputProvider(
  reach: Reach,
  { outputDataConfig }: Pick<JobDescription, "outputDataConfig">,
): string | undefined {
  const uri = parseS3Uri(outputDataConfig.s3OutputDataConfig.s3Uri);
  const name = uri && reach.boundTo?.(uri.bucket);
  return name !== undefined && reach.forwardingAt?.(name) ? name : undefined;
}

/**
 * Throws `invalid` where a job's results would have no bucket or no name: their bucket does not
 * exist (which only buckets that are not implicit can do), their keys would be too long, or that of
 * the results is that of the manifest.
 */
export async function checkOutput(
  objects: Objects,
  reach: Reach,
  job: JobDescription,
): Promise<void> {
  const { s3Uri } = job.outputDataConfig.s3OutputDataConfig;
  const keys = resultsKeys(job);
  if (!keys) {
    throw new Failure(
      "invalid",
      `The output s3Uri ${s3Uri} leaves no room for the names of the results: they are ` +
        "<output>/<job id>/<last part of the input>.out, and a key has at most 1024 bytes",
    );
  }
  const input = parseS3Uri(job.inputDataConfig.s3InputDataConfig.s3Uri);
  if (keys.output === keys.manifest && !(input && isFolder(input))) {
    throw new Failure(
      "invalid",
      "The results of an input that is named manifest.json would have the key of the job's own " +
        "manifest. Give the input another name",
    );
  }
  // A bucket that refuses keeps the job from ending, and may have been mended by then.
  if (job.outputAt !== undefined) return;
  try {
    await objects.buckets.check(reach, keys.bucket);
  } catch (error) {
    if (!(error instanceof Failure && error.kind === "not-found")) throw error;
    throw new Failure(
      "invalid",
      `The bucket of the output s3Uri ${s3Uri} does not exist at ${reach.provider.name}. Create it ` +
        "first",
      { cause: error },
    );
  }
}
