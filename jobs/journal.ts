/** Carrying out what the journal promises, also when the gateway that began it is gone. */
import type { Scope } from "../catalog/keys.ts";
import type { JobEntry, JournalEntry } from "../catalog/entries.ts";
import { Failure } from "../codecs/failure.ts";
import type { JobId } from "../codecs/ids.ts";
import { allPages } from "../runtime/pages.ts";
import { boundTo } from "../objects/accounts.ts";
import { accountOf, type Reach } from "../objects/reach.ts";
import { type Renewal, startRenewal } from "../objects/renewal.ts";
import type { Account, Batch } from "../providers/provider.ts";
import { clockSkew } from "./adopt_batch.ts";
import type { JobTools } from "./deps.ts";
import { whenReady } from "./fresh_input.ts";
import { accepted, unsettled } from "./state.ts";

/** How often a provider is asked for a batch that may still appear, in milliseconds. */
const interval = 1_000;

/** How soon the provider is asked for an entry that was just begun, in milliseconds. */
const soon = 500;

/**
 * What an entry is begun with: the lease, and the time at which the provider will have been asked.
 * Until then nobody else can have the entry, and what it says is true, so that it need not be
 * written again before the provider is asked: each writing waits for the disk.
 */
export function firstLease(
  { instance, leaseMilliseconds }: Pick<JobTools, "instance" | "leaseMilliseconds">,
  now: number,
): Pick<JournalEntry, "owner" | "askedAt" | "leaseUntil"> {
  return {
    owner: instance,
    askedAt: now + Math.min(soon, leaseMilliseconds / 3),
    leaseUntil: now + leaseMilliseconds,
  };
}

/** Work on journal entries. */
export type JournalWork = ReturnType<typeof createJournalWork>;

/** Makes the work on journal entries. */
export function createJournalWork(deps: JobTools) {
  const { clock, catalog: { journal, jobs } } = deps;
  /** Entries that this process is at: its own lease would let it in a second time. */
  const atWork = new Map<JobId, "looking" | "asking">();

  return { carryOut, resume, sweep };

  /**
   * Asks the provider for the batch of an entry that this process has begun.
   *
   * @param isFresh Whether the input was just put: its provider may not know it everywhere yet.
   * @returns The job; undefined where another gateway took the entry over in the meantime.
   */
  function carryOut(
    reach: Reach,
    scope: Scope,
    entry: JournalEntry,
    tags: Readonly<Record<string, string>>,
    isFresh: boolean,
  ): Promise<JobEntry | undefined> {
    return underLease(scope, entry.job.id, (held) => ask(reach, scope, held, tags, isFresh), entry);
  }

  /** Whether an entry is as it was begun a moment ago, by this process. */
  function isNew({ owner, askedAt }: JournalEntry): boolean {
    return owner === deps.instance && clock.latest() <= askedAt;
  }

  /**
   * Goes on with an entry whose gateway died, or lost the provider's answer.
   *
   * @returns The job; undefined while somebody is at it, or when there is no such entry any more.
   */
  function resume(reach: Reach, scope: Scope, id: JobId): Promise<JobEntry | undefined> {
    return underLease(scope, id, async (held) => {
      const account = accountOf(reach.provider, held.job.account);
      for (;;) {
        const batch = await findBatch(account, held, deps.closing);
        if (batch) return await record(scope, held, batch);
        const left = held.askedAt + deps.settleMilliseconds - clock.due();
        if (left <= 0) return await ask(reach, scope, held, await jobs.tags(scope, id));
        await deps.sleep(Math.min(interval, left));
      }
    });
  }

  /** Brings to an end what dead gateways left; what cannot be now waits for the next sweep. */
  async function sweep(signal: AbortSignal): Promise<void> {
    for await (const { scope, entry } of journal.entries()) {
      const { id } = entry.job;
      const provider = deps.providers.get(scope.provider);
      if (!provider || provider.forwards) continue;
      // Not even where the lease is ours: a create that was just begun is about to ask.
      if (entry.leaseUntil > clock.due()) continue;
      if (signal.aborted) return;
      try {
        await underLease(scope, id, async (held) => {
          const batch = await findBatch(accountOf(provider, held.job.account), held, signal);
          if (batch) await record(scope, held, batch);
          // Nobody was told of it, and no batch was made: the token is free again.
          else if (held.askedAt + deps.settleMilliseconds < clock.due()) {
            await journal.abandon(scope, held);
          }
        });
      } catch (error) {
        deps.warn("A create that was cut short could not be looked for", { job: id, error });
      }
    }
  }

  /** Asks for the batch, unless the lease was lost. */
  async function ask(
    reach: Reach,
    scope: Scope,
    held: JournalEntry,
    tags: Readonly<Record<string, string>>,
    isFresh = false,
  ): Promise<JobEntry | undefined> {
    const { job } = held;
    const { id: jobId, name: jobName, modelId, file: input } = job;
    if (input === undefined) throw new Failure("internal", "A journal entry has no input");
    atWork.set(jobId, "asking");
    const entry = isNew(held) ? held : await lease(scope, jobId);
    if (!entry) return undefined;
    const account = accountOf(reach.provider, job.account);
    let batch: Batch | undefined;
    try {
      const wanted = { jobId, jobName, modelId, input, tags };
      const create = () => account.batches.create(wanted, deps.closing);
      batch = isFresh ? await whenReady(deps, account, input, create) : await create();
    } catch (error) {
      if (!mayHaveBeenMade(error)) {
        await journal.abandon(scope, entry);
        throw boundTo(reach.provider, job.account, error, {
          what: "The job's input",
          advice:
            "Put the input again to have it on another account, or wait until this one is well",
        });
      }
      batch = await findBatch(account, entry, deps.closing);
      // The entry stays: a retry with the same token, or the sweep, looks again before it asks.
      if (!batch) throw error;
    }
    // Nor does it go where the catalog fails now: the batch is there.
    return await record(scope, entry, batch);
  }

  async function record(scope: Scope, entry: JournalEntry, batch: Batch): Promise<JobEntry> {
    const news = accepted(unsettled(batch), deps.now(), entry.job);
    const job: JobEntry = { ...entry.job, ...news };
    await journal.finish(scope, job);
    return job;
  }

  /** While the provider is being asked, each prolonging says so: what it has begun may go on. */
  function lease(scope: Scope, id: JobId): Promise<JournalEntry | undefined> {
    const latest = clock.latest();
    const askedAt = atWork.get(id) === "asking" ? latest : undefined;
    const until = latest + deps.leaseMilliseconds;
    return journal.lease(scope, id, deps.instance, clock.due(), until, askedAt);
  }

  /**
   * Works on an entry, and keeps its lease while the work goes on.
   *
   * @param begun The entry, where this process has just begun it.
   * @returns Undefined where the entry is gone, or somebody is at it, here or elsewhere.
   */
  async function underLease<Result>(
    scope: Scope,
    id: JobId,
    work: (held: JournalEntry) => Promise<Result>,
    begun?: JournalEntry,
  ): Promise<Result | undefined> {
    if (atWork.has(id)) return undefined;
    // Before anything is waited for: two of this process must not both get the lease.
    atWork.set(id, "looking");
    const prolong = async () => {
      try {
        await lease(scope, id);
      } catch (error) {
        deps.warn("A create's lease could not be prolonged", { job: id, error });
      }
    };
    let renewal: Renewal | undefined;
    try {
      const held = begun && isNew(begun) ? begun : await lease(scope, id);
      if (!held) return undefined;
      renewal = startRenewal(deps.leaseMilliseconds / 3, prolong);
      return await work(held);
    } finally {
      await renewal?.stop();
      atWork.delete(id);
    }
  }
}

/** Looks for the batch that bears the entry's job id. */
async function findBatch(
  account: Account,
  { job }: JournalEntry,
  signal: AbortSignal,
): Promise<Batch | undefined> {
  for await (const page of allPages((cursor) => account.batches.list(cursor, signal))) {
    const found = page.items.find((batch) => batch.jobId === job.id);
    if (found) return found;
    const old = account.batches.newestFirst && page.items.length > 0 &&
      page.items.every((batch) => batch.createdAt.getTime() < job.submittedAt - clockSkew);
    if (old) break;
  }
  return undefined;
}

/** Only a refusal that the provider, or the connection, has made clear leaves no doubt. */
function mayHaveBeenMade(error: unknown): boolean {
  return !(error instanceof Failure) || error.details.outcomeUnknown === true;
}
