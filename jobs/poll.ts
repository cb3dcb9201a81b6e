/** Bringing a job up to date: one question to the provider for all who ask at the same time. */
import type { JobRecord } from "../catalog/records.ts";
import type { JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { accountOf } from "../objects/reach.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { JobDeps, ScopedJob } from "./deps.ts";
import { advance } from "./state.ts";

/** Bringing jobs up to date. */
export type Poll = ReturnType<typeof createPoll>;

/** Makes what brings jobs up to date. */
export function createPoll(deps: JobDeps) {
  const asking = new Map<JobId, Promise<JobRecord>>();
  const askedAt = new Map<JobId, number>();

  return { refresh, ask, apply };

  /** The job as it is now; its provider is asked unless that was just done, or the job is over. */
  async function refresh(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { job } = scoped;
    if (isTerminal(job.status)) return job;
    const last = askedAt.get(job.id);
    if (last !== undefined && deps.now() - last < deps.pollMilliseconds) return job;
    return await ask(provider, scoped);
  }

  /** The job as its provider tells now. */
  function ask(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { id } = scoped.job;
    const running = asking.get(id);
    if (running) return running;
    const answer = askProvider(provider, scoped).finally(() => asking.delete(id));
    asking.set(id, answer);
    return answer;
  }

  async function askProvider(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { job } = scoped;
    // Not bound to one caller's signal: the others wait for the same answer.
    const signal = new AbortController().signal;
    const batch = await accountOf(provider, job.account).batches.get(job.batch, signal);
    return await apply(provider, scoped, batch);
  }

  /** Records what the provider told of a job's batch. */
  async function apply(
    provider: StoringProvider,
    { scope, job }: ScopedJob,
    batch: Batch,
  ): Promise<JobRecord> {
    const now = deps.now();
    const next = await deps.catalog.jobs.update(scope, job.id, (old) => advance(old, batch, now));
    const current = next ?? job;
    if (!isTerminal(current.status)) {
      askedAt.set(job.id, now);
      return current;
    }
    askedAt.delete(job.id);
    if (current.file !== undefined && !current.native) await release(provider, current);
    return current;
  }

  async function release(provider: StoringProvider, job: JobRecord): Promise<void> {
    if (job.file === undefined) return;
    try {
      await deps.objects.release(provider, job.file, job.id, AbortSignal.timeout(30_000));
    } catch (error) {
      deps.warn("A file that no job reads any more could not be deleted yet", {
        provider: provider.name,
        error,
      });
    }
  }
}
