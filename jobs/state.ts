/** The legal moves of a job, as pure functions of what was and what the provider says. */
import type { JobDescription, JobEntry, JobProgress } from "../catalog/entries.ts";
import { isSingle } from "../catalog/plans.ts";
import { isTerminal, type JobStatus } from "../codecs/job_status.ts";
import type { Batch } from "../providers/provider.ts";
import { maxMessage, messageOfEnd } from "./end_message.ts";
import type { Report } from "./run.ts";

const ends = ["Completed", "PartiallyCompleted", "Failed", "Stopped", "Expired"] as const;

/**
 * Where a job may go from each status. What a provider reports out of turn, because two answers
 * crossed on their way, or because it puts a batch back into its queue, moves no job back.
 */
export const moves: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  Submitted: ["Validating", "Scheduled", "InProgress", "Stopping", ...ends],
  Validating: ["Scheduled", "InProgress", "Stopping", ...ends],
  Scheduled: ["InProgress", "Stopping", ...ends],
  InProgress: ["Stopping", ...ends],
  Stopping: ends,
  Completed: [],
  PartiallyCompleted: [],
  Failed: [],
  Stopped: [],
  Expired: [],
};

/**
 * How long a job that has no time of its own waits for room at its provider, in hours: AWS's default
 * of timeoutDurationInHours.
 */
const waitHours = 24;
const hour = 3_600_000;

/** Times that a job's own time limit is computed from. */
type Timed = Pick<JobDescription, "submittedAt" | "timeoutDurationInHours">;

/** Returns when a job's own time runs out, in milliseconds since 1970; undefined if it has none. */
export function deadlineOf({ submittedAt, timeoutDurationInHours }: Timed): number | undefined {
  if (timeoutDurationInHours === undefined) return undefined;
  return submittedAt + timeoutDurationInHours * hour;
}

/** Returns when a job is given up: its own deadline, or, where it has none, that of its waiting. */
function lastMoment(job: Timed, waited: Report["waited"]): number | undefined {
  return deadlineOf(job) ?? (waited && waited.since + waitHours * hour);
}

/** Returns where a job stands right after its provider accepted it. */
export function accepted(batch: Batch, now: number, job?: Timed): JobProgress {
  return ended({ ...progressOf(batch, batch.status, now, job), stopRequested: false });
}

/** Returns where a sharded job stands before its input was read. */
export function submitted(job: JobDescription, now: number): JobProgress {
  const expiresAt = deadlineOf(job);
  return {
    status: "Submitted",
    stopRequested: false,
    modifiedAt: now,
    results: [],
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

function ended(progress: JobProgress): JobProgress {
  const message = messageOfEnd(progress);
  return message === undefined ? progress : { ...progress, message };
}

/**
 * Returns where a job stands after a report of its provider; undefined if nothing changed.
 *
 * A job that is over never changes again. One whose stop was asked for is Stopping until the
 * provider reports an end.
 *
 * @param isDoubted Whether the provider says that it is over and is not taken at its word yet.
 */
export function advance(
  job: JobEntry,
  report: Report,
  now: number,
  isDoubted = false,
): JobProgress | undefined {
  const goesOn = job.stopRequested && !isTerminal(report.status);
  const status = goesOn ? "Stopping" : report.status;
  if (isTerminal(job.status)) return undefined;
  if (status !== job.status && !moves[job.status].includes(status)) return undefined;
  const news = progressOf(report, status, now, job);
  const next = ended({
    ...(job.timedOut && status === "Stopped"
      ? outOfTime(job, news, hasResultsOf(job, news))
      : news),
    stopRequested: job.stopRequested,
    ...(job.timedOut && { timedOut: true }),
    ...(isDoubted && { doubtSince: job.doubtSince ?? now }),
  });
  return isSame(job, next) ? undefined : next;
}

/** A job whose batch its provider does not have for now; undefined where that is known. */
export function missed(job: JobEntry, now: number): JobProgress | undefined {
  if (isTerminal(job.status) || job.doubtSince !== undefined) return undefined;
  return { ...job, doubtSince: now };
}

/**
 * Returns how work ends that its provider does not have any more, by what was to become of its job.
 */
export function vanishedStatus(job: JobEntry, now: number): "Expired" | "Stopped" | "Failed" {
  const isLate = job.timedOut === true || now >= (job.expiresAt ?? Infinity);
  return isLate ? "Expired" : job.stopRequested ? "Stopped" : "Failed";
}

/**
 * Returns where a job stands whose batch is gone for good; undefined if it is over. What becomes of
 * its records is not known any more, so it failed, unless it was to end in another way.
 */
export function vanished(job: JobEntry, now: number, why: string): JobProgress | undefined {
  if (isTerminal(job.status)) return undefined;
  const { doubtSince: _, ...rest } = job;
  const endedAt = Math.max(now, job.submittedAt);
  return ended({
    ...rest,
    status: vanishedStatus(job, now),
    message: why,
    modifiedAt: now,
    endedAt,
  });
}

/** Returns where a job stands after its stop was asked for; undefined if it is over. */
export function stopping(job: JobEntry, now: number): JobProgress | undefined {
  if (isTerminal(job.status)) return undefined;
  return { ...job, status: "Stopping", stopRequested: true, modifiedAt: now };
}

/** A report as it is shown while the results have not been read: the work is not over yet. */
export function beforeEnd<R extends Report>(report: R): R {
  return isTerminal(report.status)
    ? { ...report, status: "InProgress", endedAt: undefined }
    : report;
}

/**
 * Returns where a job stands whose own time ran out, or that waited for too long; undefined if that
 * has not come, or if it is over or being stopped already: of a client's stop and the deadline, the
 * first decides how the job ends.
 */
export function timingOut(
  job: JobEntry,
  now: number,
  { waited }: Pick<Report, "waited"> = {},
): JobProgress | undefined {
  // A gateway that was down for that long has to find out whether there is room by now.
  const time = deadlineOf(job) === undefined && waited ? waited.until : now;
  if (job.stopRequested || time < (lastMoment(job, waited) ?? Infinity)) return undefined;
  const next = stopping(job, now);
  return next && { ...next, timedOut: true };
}

/**
 * Returns whether results of a stopped job can be read; those of shards are written whatever came
 * of them.
 */
function hasResultsOf(job: JobEntry, { results, counts }: Pick<JobProgress, "results" | "counts">) {
  return (!isSingle(job) || results.length > 0) && counts?.processed !== 0;
}

/**
 * Returns how a job ends that was stopped because its time ran out. Bedrock: Expired where nothing
 * was processed, PartiallyCompleted where not all was. Where no results are left to be read of what
 * was processed (not every provider keeps any of a stopped batch), nothing is there that is
 * complete.
 */
function outOfTime(
  { timeoutDurationInHours }: Timed,
  news: Omit<JobProgress, "stopRequested">,
  hasResults: boolean,
): Omit<JobProgress, "stopRequested"> {
  const { counts } = news;
  const done = counts ? `${counts.processed} of its ${counts.total} records were` : "no record was";
  const reach = hasResults && !counts ? "not all of its records were" : done;
  const kept = hasResults ? "" : "; there are no results of it";
  const more = news.message === undefined ? "" : `. ${news.message}`;
  const why = timeoutDurationInHours === undefined
    ? `it waited ${waitHours} hours for its batches to be started; set its timeoutDurationInHours ` +
      "(24 to 168) to let it wait for longer"
    : `its timeoutDurationInHours of ${timeoutDurationInHours} ran out`;
  return {
    ...news,
    status: hasResults ? "PartiallyCompleted" : "Expired",
    message: `The job was stopped because ${why}; ${reach} processed by then${kept}${more}`,
  };
}

function progressOf(
  report: Report,
  status: JobStatus,
  now: number,
  job: Timed | undefined,
): Omit<JobProgress, "stopRequested"> {
  const over = isTerminal(status);
  const limits = [report.expiresAt?.getTime(), job && lastMoment(job, report.waited)]
    .filter((limit) => limit !== undefined);
  return {
    status,
    modifiedAt: now,
    results: report.results,
    ...(report.message !== undefined && { message: report.message.slice(0, maxMessage) }),
    // A provider that reports whole seconds ends a short job before its beginning.
    ...(over && { endedAt: Math.max(report.endedAt?.getTime() ?? now, job?.submittedAt ?? 0) }),
    ...(limits.length > 0 && { expiresAt: Math.min(...limits) }),
    ...(report.counts && { counts: report.counts }),
  };
}

function isSame(job: JobEntry, next: JobProgress): boolean {
  return job.status === next.status && job.message === next.message &&
    job.expiresAt === next.expiresAt && job.doubtSince === next.doubtSince &&
    job.results.join() === next.results.join() &&
    job.counts?.total === next.counts?.total &&
    job.counts?.processed === next.counts?.processed &&
    job.counts?.success === next.counts?.success &&
    job.counts?.error === next.counts?.error;
}
