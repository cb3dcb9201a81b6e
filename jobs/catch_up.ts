/**
 * The results of jobs that were over when they were found. Their state is known without them, so what
 * goes wrong does not concern the caller that asks for the job.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import type { StoringProvider } from "../providers/provider.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import { runOf } from "./runs.ts";
import type { Finishing } from "./finish.ts";

/** Reading the results of jobs that were over when they were found. */
export type CatchUp = ReturnType<typeof createCatchUp>;

/** Jobs of which one sweep reads the results. */
const mostAtOnce = 64;

/** Makes what reads them. */
export function createCatchUp(deps: JobTools, finishing: Finishing) {
  const { results, jobs } = deps.catalog;
  const catching = new SingleFlight<JobEntry>();

  return { catchUp, sweep };

  /** Reads the results of such a job, where that has still to be done: the job as it is then. */
  async function catchUp(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { scope, job } = scoped;
    if (finishing.isPausing(scoped)) return job;
    // Jobs wait from their adoption on, or never: a poll of an old one reads nothing.
    const settled = await jobs.settled.look(scope, job.id);
    if (settled) return settled;
    if (!await results.isWaiting(scope, job.id)) return job;
    return await catching.run(nameOf(scoped), () => once(provider, scoped));
  }

  async function once(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { job } = scoped;
    const run = runOf(deps, provider, scoped);
    try {
      const report = await run.report(deps.closing);
      finishing.found(scoped);
      return await finishing.end(scoped, run, report) ?? job;
    } catch (error) {
      if (error instanceof Failure && error.kind === "not-found") {
        return await finishing.gone(scoped, run, error);
      }
      finishing.postpone(scoped, error);
      return job;
    }
  }

  /** Reads results of jobs that were over when they were found. */
  async function sweep(signal: AbortSignal): Promise<void> {
    let left = mostAtOnce;
    for await (const { scope, id } of results.waiting()) {
      if (signal.aborted || left === 0) return;
      const provider = deps.providers.get(scope.provider)?.stores;
      const job = await jobs.get(scope, id);
      if (!job || !provider || finishing.isPausing({ scope, job })) continue;
      // Those that are being read now go on; the next sweep takes others.
      if (!finishing.fits({ scope, job })) continue;
      left--;
      jobs.settled.forget(scope, id);
      await catchUp(provider, { scope, job });
    }
  }
}
