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
/** Jobs of which it is remembered that nothing is left to be read. */
const maxCaughtUp = 20_000;

/** Makes what reads them. */
export function createCatchUp(deps: JobTools, finishing: Finishing) {
  const { results, jobs } = deps.catalog;
  const catching = new SingleFlight<JobEntry>();
  const caughtUp = new Set<string>();

  return { catchUp, sweep };

  /** Reads the results of such a job, where that has still to be done: the job as it is then. */
  async function catchUp(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { scope, job } = scoped;
    const name = nameOf(scoped);
    if (caughtUp.has(name) || finishing.isPausing(scoped)) return job;
    if (!await results.isWaiting(scope, job.id)) {
      // Jobs wait from their adoption on, or never: a poll of an old one need not look again.
      if (caughtUp.size >= maxCaughtUp) caughtUp.clear();
      caughtUp.add(name);
      return job;
    }
    return await catching.run(name, () => once(provider, scoped));
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
      caughtUp.delete(nameOf({ scope, job }));
      await catchUp(provider, { scope, job });
    }
  }
}
