/** Where a batch is in its life: computed only from its times, with each question. */
import type { SandboxOptions } from "../context.ts";
import { durationOf } from "../duration.ts";
import type { BatchRecord } from "./records.ts";

/** States on the wire that follow only from time; FAILED comes from the input. */
export type TimedState =
  | "BATCH_STATE_PENDING"
  | "BATCH_STATE_RUNNING"
  | "BATCH_STATE_SUCCEEDED"
  | "BATCH_STATE_CANCELLED"
  | "BATCH_STATE_EXPIRED";

/** How far a batch is. */
export interface Progress {
  readonly state: TimedState;
  /** Share of the records that are done, from 0 to 1. */
  readonly done: number;
  /** When the last change of state was. */
  readonly changedAt: Date;
  /** Set once the state is final. */
  readonly endedAt: Date | undefined;
  /** The state is SUCCEEDED and the results can be read; they come a moment after the state. */
  readonly resultsAt: Date | undefined;
}

/** Shares of `batchSeconds` after which a batch runs, and has succeeded. */
const runningFrom = 0.1;
const succeededFrom = 0.9;
/** Share of `batchSeconds` that a cancellation takes. */
const cancelling = 0.1;

/** Returns when a batch leaves PENDING: its input is read from then on. */
export function startOf(batch: BatchRecord, options: SandboxOptions): Date {
  const created = Date.parse(batch.createdAt);
  return new Date(created + runningFrom * durationOf(options, created));
}

/**
 * The progress of a batch at a time.
 *
 * SUCCEEDED is shown for a moment before the results are there, as reported of the real API (2026).
 * A batch that is not done within the window expires without any result.
 */
export function progress(batch: BatchRecord, options: SandboxOptions, now: Date): Progress {
  const created = Date.parse(batch.createdAt);
  const whole = durationOf(options, created);
  const succeeded = created + succeededFrom * whole;
  const expired = created + options.windowSeconds * 1000;
  const cancelled = batch.cancelledAt === null
    ? Infinity
    : Date.parse(batch.cancelledAt) + cancelling * whole;
  const time = now.getTime();
  const done = whole === 0 ? 1 : Math.min(1, (time - created) / (succeededFrom * whole));

  const over = (state: TimedState, at: number, resultsAt?: Date): Progress => ({
    state,
    done: 1,
    changedAt: new Date(at),
    endedAt: new Date(at),
    resultsAt,
  });
  if (cancelled <= time && cancelled <= expired) return over("BATCH_STATE_CANCELLED", cancelled);
  if (cancelled === Infinity && succeeded <= time && succeeded <= expired) {
    const resultsAt = created + whole;
    return over(
      "BATCH_STATE_SUCCEEDED",
      succeeded,
      resultsAt <= time ? new Date(resultsAt) : undefined,
    );
  }
  if (expired <= time) return over("BATCH_STATE_EXPIRED", expired);
  const started = startOf(batch, options);
  return started.getTime() <= time
    ? {
      state: "BATCH_STATE_RUNNING",
      done,
      changedAt: started,
      endedAt: undefined,
      resultsAt: undefined,
    }
    : {
      state: "BATCH_STATE_PENDING",
      done: 0,
      changedAt: new Date(created),
      endedAt: undefined,
      resultsAt: undefined,
    };
}
