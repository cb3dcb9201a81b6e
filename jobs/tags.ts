/** A job's tags. They are kept in the catalog, however many the provider has room for. */
import { Failure } from "../codecs/failure.ts";
import type { JobDeps, ScopedJob } from "./deps.ts";
import { maxTags } from "./validate.ts";

/** Adds and changes tags. */
export async function tagJob(
  { catalog }: JobDeps,
  { scope, job }: ScopedJob,
  added: Readonly<Record<string, string>>,
): Promise<void> {
  const now = await catalog.jobs.tags(scope, job.id);
  const count = new Set([...Object.keys(now), ...Object.keys(added)]).size;
  if (count > maxTags) {
    throw new Failure(
      "invalid",
      `The job would have ${count} tags, and it may have ${maxTags}. Remove some with UntagResource`,
      { bedrock: "TooManyTagsException" },
    );
  }
  await catalog.jobs.setTags(scope, job.id, added, []);
}

/** Takes tags away; one that is not there is no error. */
export async function untagJob(
  { catalog }: JobDeps,
  { scope, job }: ScopedJob,
  names: readonly string[],
): Promise<void> {
  await catalog.jobs.setTags(scope, job.id, {}, names);
}
