/** Bringing running jobs forward that nobody asks for. */
import { Failure } from "../codecs/failure.ts";
import type { JobDeps } from "./deps.ts";
import type { Poll } from "./poll.ts";

/**
 * Asks for every running job. An account that refuses to answer is left alone until the next sweep:
 * each of its jobs would wait as long again, and keep those of the others waiting.
 */
export async function sweepJobs(deps: JobDeps, poll: Poll, signal: AbortSignal): Promise<void> {
  const silent = new Set<string>();
  for await (const { scope, job } of deps.catalog.jobs.running()) {
    if (signal.aborted) return;
    const provider = deps.providers.get(scope.provider);
    const account = JSON.stringify([scope.provider, job.account]);
    if (!provider || provider.forwards || silent.has(account)) continue;
    try {
      await poll.refresh(provider, { scope, job });
    } catch (error) {
      if (signal.aborted) return;
      // That one batch is gone says nothing of the others.
      if (!(error instanceof Failure && error.kind === "not-found")) silent.add(account);
      const fields = { job: job.id, provider: scope.provider, error };
      deps.warn("A running job's provider could not be asked", fields);
    }
  }
}
