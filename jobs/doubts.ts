/** Doubts about jobs: what is waited for, for how long, and when each job is looked at again. */
import type { JobTools, ScopedJob } from "./deps.ts";
import type { DoubtSoFar, Report } from "./run.ts";
import { type Doubt, isBelievedGone } from "./verdict.ts";
import { createWaits, type Waits } from "./waits.ts";

/** The longest pause between two looks, in milliseconds: what is late comes within minutes. */
const longestPause: Readonly<Record<Doubt, number>> = {
  late: 30_000,
  refused: 5 * 60_000,
  missing: 30_000,
};

/** Doubts of one process about results that are not there, and about work that is missing. */
export class Doubts {
  readonly #deps: JobTools;
  readonly #results: Waits;
  readonly #absences: Waits;

  constructor(deps: JobTools) {
    this.#deps = deps;
    this.#results = createWaits(deps);
    this.#absences = createWaits(deps);
  }

  /**
   * Whether a job is left until what is doubted about it may have changed.
   *
   * @param report What is reported now: where it differs from the last look there is no reason to wait.
   */
  isPausing(scoped: ScopedJob, report?: Report): boolean {
    if (report) return this.#results.isPausing(scoped, factsOf(report));
    return this.#results.isPausing(scoped) || this.#absences.isPausing(scoped);
  }

  /** How far the doubt about a job's results has come. */
  ofResults(scoped: ScopedJob, report: Report): DoubtSoFar {
    return {
      waited: this.#results.waited(scoped),
      isOld: this.#results.isOld(scoped.job, report.endedAt?.getTime()),
    };
  }

  /** Leaves a job for a while whose results could not be read. */
  postpone(scoped: ScopedJob, error: unknown, report?: Report, because: Doubt = "refused"): void {
    const { scope, job } = scoped;
    this.#results.postpone(scoped, longestPause[because], report && factsOf(report));
    if (this.#deps.closing.aborted) return;
    const fields = { job: job.id, provider: scope.provider, ...(error !== undefined && { error }) };
    this.#deps.warn("The results of a job could not be read; they will be tried again", fields);
  }

  /** Whether work is believed to be gone that its provider does not have; else it is waited for. */
  isGone(scoped: ScopedJob, isOver: boolean, error: Error): boolean {
    const { scope, job } = scoped;
    const isOld = isOver && this.#absences.isOld(job, job.endedAt);
    if (isBelievedGone({ waited: this.#absences.waited(scoped), isOld })) {
      this.#absences.forget(scoped);
      return true;
    }
    if (this.#absences.postpone(scoped, longestPause.missing) && !this.#deps.closing.aborted) {
      this.#deps.warn(
        "A provider does not have a job's batch; the job is shown as it was last known",
        { job: job.id, provider: scope.provider, error },
      );
    }
    return false;
  }

  /** Takes back that a job's work is missing. */
  found(scoped: ScopedJob): void {
    this.#absences.forget(scoped);
  }

  /** Forgets a job that has ended. */
  ended(scoped: ScopedJob): void {
    this.#results.forget(scoped);
  }
}

/** Facts that a look depends on: where it differs there is no reason to wait. */
function factsOf({ status, results, areMoreResults = false, counts }: Report): string {
  return JSON.stringify([status, results, areMoreResults, counts]);
}
