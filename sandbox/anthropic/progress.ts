/** Where a message batch is in its life: computed only from its times, with each question. */
import type { SandboxOptions } from "../context.ts";
import { durationOf } from "../duration.ts";
import type { BatchRecord } from "./records.ts";

/** How far a batch is. */
export interface Progress {
  readonly status: "in_progress" | "canceling" | "ended";
  readonly expiresAt: Date;
  /** Set once it has ended. */
  readonly endedAt: Date | undefined;
  /** How many requests, the first ones, were carried out by the end. */
  readonly carriedOut: number;
  /** What became of the others. */
  readonly others: "canceled" | "expired";
  /** Set once the results are too old to be read. */
  readonly archivedAt: Date | undefined;
}

/** Share of `batchSeconds` that a cancellation takes. */
const cancelling = 0.1;
const keptMilliseconds = 29 * 24 * 3600 * 1000;

/** The progress of a batch at a time. */
export function progress(batch: BatchRecord, options: SandboxOptions, now: Date): Progress {
  const created = Date.parse(batch.createdAt);
  const whole = durationOf(options, created);
  const expires = created + options.windowSeconds * 1000;
  const stopped = batch.cancelledAt === null ? Infinity : Date.parse(batch.cancelledAt);
  const cancelled = stopped + cancelling * whole;
  const end = Math.min(created + whole, expires, cancelled);
  const worked = Math.min(end, stopped) - created;
  const time = now.getTime();
  return {
    status: end <= time ? "ended" : batch.cancelledAt === null ? "in_progress" : "canceling",
    expiresAt: new Date(expires),
    endedAt: end <= time ? new Date(end) : undefined,
    carriedOut: whole === 0 || (end === created + whole && stopped >= end)
      ? batch.total
      : Math.floor(batch.total * worked / whole),
    others: batch.cancelledAt !== null && cancelled <= expires ? "canceled" : "expired",
    archivedAt: created + keptMilliseconds <= time
      ? new Date(created + keptMilliseconds)
      : undefined,
  };
}
