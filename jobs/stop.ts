/** Stopping a job. */
import type { JobEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { StoringProvider } from "../providers/provider.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Poll } from "./poll.ts";
import type { Run } from "./run.ts";
import { runOf } from "./runs.ts";
import { stopping } from "./state.ts";

/**
 * Asks the provider to stop a job. The job is Stopping until the provider reports an end.
 *
 * Throws `conflict` where the job is over, also where the provider says so first.
 */
export async function stop(
  deps: JobTools,
  poll: Poll,
  provider: StoringProvider,
  scoped: ScopedJob,
  signal: AbortSignal,
): Promise<void> {
  const { scope, job } = scoped;
  if (isTerminal(job.status)) throw over(job);
  const run = runOf(deps, provider, scoped);
  try {
    await run.stop(signal);
  } catch (error) {
    if (error instanceof Failure && error.kind === "not-found") throw unknownThere(run, error);
    if (!(error instanceof Failure) || error.kind !== "conflict") throw error;
    const current = await poll.ask(provider, scoped);
    throw isTerminal(current.status) ? over(current) : error;
  }
  const now = deps.now();
  await deps.catalog.jobs.update(scope, job.id, (old) => stopping(old, now));
}

/**
 * The job is known here: that it is not found would not be true for a client that sees it in a
 * list.
 */
function unknownThere({ name }: Run, cause: Failure): Failure {
  return new Failure(
    "unavailable",
    `The job's provider does not have its ${name} now, so it cannot be asked to stop it. Try ` +
      "again; if the batch stays away, the job ends by itself",
    { cause, retryAfterSeconds: 1 },
  );
}

function over(job: JobEntry): Failure {
  return new Failure("conflict", `The job is over already: its status is ${job.status}`);
}
