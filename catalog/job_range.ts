/** Entries of the catalog in the order in which their jobs were submitted. */
import type { JobRange } from "./jobs.ts";
import { timePrefix } from "../codecs/job_id.ts";
import { maxBatch } from "./keys.ts";

/** Entries below a prefix whose last part is a job's id. */
export async function* readRange<Value>(
  kv: Deno.Kv,
  prefix: Deno.KvKey,
  range: JobRange,
): AsyncGenerator<Deno.KvEntry<Value>> {
  const { descending: reverse, after, limit } = range;
  let from = range.from === undefined ? "" : timePrefix(range.from);
  let before = range.before === undefined ? "\u{7f}" : timePrefix(range.before);
  if (after !== undefined) {
    if (reverse) before = lesser(before, after);
    else from = greater(from, `${after}\0`);
  }
  if (from >= before) return;
  const selector = { start: [...prefix, from], end: [...prefix, before] };
  const batchSize = Math.min(limit ?? maxBatch, maxBatch);
  yield* kv.list<Value>(selector, { reverse, batchSize, ...(limit !== undefined && { limit }) });
}

function lesser(a: string, b: string): string {
  return a < b ? a : b;
}

function greater(a: string, b: string): string {
  return a > b ? a : b;
}
