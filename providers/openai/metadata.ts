/**
 * The part of a job that travels in an OpenAI batch's metadata: 16 pairs, keys of 64, values of
 * 512.
 */
import type { JobId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { type JsonObject, text } from "../json.ts";
import type { NewBatch } from "../provider.ts";

const maxPairs = 16;
const maxKey = 64;
const maxValue = 512;

const jobKey = "batchway_job";
const nameKey = "batchway_name";
const shardKey = "batchway_shard";
const ownKeys: ReadonlySet<string> = new Set([jobKey, nameKey, shardKey]);

/** Job id and job name, then the tags in their order as far as there is room for them. */
export function metadataOf(batch: NewBatch): Record<string, string> {
  const pairs: [string, string][] = [[jobKey, batch.jobId], [nameKey, batch.jobName]];
  if (batch.shard !== undefined) pairs.push([shardKey, `${batch.shard}`]);
  for (const [key, value] of Object.entries(batch.tags)) {
    if (pairs.length === maxPairs) break;
    const fits = [...key].length <= maxKey && [...value].length <= maxValue;
    if (fits && !ownKeys.has(key)) pairs.push([key, value]);
  }
  return Object.fromEntries(pairs);
}

/** The members that {@linkcode metadataOf} put in. */
export interface Travelled {
  readonly jobId: JobId | undefined;
  readonly shard?: number;
  readonly name: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** Reads the metadata of any batch, also of those that others made. */
export function travelled(metadata: JsonObject): Travelled {
  const job = text(metadata[jobKey]);
  const tags = Object.entries(metadata).filter((pair): pair is [string, string] =>
    typeof pair[1] === "string" && !ownKeys.has(pair[0])
  );
  const shard = text(metadata[shardKey]) ?? "";
  return {
    jobId: job !== undefined && isJobId(job) ? job : undefined,
    ...(/^\d{1,6}$/.test(shard) && { shard: Number(shard) }),
    name: text(metadata[nameKey]),
    tags: Object.fromEntries(tags),
  };
}
