/**
 * Bringing a job up to date: one question to the provider for all who ask, in this process and in
 * the others of its catalog.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { isDiskFailure } from "../runtime/disk.ts";
import { Failure } from "../codecs/failure.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import { PolledJobs, UnknownWords } from "./polled.ts";
import type { CatchUp } from "./catch_up.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import { requeue } from "./queued.ts";
import type { Report, Run } from "./run.ts";
import { runOf } from "./runs.ts";
import type { Finishing } from "./finish.ts";
import { advance, beforeEnd } from "./state.ts";
import { enforceTimeout } from "./timeout.ts";

/** Brings jobs up to date. */
export class Poll {
  readonly #deps: JobTools;
  readonly #finishing: Finishing;
  readonly #catching: CatchUp;
  readonly #refreshing = new SingleFlight<JobEntry>();
  readonly #asking = new SingleFlight<JobEntry>();
  readonly #polled: PolledJobs;
  readonly #words: UnknownWords;

  constructor(deps: JobTools, finishing: Finishing, catching: CatchUp) {
    this.#deps = deps;
    this.#finishing = finishing;
    this.#catching = catching;
    this.#polled = new PolledJobs(deps);
    this.#words = new UnknownWords(deps);
  }

  /** The job as it is now; its provider is asked unless that was just done, or the job is over. */
  async refresh(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { job } = scoped;
    const name = nameOf(scoped);
    if (isTerminal(job.status)) {
      this.#polled.forget(name);
      return await this.#catching.catchUp(provider, scoped);
    }
    const recent = this.#polled.recent(name);
    if (recent?.is === "polled") return job;
    if (recent?.is === "failed") return lastKnown(job, recent.error);
    return await this.#refreshing.run(name, () => this.#askInTurn(provider, scoped))
      .catch((error: unknown) => lastKnown(job, error));
  }

  /** The job as its provider reports it now, however lately it was asked. */
  ask(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    return this.#asking.run(nameOf(scoped), () => this.#askProvider(provider, scoped));
  }

  /**
   * Records a batch that the provider has just shown in a list.
   *
   * @param patience How long to wait for the results of a batch that is over, in milliseconds.
   */
  async apply(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    patience?: number,
  ): Promise<JobEntry> {
    const run = runOf(this.#deps, provider, scoped, batch);
    return await this.#record(provider, scoped, run, batch, patience);
  }

  /** Reports a word of the provider's that is not known here to the operator, once. */
  note({ name }: StoringProvider, report: Report): void {
    this.#words.note(name, report);
  }

  /** Asks, unless another gateway of the catalog did so in the time that one question is good for. */
  async #askInTurn(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { scope, job } = scoped;
    const { pollMilliseconds, catalog: { leases, jobs } } = this.#deps;
    if (pollMilliseconds > 0) {
      const now = this.#deps.now();
      const last = await leases.claimAsking(scope, job.id, now, now - pollMilliseconds);
      if (last !== undefined) {
        // Another gateway's time: what has passed since then, by whichever clock, is a poll at most.
        const age = Math.min(Math.max(0, now - last), pollMilliseconds);
        this.#polled.answered(nameOf(scoped), age);
        return await jobs.get(scope, job.id) ?? job;
      }
    }
    return await this.ask(provider, scoped);
  }

  async #askProvider(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const name = nameOf(scoped);
    const { closing } = this.#deps;
    const run = runOf(this.#deps, provider, scoped);
    try {
      return await this.#record(provider, scoped, run, await run.report(closing));
    } catch (error) {
      // Collecting the results may find it out, too.
      if (error instanceof Failure && error.kind === "not-found") {
        const last = await this.#finishing.gone(scoped, run, error);
        this.#polled.answered(name);
        return isTerminal(last.status)
          ? await this.#over(provider, { scope: scoped.scope, job: last })
          : last;
      }
      if (!closing.aborted) this.#polled.failed(name, error);
      throw error;
    }
  }

  /** Records what the provider reported: the one place where its news comes in. */
  async #record(
    provider: StoringProvider,
    scoped: ScopedJob,
    run: Run,
    report: Report,
    patience?: number,
  ): Promise<JobEntry> {
    const { scope, job } = scoped;
    const name = nameOf(scoped);
    const now = this.#deps.now();
    this.note(provider, report);
    this.#finishing.found(scoped);
    const isOver = isTerminal(report.status);
    const waits = report.isQueueFull && await requeue(this.#deps, provider, scoped, report);
    if (waits) return waits;
    const ended = isOver && !isTerminal(job.status)
      ? await this.#finishing.end(scoped, run, report, patience)
      : undefined;
    // Until its results can be read, a job is seen to run.
    const seen = this.#shown({ scope, job }, report);
    const next = ended ?? await this.#deps.catalog.jobs
      .update(scope, job.id, (old) => advance(old, seen, now, isOver));
    const current = next ?? job;
    if (isTerminal(current.status)) return await this.#over(provider, { scope, job: current });
    this.#polled.answered(name);
    // Work that is over has nothing left to be stopped.
    if (isOver) return current;
    return await enforceTimeout(this.#deps, run, { scope, job: current }, report);
  }

  /** A report as it is shown while the job has not ended: also why it cannot go on, or end. */
  #shown(scoped: ScopedJob, report: Report): Report {
    const delayed = this.#deps.delayed.get(nameOf(scoped));
    return { ...beforeEnd(report), ...(delayed !== undefined && { message: delayed }) };
  }

  /** Lets go of what a job needed that is over. */
  async #over(provider: StoringProvider, { scope, job }: ScopedJob): Promise<JobEntry> {
    this.#polled.forget(nameOf({ scope, job }));
    this.#deps.delayed.delete(nameOf({ scope, job }));
    const run = runOf(this.#deps, provider, { scope, job });
    try {
      await run.release(AbortSignal.timeout(30_000));
    } catch (error) {
      this.#deps.warn("A file that no job reads any more could not be deleted yet", {
        provider: provider.name,
        error,
      });
    }
    return job;
  }
}

/** The job as it was last known, where only its news could not be written down. */
function lastKnown(job: JobEntry, error: unknown): JobEntry {
  if (isDiskFailure(error)) return job;
  throw error;
}
