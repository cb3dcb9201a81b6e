/**
 * Work of a provider for a job, behind one interface: polling, ending and stopping a job do not
 * depend on how many batches it has, or on where they are.
 */
import type { Batch } from "../providers/provider.ts";
import type { Outcome } from "./results/collect.ts";
import type { Evidence, Wait } from "./verdict.ts";

/** State of a job's work at its provider, in Bedrock's words. */
export interface Report extends BatchReport {
  /**
   * From when on batches wait to be started while none of the job runs, and when that was last found
   * so, in milliseconds since 1970; absent where none waits, or one runs.
   */
  readonly waited?: { readonly since: number; readonly until: number };
}

type BatchReport = Pick<
  Batch,
  | "status"
  | "rawStatus"
  | "unknownStatus"
  | "counts"
  | "message"
  | "endedAt"
  | "expiresAt"
  | "results"
  | "areMoreResults"
  | "isQueueFull"
>;

/** History of a doubt, for the verdict on what was read. */
export type DoubtSoFar = Pick<Evidence, "waited" | "isOld">;

/** Work of a provider for one job. */
export interface Run {
  /** Names the work in sentences: `batch batch_123`. */
  readonly name: string;
  /** Asks the provider. Throws `not-found` where it does not have the work any more. */
  report(signal: AbortSignal): Promise<Report>;
  /** Asks the provider to stop; throws `conflict` where the work is over already. */
  stop(signal: AbortSignal): Promise<void>;
  /**
   * Reads the results of work that is over.
   *
   * @returns What the job ends with, or why it does not end yet.
   */
  collect(report: Report, doubt: DoubtSoFar, signal: AbortSignal): Promise<Outcome | Wait>;
  /** Deletes what only work that is over needed. */
  release(signal: AbortSignal): Promise<void>;
}
