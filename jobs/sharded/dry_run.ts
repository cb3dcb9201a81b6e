/** The end of a job that runs nothing: what it would take, and what it would lose. */
import type { PreparedEntry } from "../../catalog/shard_entries.ts";
import type { JobTools } from "../deps.ts";
import { manifestObject, type Outcome } from "../results/collect.ts";
import { resultsKeys } from "../results/keys.ts";
import { labelAll, storedObject } from "./outcome.ts";
import type { ShardedJob } from "./prepare.ts";

/** The outcome of such a job. */
export async function dryOutcome(
  deps: JobTools,
  { scope, job }: ShardedJob,
  { records, refused, lossy, losses, size }: PreparedEntry,
): Promise<Outcome> {
  const keys = resultsKeys(job);
  const text = JSON.stringify({
    dryRun: true,
    totalRecordCount: records,
    batchCount: size?.batches ?? 0,
    inputBytes: size?.bytes ?? 0,
    estimatedInputTokenCount: size?.tokens ?? 0,
  });
  const objects = keys ? [manifestObject(deps, keys, job, text)] : [];
  if (keys && losses) {
    const where = await deps.storedIn?.() ?? {};
    objects.push(storedObject(deps, job, where, { ...keys, key: keys.losses }, losses));
  }
  await labelAll(deps, scope, objects);
  const said = ["Nothing was run: this was a dry run."];
  if (refused > 0) said.push(`${refused} of ${records} records could not be translated.`);
  if (lossy > 0) said.push(`${lossy} of ${records} records lose something: see ${keys?.losses}.`);
  const counts = { total: records, processed: 0, success: 0, error: 0 };
  return { counts, message: said.join(" "), objects, cuts: [] };
}
