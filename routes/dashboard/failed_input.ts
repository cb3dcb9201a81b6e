/** The input of a job whose failed records are to run again: where it is, and whether it is readable. */
import type { JobEntry } from "../../catalog/entries.ts";
import { gunzip } from "../../codecs/gunzip.ts";
import { parseS3Uri, type S3Uri } from "../../codecs/s3_uri.ts";
import { type RecordSources, unreadable } from "../../jobs/failed_records.ts";
import { resultsKeys } from "../../jobs/results/keys.ts";
import { isPackedName } from "../../jobs/source.ts";
import type { Found } from "../../objects/find.ts";
import type { OwnReach } from "./reaches.ts";
import type { PageRequest } from "./request.ts";

/** A file of an input, with the metadata that its client gave it. */
interface InputFile extends RecordSources {
  readonly metadata: Readonly<Record<string, string>>;
}

/** More files of a folder than these are not read for one press of a button. */
const mostFiles = 1_000;

/**
 * Returns why the failed records of a job cannot run again from here, as far as its plan says so.
 */
export function whyNotAgain({ plan, ...job }: JobEntry, provider: string): string | undefined {
  if (plan.kind === "native") return "it was not created through the gateway";
  const input = inputOf(job);
  if (!input) return "its input is not an object";
  if (plan.kind === "direct") return undefined;
  const { source, isDryRun } = plan;
  if (isDryRun) return "it was a dry run, in which no record runs";
  if (source.in === "s3" || source.provider !== provider) {
    return `its input is at ${source.provider}, and the failed records would be put at ${provider}`;
  }
  if (input.key === "") return "its input is a whole bucket";
  return undefined;
}

/**
 * Returns where the failed records of a job are put: beside its input, and never within its folder.
 */
export function failedInput(job: JobEntry): S3Uri | undefined {
  const input = inputOf(job);
  if (!input) return undefined;
  const key = input.key.replace(/\/$|\.jsonl(?:\.gz)?$/, "");
  return { bucket: input.bucket, key: `${key}.failed-${job.id}.jsonl` };
}

/** The files of a job's input with their results. Throws `unsupported` where they are not what ran. */
export async function filesOfInput(
  request: PageRequest,
  own: OwnReach,
  job: JobEntry,
): Promise<readonly InputFile[]> {
  const { plan } = job;
  const isFolder = plan.kind === "sharded" && plan.source.in === "folder";
  return isFolder ? await filesOfFolder(request, own, job) : [await oneFile(request, own, job)];
}

async function oneFile(request: PageRequest, own: OwnReach, job: JobEntry): Promise<InputFile> {
  const input = inputOf(job);
  const found = input && await request.deps.objects.find(own.reach, input, request.signal);
  if (!found || !isRead(job, found)) throw unreadable("its input is gone, or was replaced");
  const file = await withResults(request, own, job, { found, key: input.key });
  if (!file) throw unreadable("it has no results, or they are gone");
  return file;
}

async function filesOfFolder(
  request: PageRequest,
  own: OwnReach,
  job: JobEntry,
): Promise<readonly InputFile[]> {
  const { deps, signal } = request;
  const { bucket, key: prefix } = inputOf(job) ?? { bucket: "", key: "" };
  const files: InputFile[] = [];
  const asked = { bucket, prefix, delimiter: "", startAfter: "", maxKeys: mostFiles };
  const page = await deps.objects.list(own.reach, asked, signal);
  if (page.next) throw unreadable(`its folder has more than ${mostFiles} files`);
  for (const { key } of page.objects) {
    if (!/\.jsonl(?:\.gz)?$/.test(key)) continue;
    const found = await deps.objects.find(own.reach, { bucket, key }, signal);
    const path = key.slice(prefix.length);
    const file = found && await withResults(request, own, job, { found, key, path });
    // Without results it came to the folder after the job.
    if (!file) continue;
    if (found.record.modifiedAt > job.submittedAt) {
      throw unreadable("a file of its folder was replaced since");
    }
    files.push(file);
  }
  if (files.length === 0) throw unreadable("its results, or the files of its folder, are gone");
  return files;
}

/** A file with its results; undefined where it has none. */
async function withResults(
  { deps, signal }: PageRequest,
  { reach }: OwnReach,
  job: JobEntry,
  { found, key, path }: { readonly found: Found; readonly key: string; readonly path?: string },
): Promise<InputFile | undefined> {
  const place = resultsKeys(job, path);
  const results = place &&
    await deps.objects.find(reach, { bucket: place.bucket, key: place.output }, signal);
  if (!results) return undefined;
  const read = (one: Found) => deps.objects.read(reach, one, undefined, signal);
  const isPacked = job.plan.kind === "sharded" && isPackedName(key);
  return {
    input: async () => isPacked ? gunzip(await read(found)) : await read(found),
    results: () => read(results),
    metadata: found.record.metadata,
  };
}

/** Returns whether an object is the one that a job has read. */
function isRead({ plan }: JobEntry, { record }: Found): boolean {
  if (plan.kind === "direct") return plan.input === record.file;
  return plan.kind === "sharded" && plan.source.in === "object" &&
    plan.source.file === record.file;
}

function inputOf({ inputDataConfig }: Pick<JobEntry, "inputDataConfig">): S3Uri | undefined {
  return parseS3Uri(inputDataConfig.s3InputDataConfig.s3Uri);
}
