/** Where a simulated batch is in its life: worked out from the clock, nothing runs. */
import type { Json, SandboxOptions } from "../context.ts";
import { durationOf } from "../duration.ts";
import { unixSeconds } from "./call.ts";

/** What is wrong with an input file. */
export type BatchError = {
  code: string;
  message: string;
  param: string | null;
  line: number | null;
};

/** What the check of the input file found. */
export type CheckedInput = {
  records: number;
  /** Records that will fail when they are run. */
  failing: number;
  model: string | null;
  /** None where the batch can run. */
  errors: BatchError[];
};

/** What running the records came to. */
export type BatchResults = {
  output_file_id: string | null;
  error_file_id: string | null;
  completed: number;
  failed: number;
  input_tokens: number;
  output_tokens: number;
};

/** A batch as it is stored; times in milliseconds. */
export type BatchDocument = {
  id: string;
  endpoint: string;
  input_file_id: string;
  completion_window: string;
  metadata: { [key: string]: string } | null;
  /** How long the output files live, where that was asked for. */
  outputSeconds: number | null;
  createdAt: number;
  cancelAt: number | null;
  checked: CheckedInput | null;
  results: BatchResults | null;
};

/** OpenAI's words for where a batch is. */
export type BatchStatus =
  | "validating"
  | "failed"
  | "in_progress"
  | "finalizing"
  | "completed"
  | "expired"
  | "cancelling"
  | "cancelled";

/** Where a batch is at one moment. */
export interface BatchMoment {
  readonly status: BatchStatus;
  /** When each status was reached, in milliseconds. */
  readonly reached: Readonly<Partial<Record<BatchStatus, number>>>;
  /** Share of the records that were run by now, 0 to 1. */
  readonly share: number;
}

/** Parts of `batchSeconds` after which each stage is over. */
const validated = 0.2;
const ran = 0.8;
/** Part of `batchSeconds` that a cancellation takes. */
const cancelling = 0.2;

/** Returns whether a batch of this status never changes again. */
export function isFinal(status: BatchStatus): boolean {
  return ["failed", "completed", "expired", "cancelled"].includes(status);
}

/** Returns when the input file has been checked, in milliseconds. */
export function checkedAt(batch: BatchDocument, options: SandboxOptions): number {
  return batch.createdAt + validated * durationOf(options, batch.createdAt);
}

/** Returns where a batch is at `now` (milliseconds), given what the check of its input found. */
export function momentOf(batch: BatchDocument, now: number, options: SandboxOptions): BatchMoment {
  const { createdAt, cancelAt, checked } = batch;
  const scale = durationOf(options, createdAt);
  const running = checkedAt(batch, options);
  const finalizing = createdAt + ran * scale;
  const completed = createdAt + scale;
  const expired = createdAt + options.windowSeconds * 1000;
  const share = (at: number) => {
    if (at < running) return 0;
    return finalizing > running ? Math.min(1, (at - running) / (finalizing - running)) : 1;
  };

  const stop = Math.min(cancelAt ?? Infinity, expired);
  const stages: [BatchStatus, number][] = [["validating", createdAt]];
  if (running <= stop && checked !== null && checked.errors.length > 0) {
    stages.push(["failed", running]);
  } else {
    const planned: [BatchStatus, number][] = [
      ["in_progress", running],
      ["finalizing", finalizing],
      ["completed", completed],
    ];
    stages.push(...planned.filter(([, at]) => at <= stop));
    if (completed > stop) {
      if (stop === cancelAt) {
        stages.push(["cancelling", cancelAt], ["cancelled", cancelAt + cancelling * scale]);
      } else stages.push(["expired", expired]);
    }
  }
  const past = stages.filter(([status, at]) => at <= now || status === "validating");
  return {
    status: past.at(-1)?.[0] ?? "validating",
    reached: Object.fromEntries(past),
    share: share(Math.min(now, stop)),
  };
}

/** A batch as the API shows it. */
export function shownBatch(
  batch: BatchDocument,
  { status, reached, share }: BatchMoment,
  options: SandboxOptions,
): { id: string; [key: string]: Json } {
  const { checked, results } = batch;
  const at = (name: BatchStatus) => {
    const time = reached[name];
    return time === undefined ? null : unixSeconds(time);
  };
  const started = reached.in_progress !== undefined && checked !== null;
  const done = started ? Math.floor(share * checked.records) : 0;
  const failed = started && checked.records > 0
    ? Math.floor(done * checked.failing / checked.records)
    : 0;
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    model: started ? checked.model : null,
    errors: status === "failed" ? { object: "list", data: checked?.errors ?? [] } : null,
    input_file_id: batch.input_file_id,
    completion_window: batch.completion_window,
    status,
    output_file_id: results?.output_file_id ?? null,
    error_file_id: results?.error_file_id ?? null,
    created_at: unixSeconds(batch.createdAt),
    in_progress_at: at("in_progress"),
    expires_at: unixSeconds(batch.createdAt + options.windowSeconds * 1000),
    finalizing_at: at("finalizing"),
    completed_at: at("completed"),
    failed_at: at("failed"),
    expired_at: at("expired"),
    cancelling_at: at("cancelling"),
    cancelled_at: at("cancelled"),
    request_counts: {
      total: started ? checked.records : 0,
      completed: results?.completed ?? done - failed,
      failed: results?.failed ?? failed,
    },
    usage: {
      input_tokens: results?.input_tokens ?? 0,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: results?.output_tokens ?? 0,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: (results?.input_tokens ?? 0) + (results?.output_tokens ?? 0),
    },
    metadata: batch.metadata,
  };
}
