/**
 * The end of a job. When its provider reports that the work is over, the results are read and checked;
 * then the job ends and its results appear, in one step. One gateway at a time does it for a job.
 * `verdict.ts` decides what is to be done; until the job is to end, it runs on.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { accountOfJob } from "../catalog/plans.ts";
import { bounds } from "../runtime/bounds.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { createPool, type Reservation } from "../runtime/pool.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import { holderOf } from "../reach/reach.ts";
import { type Held, underLease } from "../runtime/lease.ts";
import { tracedStep } from "../runtime/tracing.ts";
import { endJob } from "./at_end.ts";
import { type JobTools, nameOf, type ScopedJob, stepOf } from "./deps.ts";
import { Doubts } from "./doubts.ts";
import { inTime } from "../runtime/in_time.ts";
import { publish } from "./publish.ts";
import { recordEnd } from "./record_end.ts";
import { unreadable, withoutResults } from "./results/collect.ts";
import type { Report, Run } from "./run.ts";
import { missed, vanished } from "./state.ts";

/** How long a caller who asks for a job waits for its results to be read, in milliseconds. */
const defaultWait = 5_000;

/** Ends jobs. */
export class Finishing {
  readonly #deps: JobTools;
  readonly #doubts: Doubts;
  readonly #pool = createPool({
    shared: bounds.results,
    own: bounds.ownResults,
    most: bounds.mostResults,
  });
  /** Results that are being read, or wait for a place. */
  readonly #running = new SingleFlight<JobEntry | undefined>();

  constructor(deps: JobTools) {
    this.#deps = deps;
    this.#doubts = new Doubts(deps);
  }

  /**
   * Ends a job whose work is over.
   *
   * @param wait How long the caller waits for it, in milliseconds.
   * @returns The job once it is over; undefined where its results are still being read, here or by
   * another gateway, or where they could not be read for now.
   */
  async end(
    scoped: ScopedJob,
    run: Run,
    report: Report,
    wait = defaultWait,
  ): Promise<JobEntry | undefined> {
    const name = nameOf(scoped);
    let work = this.#running.get(name);
    if (!work) {
      if (this.#doubts.isPausing(scoped, report)) return undefined;
      const hasRoom = this.fits(scoped);
      work = this.#running.run(name, () => this.#inTurn(scoped, run, report));
      // Reading begins later, or with a later question: this caller need not wait for it.
      if (!hasRoom) return undefined;
    }
    return await inTime(work, wait);
  }

  /**
   * Decides about a job whose work its provider does not have. It is shown as it was last known until
   * that is believed; then it ends.
   */
  async gone(scoped: ScopedJob, run: Run, error: Error): Promise<JobEntry> {
    const { scope, job } = scoped;
    const { catalog: { jobs }, now } = this.#deps;
    const isOver = isTerminal(job.status);
    if (!this.#doubts.isGone(scoped, isOver, error)) {
      return await jobs.update(scope, job.id, (old) => missed(old, now())) ?? job;
    }
    if (isOver) {
      const { status, counts, message } = job;
      const outcome = unreadable(this.#deps, job, { status, counts, message }, error);
      return await recordEnd(this.#deps, scoped, undefined, outcome) ?? job;
    }
    const why = `Provider ${scope.provider} does not have the ${run.name} any more: it was ` +
      "deleted there. What became of its records is not known.";
    const outcome = withoutResults(this.#deps, job, job.counts, why);
    const { objects } = outcome;
    let unwritten: string | undefined;
    try {
      unwritten = await publish(this.#deps, scoped, objects, undefined);
    } catch (error) {
      this.#doubts.postpone(scoped, error);
      return job;
    }
    const message = unwritten === undefined ? why : `${why} ${unwritten}`;
    const move = (old: JobEntry) => vanished(old, now(), message);
    return await endJob(this.#deps, { scope, id: job.id, move, objects, outcome }) ?? job;
  }

  /** Takes back that a job's work is missing. */
  found(scoped: ScopedJob): void {
    this.#doubts.found(scoped);
  }

  /** Leaves a job for a while whose results could not be read. */
  postpone(scoped: ScopedJob, error: unknown): void {
    this.#doubts.postpone(scoped, error);
  }

  /** Whether a job is left until what is doubted about it may have changed. */
  isPausing(scoped: ScopedJob): boolean {
    return this.#doubts.isPausing(scoped);
  }

  /** Whether a job's results would be read at once: its tenant and its account have a place left. */
  fits({ scope, job }: ScopedJob): boolean {
    return this.#pool.fits(holderOf(scope, accountOfJob(job) ?? ""));
  }

  /** Resolves when no results are being read any more. */
  async idle(): Promise<void> {
    await this.#running.idle();
  }

  /** Reads the results once there is a place; undefined where there is none in time. Never throws. */
  async #inTurn(scoped: ScopedJob, run: Run, report: Report): Promise<JobEntry | undefined> {
    const { scope, job } = scoped;
    let reservation: Reservation | undefined;
    try {
      reservation = await this.#pool.wait(holderOf(scope, accountOfJob(job) ?? ""), {
        signal: this.#deps.closing,
        milliseconds: bounds.resultsWaitMilliseconds,
      });
    } catch {
      // The gateway closes: the next one with this catalog reads the results.
      return undefined;
    }
    try {
      return reservation && await tracedStep(
        "settle",
        stepOf(scoped),
        () => this.#attempt(scoped, run, report),
      );
    } finally {
      reservation?.leave();
    }
  }

  /** Reads the results under a lease; never throws. */
  async #attempt(scoped: ScopedJob, run: Run, report: Report): Promise<JobEntry | undefined> {
    const { scope, job } = scoped;
    const lease = this.#deps.catalog.results.lease(scope, job.id);
    const tools = { ...this.#deps, failed: this.#lost };
    try {
      return await underLease(lease, tools, (held) => this.#collect(scoped, run, report, held));
    } catch (error) {
      this.#doubts.postpone(scoped, error, report);
      return undefined;
    }
  }

  /**
   * Reads the results and records the end. Where the lease is lost, it goes on: the step that ends the
   * job finds it ended.
   */
  async #collect(
    scoped: ScopedJob,
    run: Run,
    report: Report,
    held: Held,
  ): Promise<JobEntry | undefined> {
    const { closing } = this.#deps;
    const seen = await run.collect(report, this.#doubts.ofResults(scoped, report), closing);
    if ("because" in seen) {
      this.#doubts.postpone(scoped, seen.error, report, seen.because);
      return undefined;
    }
    // What is written may take longer than a lease.
    const ended = await recordEnd(this.#deps, scoped, report, seen, () => held.stop());
    this.#doubts.ended(scoped);
    return ended;
  }

  readonly #lost = (error: unknown): void => {
    this.#deps.warn("The lease on a job's results could not be prolonged or given back", { error });
  };
}
