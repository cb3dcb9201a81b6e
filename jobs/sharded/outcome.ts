/** What a sharded job is recorded with: its results, its manifest, and the report of losses. */
import type { ResultsObject } from "../../catalog/results.ts";
import type { Scope } from "../../catalog/keys.ts";
import type { JobCounts } from "../../catalog/entries.ts";
import type { PreparedEntry, StoredBytes } from "../../catalog/shard_entries.ts";
import { resultsFile } from "../../codecs/results_id.ts";
import type { JobTools, StoredIn } from "../deps.ts";
import { commonOf, manifestObject, type Outcome } from "../results/collect.ts";
import { resultsKeys } from "../results/keys.ts";
import type { Report } from "../run.ts";
import { messageWith } from "../end_message.ts";
import type { Gathered } from "./gather.ts";
import type { ShardedJob } from "./prepare.ts";

const maxIdLength = 64;

/** The outcome of a job whose results were written. */
export async function outcomeOf(
  deps: JobTools,
  { scope, job }: ShardedJob,
  report: Report,
  gathered: Gathered,
  prepared: PreparedEntry | undefined,
): Promise<Outcome> {
  const { total, success, error, inputTokens, outputTokens, rerun } = gathered;
  const { retried, fellBack } = rerun;
  const counts: JobCounts = { total, processed: success + error, success, error };
  const keys = resultsKeys(job);
  const objects: ResultsObject[] = [];
  if (keys) {
    const text = JSON.stringify({
      totalRecordCount: total,
      processedRecordCount: counts.processed,
      successRecordCount: success,
      errorRecordCount: error,
      inputTokenCount: inputTokens,
      outputTokenCount: outputTokens,
      ...(retried > 0 && { retriedRecordCount: retried }),
      ...(fellBack > 0 && { fallbackRecordCount: fellBack, fallback: rerun.fallback }),
    });
    objects.push(manifestObject(deps, keys, job, text));
    const where = await deps.storedIn?.() ?? {};
    for (const { path, output } of gathered.files) {
      const { output: key } = path === undefined ? keys : resultsKeys(job, path) ?? keys;
      objects.push(storedObject(deps, job, where, { ...keys, key }, output, path));
    }
    const losses = gathered.losses ?? prepared?.losses;
    if (losses) {
      objects.push(storedObject(deps, job, where, { ...keys, key: keys.losses }, losses));
    }
  }
  await labelAll(deps, scope, objects);
  const message = messageOf(report, gathered, prepared, keys?.losses);
  return { counts, message, objects, cuts: [], runs: gathered.runs };
}

/** Labels the blobs of results, so that a lost catalog can be made again from them. */
export async function labelAll(
  { objects, closing }: JobTools,
  scope: Scope,
  all: readonly ResultsObject[],
): Promise<void> {
  for (const { object: record, ...name } of all) {
    await objects.label({ ...scope, ...name, record }, closing);
  }
}

/** An object of results whose bytes are in the blob store. */
export function storedObject(
  deps: JobTools,
  job: ShardedJob["job"],
  where: StoredIn,
  { bucket, key }: Pick<ResultsObject, "bucket" | "key">,
  { blob, bytes, sha256 }: StoredBytes,
  path?: string,
): ResultsObject {
  const file = resultsFile(job.id, sha256, path);
  const held = { in: "store", ...where, blob } as const;
  return { bucket, key, object: { ...commonOf(deps, job, sha256), file, held, bytes } };
}

function messageOf(
  end: Report,
  { total, lost, lostCount, repeated, repeatedCount, lostParts }: Gathered,
  prepared: PreparedEntry | undefined,
  report: string | undefined,
): string | undefined {
  const said: string[] = [];
  if (prepared && prepared.refused > 0) {
    said.push(`${prepared.refused} of ${total} records could not be translated and were not sent.`);
  }
  if (prepared && prepared.lossy > 0) {
    said.push(
      `${prepared.lossy} of ${total} records lost something in translation: see ${report}.`,
    );
  }
  if (lostCount > 0) {
    const ids = named(lost, lostCount);
    said.push(`The provider's results lack ${lostCount} of ${total} records: ${ids}.`);
  }
  if (repeatedCount > 0) {
    const [were, each] = repeatedCount === 1 ? ["line", "was"] : ["lines", "were"];
    said.push(
      `${repeatedCount} ${were} of the provider's results ${each} left out, because the record ` +
        `had come before: ${named(repeated, repeatedCount)}.`,
    );
  }
  if (lostParts.size > 0) {
    const parts = [...lostParts].map(([what, count]) => `${what} (${count})`).join(", ");
    said.push(`Answers held what their dialect cannot: ${parts}.`);
  }
  return messageWith(end, said);
}

/** The first ids of so many. */
function named(ids: readonly string[], count: number): string {
  const first = ids.map((id) => id.slice(0, maxIdLength)).join(", ");
  return count > ids.length ? `${first} and others` : first;
}
