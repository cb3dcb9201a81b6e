/**
 * Stopping jobs whose own time, `timeoutDurationInHours` from their submission, ran out, and those
 * without one that waited for too long for room at their provider.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Report, Run } from "./run.ts";
import { timingOut } from "./state.ts";

/**
 * Stops a job at its provider if its time has run out. That it is for this reason is recorded first:
 * if the gateway dies in between, or the provider does not answer, the next poll of the job
 * asks for the stop again, until the provider says that it is stopping.
 *
 * @param report What the provider just reported.
 * @returns The job as it is now.
 */
export async function enforceTimeout(
  deps: JobTools,
  run: Run,
  { scope, job }: ScopedJob,
  report: Report,
): Promise<JobEntry> {
  // A clock that is wrong for a moment must not stop a job.
  const now = deps.clock.due();
  let current = job;
  if (!job.timedOut) {
    if (!timingOut(job, now, report)) return job;
    current = await deps.catalog.jobs
      .update(scope, job.id, (old) => timingOut(old, now, report)) ?? job;
  }
  if (!current.timedOut || isTerminal(current.status) || report.status === "Stopping") {
    return current;
  }
  try {
    await run.stop(deps.closing);
  } catch (error) {
    // It was over before the stop came: the provider's next answer holds how it ended.
    const isOver = error instanceof Failure && error.kind === "conflict";
    if (!isOver && !deps.closing.aborted) {
      const fields = { job: job.id, provider: scope.provider, error };
      deps.warn("A job whose time ran out could not be stopped yet", fields);
    }
  }
  return current;
}
