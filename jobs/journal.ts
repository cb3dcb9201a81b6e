/** Recording the jobs that the journal promises, also when the gateway that began them is gone. */
import type { Scope } from "../catalog/keys.ts";
import type { JobEntry, JournalEntry } from "../catalog/entries.ts";
import type { BegunPlan } from "../catalog/plan.ts";
import { withBatch } from "../catalog/plans.ts";
import { Failure } from "../codecs/failure.ts";
import type { JobId } from "../codecs/ids.ts";
import { boundTo } from "../reach/accounts.ts";
import { accountOf, type Reach } from "../reach/reach.ts";
import { type Lease, underLease } from "../runtime/lease.ts";
import type { Batch } from "../providers/provider.ts";
import { requestedModel } from "./requested_model.ts";
import type { JobTools } from "./deps.ts";
import { whenReady } from "./fresh_input.ts";
import { askFor, type Claim, findBatch, findUntilCertain } from "./once.ts";
import { shardedPlanOf } from "./queued.ts";
import { accepted, beforeEnd, submitted } from "./state.ts";

/** How soon the provider is asked for an entry that was just begun, in milliseconds. */
const soon = 500;

/**
 * First members of an entry: the lease, and the time at which the provider will have been asked.
 * Until then no other process can have the entry, and what it says is true, so that it need not be
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

/** Works on journal entries. */
export class JournalWork {
  readonly #deps: JobTools;
  /** Entries that this process is at: its own lease would let it in a second time. */
  readonly #atWork = new Map<JobId, "looking" | "asking">();

  constructor(deps: JobTools) {
    this.#deps = deps;
  }

  /**
   * Asks the provider for the batch of an entry that this process has begun.
   *
   * @param isFresh Whether the input was just put: its provider may not know it everywhere yet.
   * @returns The job; undefined where another gateway took the entry over in the meantime.
   */
  carryOut(
    reach: Reach,
    scope: Scope,
    entry: JournalEntry,
    tags: Readonly<Record<string, string>>,
    isFresh: boolean,
  ): Promise<JobEntry | undefined> {
    const ask = (held: JournalEntry) => this.#ask(reach, scope, held, tags, isFresh);
    return this.#underLease(scope, entry.job.id, ask, entry);
  }

  /**
   * Goes on with an entry whose gateway died, or lost the provider's answer.
   *
   * @returns The job; undefined while another call is at it, or when there is no such entry any more.
   */
  resume(reach: Reach, scope: Scope, id: JobId): Promise<JobEntry | undefined> {
    return this.#underLease(scope, id, async (held) => {
      if (held.job.plan.kind === "sharded") return await this.#recordSharded(reach, scope, held);
      const account = accountOf(reach.provider, directOf(held).account);
      const { closing, catalog: { jobs } } = this.#deps;
      const batch = await findUntilCertain(
        this.#deps,
        account,
        claimOf(held),
        held.askedAt,
        closing,
      );
      if (batch) return await this.#record(scope, held, batch);
      return await this.#ask(reach, scope, held, await jobs.tags(scope, id));
    });
  }

  /** Brings to an end what dead gateways left; what cannot be now waits for the next sweep. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { clock, catalog: { journal }, providers, longestCreateMilliseconds, warn } = this.#deps;
    for await (const { scope, entry } of journal.entries()) {
      const { id } = entry.job;
      const provider = providers.get(scope.provider)?.stores;
      if (!provider) continue;
      // Not even where the lease is ours: a create that was just begun is about to ask.
      if (entry.leaseUntil > clock.due()) continue;
      if (signal.aborted) return;
      try {
        await this.#underLease(scope, id, async (held) => {
          // Nothing was begun at the provider, and no client has its id.
          if (held.job.plan.kind === "sharded") return await journal.abandon(scope, held);
          const account = accountOf(provider, directOf(held).account);
          const batch = await findBatch(account, claimOf(held), signal);
          if (batch) await this.#record(scope, held, batch);
          // No client has its id, and no batch was made: the token is free again.
          else if (held.askedAt + longestCreateMilliseconds < clock.due()) {
            await journal.abandon(scope, held);
          }
        });
      } catch (error) {
        warn("A create that was cut short could not be looked for", { job: id, error });
      }
    }
  }

  /** Asks for the batch, unless the lease was lost. */
  async #ask(
    reach: Reach,
    scope: Scope,
    held: JournalEntry,
    tags: Readonly<Record<string, string>>,
    isFresh = false,
  ): Promise<JobEntry | undefined> {
    const { job } = held;
    if (job.plan.kind === "sharded") return await this.#recordSharded(reach, scope, held);
    const { id: jobId, name: jobName } = job;
    const modelId = requestedModel(this.#deps, reach.provider, job.modelId);
    const { account: accountName, input } = directOf(held);
    this.#atWork.set(jobId, "asking");
    const entry = this.#isNew(held) ? held : await this.#lease(scope, jobId);
    if (!entry) return undefined;
    const account = accountOf(reach.provider, accountName);
    const { closing, catalog: { journal } } = this.#deps;
    const wanted = { jobId, jobName, modelId, input, tags };
    const create = () => account.batches.create(wanted, closing);
    const patient = () => whenReady(this.#deps, account, input, create);
    // Where it throws the entry stays: a retry with the same token, or the sweep, looks again.
    const outcome = await askFor(account, claimOf(entry), isFresh ? patient : create, closing);
    if ("refused" in outcome) {
      const waits = await this.#wait(reach, scope, entry, tags, outcome.refused);
      if (waits) return waits;
      await journal.abandon(scope, entry);
      throw boundTo(reach.provider, accountName, outcome.refused, {
        what: "The job's input",
        advice: "Put the input again to have it on another account, or wait until this one is well",
      });
    }
    // The entry stays where the catalog fails now, too: the batch is there.
    return await this.#record(scope, entry, outcome.batch);
  }

  /** Records a job that waits, where its provider refuses its batch for now; undefined where not. */
  async #wait(
    reach: Reach,
    scope: Scope,
    entry: JournalEntry,
    tags: Readonly<Record<string, string>>,
    refused: unknown,
  ): Promise<JobEntry | undefined> {
    if (!(refused instanceof Failure) || refused.kind !== "throttled") return undefined;
    const { provider, tenant } = reach;
    const { job } = entry;
    const direct = directOf(entry);
    const { closing } = this.#deps;
    const plan = await shardedPlanOf(
      this.#deps,
      provider,
      { tenant, modelId: job.modelId, tags },
      direct,
      closing,
    );
    // It was read meanwhile: another gateway must not have asked for a batch.
    const held = plan && await this.#lease(scope, job.id);
    if (!held) return undefined;
    this.#deps.queue({ provider: provider.name, account: direct.account }, refused.message);
    return await this.#recordSharded(reach, scope, { ...held, job: { ...job, plan } });
  }

  async #record(scope: Scope, entry: JournalEntry, batch: Batch): Promise<JobEntry> {
    const { now, catalog: { journal } } = this.#deps;
    const news = accepted(beforeEnd(batch), now(), entry.job);
    const job: JobEntry = { ...withBatch(entry.job, batch.id), ...news };
    await journal.finish(scope, job);
    return job;
  }

  /** Records a job whose records are yet to be read, and has that begun. */
  async #recordSharded(reach: Reach, scope: Scope, entry: JournalEntry): Promise<JobEntry> {
    const { now, catalog: { journal }, push } = this.#deps;
    const { plan, ...described } = entry.job;
    if (plan.kind !== "sharded") throw new Failure("internal", "A job of one batch has no batch");
    const job: JobEntry = { ...described, plan, ...submitted(entry.job, now()) };
    await journal.finish(scope, job);
    push(reach.provider, { scope, job });
    return job;
  }

  /** Whether an entry is as it was begun a moment ago, by this process. */
  #isNew({ owner, askedAt }: JournalEntry): boolean {
    return owner === this.#deps.instance && this.#deps.clock.latest() <= askedAt;
  }

  /** While the provider is being asked, each renewal says so: what it has begun may go on. */
  #lease(scope: Scope, id: JobId): Promise<JournalEntry | undefined> {
    const { clock, instance, leaseMilliseconds, catalog: { journal } } = this.#deps;
    const latest = clock.latest();
    const askedAt = this.#atWork.get(id) === "asking" ? latest : undefined;
    const until = latest + leaseMilliseconds;
    return journal.lease(scope, id, instance, clock.due(), until, askedAt);
  }

  /**
   * Works on an entry, and keeps its lease while the work goes on.
   *
   * @param begun The entry, where this process has just begun it.
   * @returns Undefined where the entry is gone, or other work is at it, here or elsewhere.
   */
  async #underLease<Result>(
    scope: Scope,
    id: JobId,
    work: (held: JournalEntry) => Promise<Result>,
    begun?: JournalEntry,
  ): Promise<Result | undefined> {
    if (this.#atWork.has(id)) return undefined;
    // Before anything is waited for: two of this process must not both get the lease.
    this.#atWork.set(id, "looking");
    const failed = (error: unknown) =>
      this.#deps.warn("A create's lease could not be prolonged", { job: id, error });
    let held = begun && this.#isNew(begun) ? begun : undefined;
    const lease: Lease = {
      take: async () => (held ??= await this.#lease(scope, id)) !== undefined,
      prolong: async () => await this.#lease(scope, id) !== undefined,
      // An entry that is left goes on being held: what was asked of the provider may be under way.
      release: () => Promise.resolve(),
    };
    try {
      return await underLease(
        lease,
        { ...this.#deps, failed },
        async () => held && await work(held),
      );
    } finally {
      this.#atWork.delete(id);
    }
  }
}

/** The batch that an entry is to have. */
function claimOf({ job }: JournalEntry): Claim {
  return { jobId: job.id, since: job.submittedAt };
}

/** The plan of a create that asks for one batch. */
function directOf({ job: { id, plan } }: JournalEntry): Extract<BegunPlan, { kind: "direct" }> {
  if (plan.kind === "direct") return plan;
  throw new Failure("internal", `The job ${id} is not one that a single batch runs`);
}
