/** The legal moves of a job, as pure functions of what was and what the provider says. */
import type { JobProgress, JobRecord } from "../catalog/records.ts";
import { isTerminal, type JobStatus } from "../codecs/job_status.ts";
import type { Batch } from "../providers/provider.ts";

/** Where a job stands right after its provider accepted it. */
export function accepted(batch: Batch, now: number): JobProgress {
  return progressOf(batch, batch.status, false, now);
}

/**
 * Where a job stands after its provider told of its batch; undefined if nothing changed.
 *
 * A job that is over never changes again. One whose stop was asked for is Stopping until the
 * provider has an end to tell.
 */
export function advance(job: JobRecord, batch: Batch, now: number): JobProgress | undefined {
  if (isTerminal(job.status)) return undefined;
  const status = job.stopRequested && !isTerminal(batch.status) ? "Stopping" : batch.status;
  const next = progressOf(batch, status, job.stopRequested, now);
  return isSame(job, next) ? undefined : next;
}

/** Where a job stands after its stop was asked for; undefined if it is over. */
export function stopping(job: JobRecord, now: number): JobProgress | undefined {
  if (isTerminal(job.status)) return undefined;
  return { ...job, status: "Stopping", stopRequested: true, modifiedAt: now };
}

/** A batch as it is shown while its results have not been read: it is not over yet. */
export function unsettled(batch: Batch): Batch {
  return isTerminal(batch.status) ? { ...batch, status: "InProgress", endedAt: undefined } : batch;
}

function progressOf(
  batch: Batch,
  status: JobStatus,
  stopRequested: boolean,
  now: number,
): JobProgress {
  const over = isTerminal(status);
  return {
    batch: batch.id,
    status,
    stopRequested,
    modifiedAt: now,
    results: batch.results,
    ...(batch.message !== undefined && { message: batch.message }),
    ...(over && { endedAt: batch.endedAt?.getTime() ?? now }),
    ...(batch.expiresAt && { expiresAt: batch.expiresAt.getTime() }),
    ...(batch.counts && { counts: batch.counts }),
  };
}

function isSame(job: JobRecord, next: JobProgress): boolean {
  return job.status === next.status && job.message === next.message &&
    job.expiresAt === next.expiresAt &&
    job.results.join() === next.results.join() &&
    job.counts?.total === next.counts?.total &&
    job.counts?.processed === next.counts?.processed &&
    job.counts?.success === next.counts?.success &&
    job.counts?.error === next.counts?.error;
}
