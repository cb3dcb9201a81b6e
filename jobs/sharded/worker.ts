/**
 * Preparing and starting sharded jobs, behind the answers to their clients. One gateway at a time
 * does it for a job, under a lease; what a gateway that died has left is taken up by the sweep.
 */
import type { Scope } from "../../catalog/keys.ts";
import type { PreparedEntry } from "../../catalog/shard_entries.ts";
import { Failure, publicReason } from "../../codecs/failure.ts";
import type { JobId } from "../../codecs/ids.ts";
import { timeOfJobId } from "../../codecs/job_id.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { underLease } from "../../runtime/lease.ts";
import type { StoringProvider } from "../../providers/provider.ts";
import { accountOf } from "../../reach/reach.ts";
import { tracedStep } from "../../runtime/tracing.ts";
import { SingleFlight } from "../../runtime/single_flight.ts";
import { type JobTools, nameOf, type ScopedJob, stepOf } from "../deps.ts";
import { recordEnd } from "../record_end.ts";
import { withoutResults } from "../results/collect.ts";
import type { Report } from "../run.ts";
import { advance } from "../state.ts";
import { createWaits, type Waits } from "../waits.ts";
import { prepare, type ShardedJob, type Unfit } from "./prepare.ts";
import { releaseShards } from "./release.ts";
import { dryOutcome } from "./dry_run.ts";
import { mayGoOn } from "./legs.ts";
import { planRound } from "./rounds.ts";
import { startShards } from "./start.ts";
import { Turns } from "./turns.ts";

/** The longest pause between two attempts at a job, in milliseconds. */
const longestPause = 30_000;
/** How long a create may be at holding its input, in milliseconds. */
const longestHolding = 3_600_000;

/** Works on sharded jobs. */
export class ShardWorker {
  readonly #deps: JobTools;
  readonly #running = new SingleFlight<void>();
  readonly #waits: Waits;
  /** Whose turn it is to start batches. */
  readonly turns: Turns;

  constructor(deps: JobTools) {
    this.#deps = deps;
    this.#waits = createWaits(deps);
    this.turns = new Turns((scoped) => {
      const provider = deps.providers.get(scoped.scope.provider)?.stores;
      if (provider) this.push(provider, scoped);
    });
  }

  /** Goes on with a job, unless that is under way, or was tried without success a moment ago. */
  push(provider: StoringProvider, scoped: ScopedJob): void {
    if (this.#deps.closing.aborted || this.#waits.isPausing(scoped)) return;
    if (this.turns.isHeldUp(scoped)) return;
    void this.#running.run(nameOf(scoped), () => this.#attempt(provider, scoped));
  }

  /** Resolves when no job is being worked on any more. */
  async idle(): Promise<void> {
    await this.#running.idle();
  }

  /** Deletes what jobs that are over have left; a gateway that died may have left it. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { catalog: { jobs, journal, shards }, providers, warn } = this.#deps;
    for await (const { scope, id } of shards.everyUnreleased()) {
      if (signal.aborted) return;
      const provider = providers.get(scope.provider)?.stores;
      // In this order, which is that of a job's life.
      const entry = await journal.get(scope, id);
      const job = await jobs.get(scope, id);
      if (!provider || entry || job && !isTerminal(job.status)) continue;
      try {
        if (!job) {
          await this.#forgetUnbegun(scope, id);
          continue;
        }
        const sharded = shardedOf(this.#deps, provider, { scope, job });
        await releaseShards(this.#deps, provider, sharded, signal);
      } catch (error) {
        warn("What a job left could not be deleted yet", { job: id, error });
      }
    }
  }

  /** Lets go of what a create held that came to nothing, unless it may still be under way. */
  async #forgetUnbegun(scope: Scope, id: JobId): Promise<void> {
    const { catalog: { pins, shards }, clock } = this.#deps;
    if (timeOfJobId(id) + longestHolding > clock.due()) return;
    if (await shards.prepared(scope, id)) return;
    await pins.forget(scope, id);
    await shards.forget(scope, id);
  }

  /** Never throws. */
  async #attempt(provider: StoringProvider, scoped: ScopedJob): Promise<void> {
    this.turns.leave(scoped);
    try {
      await this.#underLease(provider, scoped);
      this.#waits.forget(scoped);
      this.#deps.delayed.delete(nameOf(scoped));
      this.turns.next();
    } catch (error) {
      this.#waits.postpone(scoped, longestPause);
      if (this.#deps.closing.aborted) return;
      const why = `The job could not be prepared or started yet: ${publicReason(error)}.`;
      this.#deps.delayed.set(nameOf(scoped), `${why} It will be tried again.`);
      const { scope, job } = scoped;
      const fields = { job: job.id, provider: scope.provider, error };
      this.#deps.warn("A job could not be prepared or started; it will be tried again", fields);
    }
  }

  async #underLease(provider: StoringProvider, { scope, job: { id } }: ScopedJob): Promise<void> {
    const { catalog: { results }, closing, warn } = this.#deps;
    const failed = (error: unknown) =>
      warn("The lease of a job that is being prepared could not be prolonged or given back", {
        job: id,
        error,
      });
    await underLease(
      results.lease(scope, id),
      { ...this.#deps, failed },
      (held) => this.#work(provider, scope, id, AbortSignal.any([closing, held.signal])),
    );
  }

  async #work(
    provider: StoringProvider,
    scope: Scope,
    id: JobId,
    signal: AbortSignal,
  ): Promise<void> {
    const { catalog: { jobs, shards }, now } = this.#deps;
    const goesOn = async () => {
      const job = await jobs.get(scope, id);
      return job !== undefined && !job.stopRequested && !isTerminal(job.status);
    };
    const known = await shards.prepared(scope, id);
    if (!known && !await goesOn()) return;
    const job = await jobs.update(scope, id, (old) => advance(old, validating, now()));
    if (!job || isTerminal(job.status)) return;
    const sharded = shardedOf(this.#deps, provider, { scope, job });
    const { plan } = sharded;
    const prepared = known ?? await tracedStep("prepare", stepOf(sharded), async (note) => {
      const made = await prepare(this.#deps, sharded, signal);
      note("reasons" in made ? { "error.type": "unfit" } : { "batchway.records": made.records });
      return made;
    });
    if ("reasons" in prepared) {
      await this.#fail(sharded, prepared);
      return await releaseShards(this.#deps, provider, sharded, signal);
    }
    if (plan.isDryRun) return await this.#endDryRun(provider, sharded, prepared, signal);
    const all = await shards.all(scope, id);
    if (mayGoOn(plan, prepared, all) && await goesOn()) {
      await planRound(this.#deps, sharded, prepared, all, signal);
    }
    await startShards(this.#deps, sharded, goesOn, this.turns, signal);
  }

  /** Ends a job that runs nothing. */
  async #endDryRun(
    provider: StoringProvider,
    sharded: ShardedJob,
    prepared: PreparedEntry,
    signal: AbortSignal,
  ): Promise<void> {
    const report = {
      ...validating,
      status: "Completed",
      endedAt: new Date(this.#deps.now()),
    } as const;
    const outcome = await dryOutcome(this.#deps, sharded, prepared);
    await recordEnd(this.#deps, sharded, report, outcome);
    await releaseShards(this.#deps, provider, sharded, signal);
  }

  /** Ends a job whose input cannot be run. */
  async #fail({ scope, job }: ShardedJob, { reasons }: Unfit): Promise<void> {
    const message = `${reasons.join(" ")} Nothing was sent to the provider.`.slice(0, 2_048);
    const report = { ...validating, status: "Failed", message } as const;
    const outcome = withoutResults(this.#deps, job, undefined, message);
    await recordEnd(this.#deps, { scope, job }, report, outcome);
  }
}

const validating: Report = {
  status: "Validating",
  rawStatus: "",
  counts: undefined,
  message: undefined,
  results: [],
  endedAt: undefined,
  expiresAt: undefined,
};

/** A job as the parts of this room take it. Throws where it is not a sharded one. */
export function shardedOf(
  { store }: Pick<JobTools, "store">,
  provider: StoringProvider,
  { scope, job }: ScopedJob,
): ShardedJob {
  const { plan } = job;
  const { target } = provider;
  if (plan.kind !== "sharded" || !target || !store) {
    throw new Failure("internal", `The job ${job.id} is not one of shards`);
  }
  return { scope, job, plan, account: accountOf(provider, plan.account), target, store };
}
