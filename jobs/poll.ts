/** Bringing a job up to date: one question to the provider for all who ask at the same time. */
import type { JobRecord } from "../catalog/records.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { accountOf } from "../objects/reach.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Settling } from "./settle.ts";
import { advance, unsettled } from "./state.ts";

/** Bringing jobs up to date. */
export type Poll = ReturnType<typeof createPoll>;

/** Makes what brings jobs up to date. */
export function createPoll(deps: JobTools, settling: Settling) {
  const asking = new Map<string, Promise<JobRecord>>();
  const askedAt = new Map<string, number>();

  return { refresh, ask, apply };

  /** The job as it is now; its provider is asked unless that was just done, or the job is over. */
  async function refresh(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { job } = scoped;
    const name = nameOf(scoped);
    if (isTerminal(job.status)) {
      askedAt.delete(name);
      return await settling.catchUp(provider, scoped);
    }
    const last = askedAt.get(name);
    if (last !== undefined && deps.now() - last < deps.pollMilliseconds) return job;
    return await ask(provider, scoped);
  }

  /** The job as its provider tells now. */
  function ask(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const name = nameOf(scoped);
    const running = asking.get(name);
    if (running) return running;
    const answer = askProvider(provider, scoped).finally(() => asking.delete(name));
    asking.set(name, answer);
    return answer;
  }

  async function askProvider(provider: StoringProvider, scoped: ScopedJob): Promise<JobRecord> {
    const { job } = scoped;
    const batch = await accountOf(provider, job.account).batches.get(job.batch, deps.closing);
    return await apply(provider, scoped, batch);
  }

  /** Records what the provider told of a job's batch; waits so long for its results to be read. */
  async function apply(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    patience?: number,
  ): Promise<JobRecord> {
    const { scope, job } = scoped;
    const name = nameOf(scoped);
    const now = deps.now();
    const over = isTerminal(batch.status) && !isTerminal(job.status)
      ? await settling.end(provider, scoped, batch, patience)
      : undefined;
    // Until its results can be read, a job is seen to run.
    const seen = unsettled(batch);
    const next = over ??
      await deps.catalog.jobs.update(scope, job.id, (old) => advance(old, seen, now));
    const current = next ?? job;
    if (!isTerminal(current.status)) {
      askedAt.set(name, now);
      return current;
    }
    askedAt.delete(name);
    await release(provider, current);
    return current;
  }

  async function release(provider: StoringProvider, { file, native }: JobRecord): Promise<void> {
    if (file === undefined || native) return;
    try {
      await deps.objects.release(provider, file, AbortSignal.timeout(30_000));
    } catch (error) {
      deps.warn("A file that no job reads any more could not be deleted yet", {
        provider: provider.name,
        error,
      });
    }
  }
}

/** Two providers on one account adopt the same batches under the same ids: an id is not enough. */
function nameOf({ scope, job }: ScopedJob): string {
  return JSON.stringify([scope.tenant, scope.provider, job.id]);
}
