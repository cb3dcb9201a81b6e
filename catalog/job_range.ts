/** Entries of the catalog in the order in which their jobs were submitted. */
import type { JobId } from "../codecs/ids.ts";
import { timePrefix } from "../codecs/job_id.ts";
import { maxBatch } from "./keys.ts";

/** Which jobs, in which order. Times are milliseconds since 1970. */
export interface JobRange {
  /** Submitted at this time or later. */
  readonly from?: number;
  /** Submitted before this time. */
  readonly before?: number;
  /** Only those that come after this one in the order asked for. */
  readonly after?: JobId;
  readonly descending: boolean;
  /** At most so many. */
  readonly limit?: number;
}

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
