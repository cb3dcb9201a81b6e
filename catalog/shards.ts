/**
 * Shards: the parts of a job that one batch runs each. All shards of a job are recorded before the
 * entry that says so; nothing is started before that entry is there.
 */
import type { JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { BatchEntry, JobEntry, RestoredEntry } from "./entries.ts";
import type { PreparedEntry, ShardEntry } from "./shard_entries.ts";
import type { Registration } from "./instances.ts";
import { Failure } from "../codecs/failure.ts";
import { keys, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import { throwAway } from "./names.ts";

/** A shard whose batch its provider may have made. */
export interface AskingShard {
  readonly scope: Scope;
  readonly job: JobId;
  readonly shard: ShardEntry;
}

function othersRound(): Failure {
  return new Failure(
    "unavailable",
    "Another gateway is at this job. It goes on there, or here a little later",
  );
}

/** What a batch says of its job in its provider's metadata. */
export interface BatchMarks {
  readonly jobId?: JobId | undefined;
  readonly shard?: number | undefined;
}

/** What must hold for a step. */
export interface ShardCondition {
  readonly registration?: Registration;
  /** The job is neither over nor to be stopped. */
  readonly wanted?: boolean;
  /** Fewer batches than this run at its account. */
  readonly running?: number;
}

/** The shards' part of the catalog. */
export type ShardCatalog = ReturnType<typeof createShardCatalog>;

/** Makes the shards' part of the catalog. */
export function createShardCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return {
    prepared,
    everyUnreleased,
    all,
    prepare,
    update,
    forget,
    asking,
    restoredAt,
    isOfRunning,
  };

  /** Returns what the job's input holds; undefined while that is not known. */
  async function prepared(scope: Scope, id: JobId): Promise<PreparedEntry | undefined> {
    return (await kv.get<PreparedEntry>(keys.prepared(scope, id))).value ?? undefined;
  }

  /** The shards of a job, round by round, in the order of their records. */
  async function all(scope: Scope, id: JobId): Promise<ShardEntry[]> {
    // Those of a round whose planning was cut short are not there yet.
    const last = (await prepared(scope, id))?.round ?? 0;
    return (await every(scope, id)).filter(({ round = 0 }) => round <= last);
  }

  async function every(scope: Scope, id: JobId): Promise<ShardEntry[]> {
    const found: ShardEntry[] = [];
    for await (const { value } of kv.list<ShardEntry>({ prefix: keys.shards(scope, id) })) {
      found.push(value);
    }
    return found;
  }

  /**
   * Records the shards of a job's round, and then that these are all. Throws `unavailable`, and leaves
   * all as it is, where another process has recorded the round meanwhile: it may have started it.
   */
  async function prepare(
    scope: Scope,
    id: JobId,
    entry: PreparedEntry,
    shards: readonly ShardEntry[],
  ): Promise<void> {
    const before = await kv.get<PreparedEntry>(keys.prepared(scope, id));
    const { round: current = 0 } = entry;
    const write = (key: Deno.KvKey, value: unknown) =>
      change(sleep, async (): Promise<Attempt<void>> => {
        const now = await kv.get<PreparedEntry>(before.key);
        if (now.versionstamp !== before.versionstamp) throw othersRound();
        const step = kv.atomic().check(before);
        if (value === undefined) step.delete(key);
        else step.set(key, value);
        return (await step.commit()).ok ? { done: undefined } : "again";
      });
    if (before.value && (before.value.round ?? 0) >= current) throw othersRound();
    // Its job may have ended, and been cleared away, while a slow process was at it.
    await write(keys.unreleased(scope, id), true);
    for (const { n, round = 0 } of await every(scope, id)) {
      if (round === current) await write(keys.shard(scope, id, n), undefined);
    }
    for (const shard of shards) await write(keys.shard(scope, id, shard.n), shard);
    await write(before.key, entry);
  }

  /**
   * Moves a shard on, with all that points to it. A file that holds its records waits in the trash
   * until the job is over; its batch is the job's from then on.
   *
   * @param move Returns the shard as it is to be; undefined where nothing changes.
   * @returns The shard as it is now; undefined where it is gone, or a condition does not hold. Throws
   * `throttled` where as many batches run at its account as may.
   */
  function update(
    scope: Scope,
    id: JobId,
    n: number,
    move: (shard: ShardEntry) => ShardEntry | undefined,
    { registration, wanted = false, running }: ShardCondition = {},
  ): Promise<ShardEntry | undefined> {
    return change(sleep, async (): Promise<Attempt<ShardEntry | undefined>> => {
      const old = await kv.get<ShardEntry>(keys.shard(scope, id, n));
      if (!old.value) return { done: undefined };
      const shard = move(old.value);
      if (!shard) return { done: old.value };
      const step = kv.atomic().check(old).set(old.key, shard);
      if (wanted) {
        const job = await kv.get<JobEntry>(keys.job(scope, id));
        const isWanted = job.value && !job.value.stopRequested && !isTerminal(job.value.status);
        if (!isWanted) return { done: undefined };
        step.check(job);
      }
      if (registration) step.check(registration);
      const { provider = scope.provider, account } = shard;
      if (running !== undefined) await checkRunning(step, provider, account, running);
      const busy = keys.busyBatch(provider, account, scope, id, n);
      const isBusy = !shard.end && (shard.askedAt !== undefined || shard.batch !== undefined);
      if (isBusy) step.set(busy, true);
      else step.delete(busy);
      const asking = keys.askingShard({ ...scope, provider }, id, n);
      if (shard.askedAt !== undefined && shard.batch === undefined && !shard.end) {
        step.set(asking, scope.provider);
      } else step.delete(asking);
      if (shard.batch !== undefined) {
        const owner: BatchEntry = { tenant: scope.tenant, id, over: shard.end !== undefined };
        step.set(keys.batch(provider, shard.batch), owner);
      }
      if (shard.file !== undefined && shard.file !== old.value.file) {
        const { file } = shard;
        const held = { in: "provider", file, account } as const;
        // A service that stores by content may have answered with the file of an object.
        const known = await kv.get(keys.file(provider, file));
        step.check(known);
        if (known.value === null) {
          throwAway(step, provider, { file, held }, {
            tenant: scope.tenant,
            bucket: "",
            key: "",
          });
        }
        step.set(keys.use(provider, shard.file, id), true);
      }
      for (const file of shard.end?.results ?? []) {
        step.set(keys.resultFile(provider, file), scope.tenant);
      }
      if ((await step.commit()).ok) return { done: shard };
      if (!registration) return "again";
      const now = await kv.get(registration.key);
      return now.versionstamp === registration.versionstamp ? "again" : { done: undefined };
    });
  }

  /** Adds to a step that fewer batches than may run at an account. */
  async function checkRunning(
    step: Deno.AtomicOperation,
    provider: string,
    account: string,
    most: number,
  ): Promise<void> {
    const gate = await kv.get<number>(keys.busyGate(provider, account));
    let count = 0;
    for await (const _ of kv.list({ prefix: keys.busyBatches(provider, account) })) count++;
    if (count >= most) {
      throw new Failure(
        "throttled",
        `${count} batches run at the account, as many as the gateway's batchLimits.running allows.`,
      );
    }
    step.check(gate).set(gate.key, (gate.value ?? 0) + 1);
  }

  /** Every job of shards whose work was not deleted yet, of all tenants and providers. */
  async function* everyUnreleased(): AsyncGenerator<{ readonly scope: Scope; readonly id: JobId }> {
    for await (const { key } of kv.list({ prefix: keys.everyUnreleased() })) {
      const [, tenant, provider, id] = key as [string, string, string, JobId];
      yield { scope: { tenant, provider }, id };
    }
  }

  /**
   * Returns when the catalog was last set back to a backup, in milliseconds since 1970: batches of
   * the jobs of before may have been made that it does not know of. Undefined where it never was.
   */
  async function restoredAt(): Promise<number | undefined> {
    return (await kv.get<RestoredEntry>(keys.restored())).value?.restoredAt;
  }

  /** Returns whether a batch is one of a job that runs and has several, recorded or not. */
  async function isOfRunning({ jobId, shard }: BatchMarks): Promise<boolean> {
    if (jobId === undefined || shard === undefined) return false;
    for await (const { key } of kv.list({ prefix: keys.running() })) {
      const [, tenant, provider, id] = key as [string, string, string, JobId];
      if (id !== jobId) continue;
      const job = (await kv.get<JobEntry>(keys.job({ tenant, provider }, id))).value;
      if (job?.plan.kind === "sharded" && !isTerminal(job.status)) return true;
    }
    return false;
  }

  /** Forgets a shard of a job that is over, and ends the use of the file that held its records. */
  function forgetShard(scope: Scope, id: JobId, shard: ShardEntry) {
    const { n, file, account, provider = scope.provider } = shard;
    return change(sleep, async () => {
      const step = kv.atomic().delete(keys.shard(scope, id, n))
        .delete(keys.busyBatch(provider, account, scope, id, n));
      if (file !== undefined) step.delete(keys.use(provider, file, id));
      return (await step.commit()).ok ? { done: undefined } : "again" as const;
    });
  }

  /** Forgets the shards of a job that is over; the last step is that nothing is left of it. */
  async function forget(scope: Scope, id: JobId): Promise<void> {
    for (const shard of await every(scope, id)) await forgetShard(scope, id, shard);
    await change(sleep, async () => {
      const step = kv.atomic()
        .delete(keys.prepared(scope, id))
        .delete(keys.unreleased(scope, id));
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** The shards whose batches a provider may have made without the catalog knowing of it yet. */
  async function* asking(provider: string): AsyncGenerator<AskingShard> {
    const prefix = keys.askingShards(provider);
    for await (const { key, value: own } of kv.list<string | true>({ prefix })) {
      const [, , tenant, id, n] = key as [string, string, string, JobId, number];
      // The job may be one of another provider, which falls back to this one.
      const scope = { tenant, provider: own === true ? provider : own };
      const { value } = await kv.get<ShardEntry>(keys.shard(scope, id, n));
      if (value) yield { scope, job: id, shard: value };
    }
  }
}
