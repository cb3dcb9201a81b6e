/** The sum of what a job's shards report. Pure. */
import type { PreparedEntry, ShardEnd, ShardEntry } from "../../catalog/shard_entries.ts";
import { isTerminal, type JobStatus } from "../../codecs/job_status.ts";
import { nameLines } from "../../codecs/line_reasons.ts";
import type { RecordCounts } from "../../providers/provider.ts";
import type { Report } from "../run.ts";

/** A shard, and what its provider reports of its batch; absent where it has none. */
export interface Seen {
  readonly shard: ShardEntry;
  readonly report?: Report;
}

/** The end of a shard, by the report of its batch; undefined while it runs. */
export function endOf(
  report: Report,
  now: number,
  shard: Pick<ShardEntry, "span" | "isInARow" | "records">,
): ShardEnd | undefined {
  const { status, counts, message, results, endedAt } = report;
  if (!isTerminal(status)) return undefined;
  return {
    status,
    ...(counts && { counts }),
    ...(message !== undefined && { message: nameLines(message, (line) => lineName(shard, line)) }),
    results,
    endedAt: endedAt?.getTime() ?? now,
  };
}

/** Returns the name of a line of a shard in messages: one of the input, where it is known which. */
function lineName(
  { span, isInARow, records }: Pick<ShardEntry, "span" | "isInARow" | "records">,
  line: number,
): string {
  const isOurs = line >= 1 && line <= records;
  return span && isInARow && isOurs
    ? `Line ${span[0] + line - 1} of the input`
    : `Record ${line} of the lines that were sent`;
}

/**
 * States of a job that runs, the one that is furthest behind last: any shard ahead moves the job.
 */
const order: readonly JobStatus[] = ["Stopping", "InProgress", "Scheduled", "Validating"];

/** Whether records may run once more. */
export interface MoreRounds {
  /** They will, or their job is a dry run. */
  readonly goesOn?: boolean | undefined;
  /** They would have, and their client's stop came before. */
  readonly isCutShort?: boolean | undefined;
}

/** Sums the reports of a job's shards into one report. */
export function sumOf(
  seen: readonly Seen[],
  { records, refused }: PreparedEntry,
  isStopRequested: boolean,
  { goesOn = false, isCutShort = false }: MoreRounds = {},
): Report {
  const counts = countsOf(seen, records, refused);
  const ends = seen.map(({ shard: { end } }) => end);
  const results = seen.flatMap(({ shard: { end, provider } }) =>
    provider === undefined ? end?.results ?? [] : []
  );
  const status = goesOn
    ? "InProgress"
    : isCutShort
    ? "Stopped"
    : ends.every((end) => end !== undefined)
    ? endStatus(seen.map(({ shard }) => shard))
    : isStopRequested && seen.every(({ shard }) => shard.end || shard.askedAt === undefined)
    ? "Stopped"
    : runningStatus(seen);
  const limits = seen.map(({ report }) => report?.expiresAt?.getTime())
    .filter((limit) => limit !== undefined);
  const shards = seen.map(({ shard }) => shard);
  return {
    status,
    rawStatus: status,
    counts,
    message: isTerminal(status) ? messageOf(shards) : waitOf(shards),
    results,
    endedAt: isTerminal(status)
      ? new Date(Math.max(0, ...ends.map((end) => end?.endedAt ?? 0)))
      : undefined,
    expiresAt: limits.length > 0 ? new Date(Math.min(...limits)) : undefined,
  };
}

function countsOf(seen: readonly Seen[], total: number, refused: number): RecordCounts {
  const all = seen.map(({ shard, report }) => shard.end?.counts ?? report?.counts);
  const success = all.reduce((sum, counts) => sum + (counts?.success ?? 0), 0);
  // What runs again had failed before.
  const again = seen.reduce((sum, { shard }) => sum + (shard.round ? shard.records : 0), 0);
  const failed = all.reduce((sum, counts) => sum + (counts?.error ?? 0), refused) - again;
  const error = Math.min(Math.max(0, failed), Math.max(0, total - success));
  return { total, processed: success + error, success, error };
}

/** The end of a job whose shards have all ended; a job without any has only refused records. */
function endStatus(shards: readonly ShardEntry[]): JobStatus {
  const ends = shards.map(({ end }) => end?.status);
  if (ends.length === 0) return "Completed";
  if (ends.every((status) => status === "Failed")) return "Failed";
  if (ends.includes("Stopped")) return "Stopped";
  if (ends.every((status) => status === "Expired")) return "Expired";
  // What an earlier round did not get to ran again in the last one.
  const last = Math.max(...shards.map(({ round = 0 }) => round));
  const isLate = shards.some(({ round = 0, end }) =>
    round === last && (end?.status === "Expired" || end?.status === "PartiallyCompleted")
  );
  return isLate ? "PartiallyCompleted" : "Completed";
}

function runningStatus(seen: readonly Seen[]): JobStatus {
  const statuses = seen.map(({ shard, report }) =>
    shard.end ? "InProgress" : report?.status ?? withoutReport(shard)
  );
  return order.find((status) => statuses.includes(status)) ?? "Validating";
}

function withoutReport({ missedAt, waitsFor }: ShardEntry): JobStatus {
  if (missedAt !== undefined) return "InProgress";
  return waitsFor === undefined ? "Validating" : "Scheduled";
}

function isUnstarted({ end, batch, askedAt }: ShardEntry): boolean {
  return !end && batch === undefined && askedAt === undefined;
}

/**
 * For how long a job only waits: from the end of its last batch, or from its submission on, to when
 * it was last found that the next one cannot be started. Undefined where a batch runs, or none waits.
 */
export function waitedOf(shards: readonly ShardEntry[], submittedAt: number): Report["waited"] {
  const isRunning = shards.some((shard) => !shard.end && !isUnstarted(shard));
  const until = Math.max(
    -Infinity,
    ...shards.filter(isUnstarted).map(({ waitsFor, waitedAt }) =>
      waitsFor === undefined ? -Infinity : waitedAt ?? -Infinity
    ),
  );
  if (isRunning || until === -Infinity) return undefined;
  return { since: Math.max(submittedAt, ...shards.map(({ end }) => end?.endedAt ?? 0)), until };
}

/** Returns what a job that runs waits for. */
function waitOf(shards: readonly ShardEntry[]): string | undefined {
  return unstarted(shards, "wait to be started");
}

function unstarted(shards: readonly ShardEntry[], how: string): string | undefined {
  const waiting = shards.filter(isUnstarted);
  const why = waiting.find(({ waitsFor }) => waitsFor !== undefined)?.waitsFor;
  return why === undefined
    ? undefined
    : `${waiting.length} of the job's ${shards.length} batches ${how}: ${why}`;
}

/** How many groups of lines are named. */
const mostNamed = 10;

/** The providers' reasons, each once; what failed is named by the lines of its records. */
function messageOf(shards: readonly ShardEntry[]): string | undefined {
  const reasons = new Map<string, ShardEntry[]>();
  const isWhole = shards.every(({ end }) => end?.status === "Failed");
  for (const shard of shards) {
    const { end } = shard;
    const reason = end?.message ?? (end?.status === "Failed" ? noReason : undefined);
    if (reason === undefined) continue;
    const failed = reasons.get(reason) ?? [];
    reasons.set(reason, failed);
    if (end?.status === "Failed" && !isWhole) failed.push(shard);
  }
  const said = [...reasons].map(([reason, failed]) =>
    failed.length === 0 ? reason : `The records ${linesOf(failed)} failed: ${reason}`
  );
  const left = unstarted(shards, "were never started");
  if (left !== undefined) said.push(left);
  return said.length === 0 ? undefined : said.join(" ");
}

/**
 * Returns where the records of shards are: on lines of the input, or by their numbers in a folder.
 */
function linesOf(shards: readonly ShardEntry[]): string {
  const spans = shards.map(({ span }) => span).filter((span) => span !== undefined);
  if (spans.length === shards.length) {
    return `on ${rangesOf(spans, "line ", "lines ")} of the input`;
  }
  const numbers = shards.map(({ first, last }) => [first, last] as const);
  return `${rangesOf(numbers, "", "")} of all files of the input`;
}

function rangesOf(
  ranges: readonly (readonly [number, number])[],
  one: string,
  several: string,
): string {
  const named = ranges.slice(0, mostNamed).map(([first, last]) =>
    first === last ? `${one}${first}` : `${several}${first} to ${last}`
  );
  return `${named.join(", ")}${ranges.length > mostNamed ? " and others" : ""}`;
}

const noReason = "The provider failed the batch and gave no reason.";
