/** Reports on a job's results: counts, the manifest, and what is wrong with them. */
import type { JobCounts } from "../../catalog/entries.ts";
import type { Batch } from "../../providers/provider.ts";
import { messageWith } from "../end_message.ts";
import type { Check } from "./check.ts";

/** The ids of some records, in the order of the input, and how many there are. */
export interface Named {
  /** How many lines or records are named. */
  readonly count: number;
  /** How many records there are to be named. */
  readonly records: number;
  readonly first: readonly string[];
}

/** Faults of results that were read. */
export interface Faults {
  readonly missing: Named;
  readonly repeated: Named;
  readonly isCutShort: boolean;
  /** Why parts of them could not be read, a sentence each. */
  readonly unread?: readonly string[];
  /** The provider reports results, and names none. */
  readonly areUnnamed?: boolean;
}

/** How many records are named. */
export const mostNamed = 10;
const maxIdLength = 64;
const maxEscapedLength = 130;

/**
 * The counts of a job that is over. They are those of the results where these were read, so that the
 * job, its manifest and its results never differ; else what the provider reports.
 */
export function countsOf(counts: JobCounts | undefined, check: Check | undefined): JobCounts {
  const reported = counts ?? { total: 0, processed: 0, success: 0, error: 0 };
  if (!check || check.parts.length === 0) return reported;
  const { success, error, records } = check;
  return { total: Math.max(reported.total, records), processed: success + error, success, error };
}

/** Returns how many records the results must hold at least. */
export function expectedOf({ status, counts }: Batch): number {
  if (!counts) return 0;
  // What a batch had no time for need not be in its results.
  return status === "Completed" ? counts.total : counts.processed;
}

/** The manifest, in Bedrock's words. */
export function manifestOf(counts: JobCounts, check: Check | undefined): string {
  const { inputTokens, outputTokens } = check ?? {};
  return JSON.stringify({
    totalRecordCount: counts.total,
    processedRecordCount: counts.processed,
    successRecordCount: counts.success,
    errorRecordCount: counts.error,
    ...(inputTokens !== undefined && { inputTokenCount: inputTokens }),
    ...(outputTokens !== undefined && { outputTokenCount: outputTokens }),
  });
}

/** The provider's own reason, and what is wrong with the results; undefined where nothing is. */
export function messageOf(
  batch: Pick<Batch, "status" | "message">,
  { missing, repeated, isCutShort, unread = [], areUnnamed = false }: Faults,
  expected: number,
): string | undefined {
  const sentences: string[] = [];
  if (areUnnamed) {
    sentences.push("The provider says that the batch is over, and names no results of it.");
  }
  for (const why of unread) sentences.push(`A part of the results cannot be read: ${why}`);
  if (isCutShort) sentences.push("The provider's results break off before their end.");
  if (missing.count > 0) {
    const who = named(missing);
    sentences.push(`The provider's results lack ${missing.count} of ${expected} records${who}.`);
  }
  if (repeated.count > 0) {
    const [were, each] = repeated.count === 1 ? ["line", "was"] : ["lines", "were"];
    sentences.push(
      `${repeated.count} ${were} of the provider's results ${each} left out, because the record ` +
        `had come before${named(repeated)}.`,
    );
  }
  return messageWith(batch, sentences);
}

function named({ records, first }: Named): string {
  if (first.length === 0) return "";
  const ids = first.map(shortened).join(", ");
  return records > first.length ? `: ${ids} and others` : `: ${ids}`;
}

/** As a JSON text: what it escapes can make an id six times as long, and ten must find room. */
function shortened(id: string): string {
  const whole = JSON.stringify(id);
  if (id.length <= maxIdLength && whole.length <= maxEscapedLength) return whole;
  let short = id.slice(0, maxIdLength);
  while (JSON.stringify(short).length > maxEscapedLength) short = short.slice(0, -1);
  return JSON.stringify(`${short}…`);
}
