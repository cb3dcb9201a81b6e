/** Carrying out what the journal promises, also when the gateway that began it is gone. */
import type { Scope } from "../catalog/keys.ts";
import type { JobRecord, JournalRecord } from "../catalog/records.ts";
import { Failure } from "../codecs/failure.ts";
import type { JobId } from "../codecs/ids.ts";
import { accountOf, type Reach } from "../objects/reach.ts";
import type { Account, Batch } from "../providers/provider.ts";
import type { JobDeps } from "./deps.ts";
import { accepted } from "./state.ts";

/** Provider clocks may be this much behind ours, in milliseconds. */
const skew = 10 * 60_000;
/** How often a provider is asked for a batch that may still appear, in milliseconds. */
const interval = 1_000;

/** Work on journal entries. */
export type JournalWork = ReturnType<typeof createJournalWork>;

/** Makes the work on journal entries. */
export function createJournalWork(deps: JobDeps) {
  const { journal, jobs } = deps.catalog;
  /** Jobs whose entries this process is at: its own lease would let it in a second time. */
  const atWork = new Set<JobId>();

  return { carryOut, resume, sweep };

  /** Asks the provider for the batch of an entry that this process has begun. */
  function carryOut(
    reach: Reach,
    scope: Scope,
    entry: JournalRecord,
    tags: Readonly<Record<string, string>>,
  ): Promise<JobRecord> {
    return underLease(scope, entry, (signal) => ask(reach, scope, entry, tags, signal));
  }

  /**
   * Goes on with an entry whose gateway died, or lost the provider's answer.
   *
   * @returns The job; undefined while somebody is at it, or when there is no such entry any more.
   */
  async function resume(reach: Reach, scope: Scope, id: JobId): Promise<JobRecord | undefined> {
    const taken = atWork.has(id) ? undefined : await lease(scope, id);
    if (!taken) return undefined;
    return await underLease(scope, taken, async (signal) => {
      const account = accountOf(reach.provider, taken.job.account);
      for (;;) {
        const batch = await findBatch(account, taken, signal);
        if (batch) return await record(scope, taken, batch);
        if (deps.now() >= taken.askedAt + deps.settleMilliseconds) break;
        await deps.sleep(Math.min(interval, deps.settleMilliseconds));
      }
      const asking = await lease(scope, id, true);
      if (!asking) return undefined;
      return await ask(reach, scope, asking, await jobs.tags(scope, id), signal);
    });
  }

  /** Brings to an end what dead gateways left; what cannot be now waits for the next sweep. */
  async function sweep(signal: AbortSignal): Promise<void> {
    for await (const { scope, entry } of journal.entries()) {
      const { id } = entry.job;
      const provider = deps.providers.get(scope.provider);
      if (!provider || provider.forwards || signal.aborted) continue;
      if (atWork.has(id) || entry.leaseUntil > deps.now() || !await lease(scope, id)) continue;
      try {
        await underLease(scope, entry, async () => {
          const batch = await findBatch(accountOf(provider, entry.job.account), entry, signal);
          if (batch) await record(scope, entry, batch);
          // Nobody was told of it, and no batch was made: the token is free again.
          else if (entry.askedAt + deps.settleMilliseconds < deps.now()) {
            await journal.abandon(scope, entry);
          }
        });
      } catch (error) {
        deps.warn("A create that was cut short could not be looked for", { job: id, error });
      }
    }
  }

  async function ask(
    reach: Reach,
    scope: Scope,
    entry: JournalRecord,
    tags: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<JobRecord> {
    const { id: jobId, name: jobName, modelId, file: input, account: name } = entry.job;
    if (input === undefined) throw new Failure("internal", "A journal entry has no input");
    const account = accountOf(reach.provider, name);
    try {
      const batch = await account.batches.create({ jobId, jobName, modelId, input, tags }, signal);
      return await record(scope, entry, batch);
    } catch (error) {
      if (!mayHaveBeenMade(error)) {
        await journal.abandon(scope, entry);
        throw error;
      }
      const batch = await findBatch(account, entry, signal);
      if (batch) return await record(scope, entry, batch);
      // The entry stays: a retry with the same token, or the sweep, looks again before it asks.
      throw error;
    }
  }

  async function record(scope: Scope, entry: JournalRecord, batch: Batch): Promise<JobRecord> {
    const job: JobRecord = { ...entry.job, ...accepted(batch, deps.now()) };
    await journal.finish(scope, job);
    return job;
  }

  function lease(scope: Scope, id: JobId, asked = false): Promise<JournalRecord | undefined> {
    const now = deps.now();
    return journal.lease(scope, id, deps.instance, now, now + deps.leaseMilliseconds, asked);
  }

  /** Keeps the lease of an entry while work goes on. */
  async function underLease<Result>(
    scope: Scope,
    { job: { id } }: JournalRecord,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const prolong = async () => {
      try {
        await lease(scope, id);
      } catch (error) {
        deps.warn("A create's lease could not be prolonged", { job: id, error });
      }
    };
    let prolonging = Promise.resolve();
    atWork.add(id);
    const timer = setInterval(() => (prolonging = prolong()), deps.leaseMilliseconds / 3);
    try {
      return await work(new AbortController().signal);
    } finally {
      clearInterval(timer);
      atWork.delete(id);
      await prolonging;
    }
  }
}

/** Looks for the batch that bears the entry's job id. */
async function findBatch(
  account: Account,
  { job }: JournalRecord,
  signal: AbortSignal,
): Promise<Batch | undefined> {
  let cursor: string | undefined;
  do {
    const page = await account.batches.list(cursor, signal);
    const found = page.items.find((batch) => batch.jobId === job.id);
    if (found) return found;
    const old = page.items.length > 0 &&
      page.items.every((batch) => batch.createdAt.getTime() < job.submittedAt - skew);
    cursor = old ? undefined : page.cursor;
  } while (cursor !== undefined);
  return undefined;
}

/** Only a refusal that the provider, or the connection, has made clear leaves no doubt. */
function mayHaveBeenMade(error: unknown): boolean {
  return !(error instanceof Failure) || error.details.outcomeUnknown === true;
}
