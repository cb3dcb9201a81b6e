/**
 * Bringing a job up to date: one question to the provider for all who ask, in this process and in
 * the others of its catalog.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { isDiskFailure } from "../runtime/disk.ts";
import { Failure } from "../codecs/failure.ts";
import { isTerminal } from "../codecs/job_status.ts";
import { SingleFlight } from "../runtime/single_flight.ts";
import { boundTo } from "../objects/accounts.ts";
import { accountOf } from "../objects/reach.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { CatchUp } from "./catch_up.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import type { Settling } from "./settle.ts";
import { advance, unsettled } from "./state.ts";
import { enforceTimeout } from "./timeout.ts";

/** Bringing jobs up to date. */
export type Poll = ReturnType<typeof createPoll>;

/** A question that failed is not put again sooner, in milliseconds: all who ask are told the same. */
const failurePause = 1_000;
/** Jobs of which it is remembered when they were asked for, before the old ones are let go. */
const maxRemembered = 20_000;
/** Unknown words of which it is remembered that they were told. */
const maxWords = 100;

/** Makes what brings jobs up to date. */
export function createPoll(deps: JobTools, settling: Settling, catching: CatchUp) {
  const { clock, pollMilliseconds } = deps;
  const refreshing = new SingleFlight<JobEntry>();
  const asking = new SingleFlight<JobEntry>();
  const askedAt = new Map<string, number>();
  const failed = new Map<string, { readonly at: number; readonly error: unknown }>();
  const words = new Set<string>();

  return { refresh, ask, apply, note };

  /** The job as it is now; its provider is asked unless that was just done, or the job is over. */
  async function refresh(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { job } = scoped;
    const name = nameOf(scoped);
    if (isTerminal(job.status)) {
      forget(name);
      return await catching.catchUp(provider, scoped);
    }
    const now = clock.uptime();
    const last = askedAt.get(name);
    if (last !== undefined && now - last < pollMilliseconds) return job;
    const failure = failed.get(name);
    if (failure && now - failure.at < Math.min(pollMilliseconds, failurePause)) {
      return lastKnown(job, failure.error);
    }
    return await refreshing.run(name, () => askInTurn(provider, scoped))
      .catch((error: unknown) => lastKnown(job, error));
  }

  /** What is known of a job where only its news could not be written down. */
  function lastKnown(job: JobEntry, error: unknown): JobEntry {
    if (isDiskFailure(error)) return job;
    throw error;
  }

  /** The job as its provider tells now, however lately it was asked. */
  function ask(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    return asking.run(nameOf(scoped), () => askProvider(provider, scoped));
  }

  /** Asks, unless another gateway of the catalog did so in the time that one question is good for. */
  async function askInTurn(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { scope, job } = scoped;
    if (pollMilliseconds > 0) {
      const now = deps.now();
      const { leases, jobs } = deps.catalog;
      const last = await leases.claimAsking(scope, job.id, now, now - pollMilliseconds);
      if (last !== undefined) {
        // Another gateway's time: what has passed since then, by whichever clock, is a poll at most.
        const age = Math.min(Math.max(0, now - last), pollMilliseconds);
        remember(nameOf(scoped), clock.uptime() - age);
        return await jobs.get(scope, job.id) ?? job;
      }
    }
    return await ask(provider, scoped);
  }

  async function askProvider(provider: StoringProvider, scoped: ScopedJob): Promise<JobEntry> {
    const { job } = scoped;
    const name = nameOf(scoped);
    try {
      const { batches } = accountOf(provider, job.account);
      const batch = await batches.get(job.batch, deps.closing);
      failed.delete(name);
      return await apply(provider, scoped, batch);
    } catch (cause) {
      // It may say so in passing, of a batch that it lists.
      if (cause instanceof Failure && cause.kind === "not-found") {
        const last = await settling.gone(provider, scoped, cause);
        remember(name, clock.uptime());
        return isTerminal(last.status) ? await over(provider, last, name) : last;
      }
      const error = boundTo(provider, job.account, cause, {
        what: "The job",
        advice: "The batch goes on there; ask again when the account is well",
      });
      if (!deps.closing.aborted) {
        prune(failed, ({ at }) => at, failurePause);
        failed.set(name, { at: clock.uptime(), error });
      }
      throw error;
    }
  }

  /**
   * Records what the provider told of a job's batch: the one place where its news comes in.
   *
   * @param patience How long the results of a batch that is over are waited for, in milliseconds.
   */
  async function apply(
    provider: StoringProvider,
    scoped: ScopedJob,
    batch: Batch,
    patience?: number,
  ): Promise<JobEntry> {
    const { scope, job } = scoped;
    const name = nameOf(scoped);
    const now = deps.now();
    note(provider, batch);
    settling.found(scoped);
    const isOver = isTerminal(batch.status);
    const ended = isOver && !isTerminal(job.status)
      ? await settling.end(provider, scoped, batch, patience)
      : undefined;
    // Until its results can be read, a job is seen to run.
    const seen = unsettled(batch);
    const next = ended ??
      await deps.catalog.jobs.update(scope, job.id, (old) => advance(old, seen, now, isOver));
    const current = next ?? job;
    if (!isTerminal(current.status)) {
      remember(name, clock.uptime());
      // A batch that is over has nothing left to be stopped.
      if (isOver) return current;
      return await enforceTimeout(deps, provider, { scope, job: current }, batch);
    }
    return await over(provider, current, name);
  }

  /** Lets go of what a job needed that is over. */
  async function over(
    provider: StoringProvider,
    job: JobEntry,
    name: string,
  ): Promise<JobEntry> {
    forget(name);
    await release(provider, job);
    return job;
  }

  /** Tells the operator, once, of a word of the provider's that is not known here. */
  function note(provider: StoringProvider, { unknownStatus, rawStatus }: Batch): void {
    if (!unknownStatus) return;
    const status = rawStatus.slice(0, 100);
    const word = JSON.stringify([provider.name, status]);
    if (words.has(word) || words.size >= maxWords) return;
    words.add(word);
    deps.warn("A provider calls a batch's state by an unknown word; the job counts as InProgress", {
      provider: provider.name,
      status,
    });
  }

  async function release(provider: StoringProvider, { file, native }: JobEntry): Promise<void> {
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

  function remember(name: string, at: number): void {
    prune(askedAt, (at) => at, pollMilliseconds);
    askedAt.set(name, at);
  }

  function forget(name: string): void {
    askedAt.delete(name);
    failed.delete(name);
  }

  /** Lets go of what is too old to matter, where there is much. */
  function prune<Value>(map: Map<string, Value>, at: (value: Value) => number, age: number): void {
    if (map.size < maxRemembered) return;
    const oldest = clock.uptime() - age;
    for (const [name, value] of map) if (at(value) < oldest) map.delete(name);
  }
}
