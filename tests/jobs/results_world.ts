/** Jobs that end, and what is to be seen of their results. */
import type { JobEntry } from "../../catalog/entries.ts";
import { batchIdOf } from "../catalog/memory.ts";
import type { Batch } from "../../providers/provider.ts";
import { quiet } from "../objects/world.ts";
import { createRequest, type JobWorld } from "./world.ts";

/** Starts a job whose results will be these parts. */
export async function start(
  world: JobWorld,
  parts: readonly string[],
  more: Parameters<typeof createRequest>[0] = {},
): Promise<JobEntry> {
  const job = await world.jobs.create(world.reach, "us-west-2", createRequest(more), quiet());
  world.cloud.results.set(batchIdOf(job), parts);
  return job;
}

/** Lets a job's batch end, and asks for the job. */
export async function finish(
  world: JobWorld,
  job: JobEntry,
  more: Partial<Batch> & { status?: Batch["status"] } = {},
): Promise<JobEntry> {
  const { status = "Completed", ...rest } = more;
  world.cloud.set(batchIdOf(job), status, rest);
  return await get(world, job);
}

/** The job as it is now. */
export function get(world: JobWorld, { id }: Pick<JobEntry, "id">): Promise<JobEntry> {
  return world.jobs.get(world.reach, "us-west-2", id, quiet());
}

/** Counts of so many records, all of which succeeded. */
export const counts = (total: number) => ({ total, processed: total, success: total, error: 0 });

/** Keys of a bucket. */
export async function keysOf(world: JobWorld, bucket = "out", prefix = ""): Promise<string[]> {
  const page = await world.objects.list(
    world.reach,
    { bucket, prefix, delimiter: "", maxKeys: 1_000, startAfter: "" },
    quiet(),
  );
  return page.objects.map(({ key }) => key);
}

/** The text of an object, or of a range of it; undefined where there is none. */
export async function textOf(
  world: JobWorld,
  key: string,
  range?: { first: number; last: number },
  bucket = "out",
): Promise<string | undefined> {
  const found = await world.objects.find(world.reach, { bucket, key }, quiet());
  if (!found) return undefined;
  if (found.record.bytes === 0) return "";
  const body = await world.objects.read(world.reach, found, range, quiet());
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** A job's results. */
export async function resultsOf(world: JobWorld, job: JobEntry): Promise<string | undefined> {
  return await textOf(world, `${job.id}/file-in.out`);
}

/** A job's manifest. */
export async function manifestOf(
  world: JobWorld,
  job: JobEntry,
): Promise<Record<string, number> | undefined> {
  const text = await textOf(world, `${job.id}/manifest.json.out`);
  return text === undefined ? undefined : JSON.parse(text);
}
