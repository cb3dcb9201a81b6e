/**
 * What access keys have used of their limits in each calendar month, and what is reserved for work
 * under way. One entry for each key and month holds the sums; each job and each put that is under way
 * has an entry of its own with what it reserved, which goes in the step that corrects the sums. So a
 * step that is repeated, or comes from a second gateway, counts once.
 */
import { isTerminal } from "../codecs/job_status.ts";
import type { JobId } from "../codecs/ids.ts";
import { Turns } from "../runtime/turns.ts";
import { Failure } from "../codecs/failure.ts";
import type { JobEntry } from "./entries.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import {
  type Amounts,
  difference,
  excessOf,
  type Limits,
  noAmounts,
  plus,
  quotaExceeded,
  type Usage,
} from "./limits.ts";

/** Sums of an access key in a month. */
export type QuotaEntry = Usage;

/** What a job has reserved until it ends. */
export interface ReservationEntry {
  readonly accessKeyId: string;
  /** The month that it counts in, whenever it ends. */
  readonly month: string;
  readonly amounts: Amounts;
  /** The key's limits when the job was created: what its records are held to when they are read. */
  readonly limits: Limits;
  /** When it was reserved, of a job that is forwarded: no entry of a job says so. */
  readonly forwardedAt?: number;
}

/** What a put has reserved until it is recorded. */
export interface PutReservationEntry {
  readonly month: string;
  readonly bytes: number;
}

/** A put that has reserved its bytes. */
export interface PutReservation extends PutReservationEntry {
  readonly accessKeyId: string;
  /** The gateway process that is at it. */
  readonly instance: string;
  readonly id: string;
}

/** What the work of a job came to, where that is known. */
export interface Spent {
  /** Billionths of a USD. */
  readonly cost?: number;
}

/** The quotas' part of the catalog. */
export type QuotaCatalog = ReturnType<typeof createQuotaCatalog>;

const turns = new WeakMap<Deno.Kv, Turns>();

/**
 * Does a change of a key's sums when those of this process before it are done: each step checks the
 * sums, and hundreds at once would only refuse one another. Without a key it is done at once.
 */
export function inTurn<Result>(
  kv: Deno.Kv,
  key: { readonly accessKeyId: string } | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!key) return work();
  const own = turns.get(kv) ?? new Turns();
  turns.set(kv, own);
  return own.run(key.accessKeyId, work);
}

const nothing: QuotaEntry = { used: noAmounts, reserved: noAmounts };

/** Makes the quotas' part of the catalog. */
export function createQuotaCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return {
    get,
    limitsOf,
    correct,
    reserve,
    release,
    sweepForwarded,
    reservePut,
    countPut,
    releasePut,
    sweepPuts,
  };

  function changeInTurn<Result>(
    key: { readonly accessKeyId: string },
    attempt: () => Promise<Attempt<Result>>,
  ): Promise<Result> {
    return inTurn(kv, key, () => change(sleep, attempt));
  }

  /** Returns what a key has used and reserved in a month. */
  async function get(accessKeyId: string, month: string): Promise<QuotaEntry> {
    return (await kv.get<QuotaEntry>(keys.quota(accessKeyId, month))).value ?? nothing;
  }

  /** The limits that a job is held to; undefined where it has none. */
  async function limitsOf(scope: Scope, id: JobId): Promise<Limits | undefined> {
    return (await kv.get<ReservationEntry>(keys.reservation(scope, id))).value?.limits;
  }

  /**
   * Sets what a job reserves to what its records were found to be.
   *
   * @returns Why there is no room for it: nothing is changed then.
   */
  function correct(
    scope: Scope,
    id: JobId,
    found: Partial<Pick<Amounts, "records" | "cost">>,
  ): Promise<string | undefined> {
    return change(sleep, async (): Promise<Attempt<string | undefined>> => {
      const held = await kv.get<ReservationEntry>(keys.reservation(scope, id));
      if (!held.value) return { done: undefined };
      const { accessKeyId, month, limits, amounts: old } = held.value;
      const amounts = { ...old, ...found };
      const sums = await kv.get<QuotaEntry>(keys.quota(accessKeyId, month));
      const { used, reserved } = sums.value ?? nothing;
      // The whole of it is new to the limit that it passes.
      const others = plus(reserved, difference(old, noAmounts));
      const excess = excessOf(limits, { used, reserved: others }, amounts, month, "this job");
      if (excess) return { done: excess.sentence };
      const step = kv.atomic().check(held).check(sums)
        .set(held.key, { ...held.value, amounts })
        .set(sums.key, { used, reserved: plus(others, amounts) });
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Reserves for a job that is forwarded. Throws as {@linkcode reserveJob} does.
   *
   * @returns False where this id has reserved before.
   */
  function reserve(scope: Scope, id: JobId, reservation: ReservationEntry): Promise<boolean> {
    return changeInTurn(reservation, async () => {
      if ((await kv.get(keys.reservation(scope, id))).versionstamp !== null) return { done: false };
      const step = kv.atomic();
      await reserveJob(kv, step, scope, id, reservation);
      return (await step.commit()).ok ? { done: true } : "again";
    });
  }

  /** Gives back what a forwarded job reserved that came to nothing. */
  function release(scope: Scope, id: JobId): Promise<void> {
    return change(sleep, async () => {
      const step = kv.atomic();
      await releaseJob(kv, step, scope, id);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Gives back what forwarded jobs reserved before a time whose gateway died.
   *
   * @param known Reservations of forwarded jobs that are remembered.
   */
  async function sweepForwarded(known: ReadonlySet<string>, before: number): Promise<void> {
    const all = kv.list<ReservationEntry>({ prefix: ["reservation"] }, { batchSize: maxBatch });
    for await (const { key, value: { forwardedAt } } of all) {
      const [, tenant, provider, id] = key as [string, string, string, JobId];
      if (forwardedAt === undefined || forwardedAt >= before || known.has(id)) continue;
      await release({ tenant, provider }, id);
    }
  }

  /** Reserves the bytes of a put. Throws `denied` where a limit has no room for them. */
  function reservePut(put: PutReservation, limits: Limits): Promise<void> {
    const { accessKeyId, instance, id, month, bytes } = put;
    return changeInTurn(put, async (): Promise<Attempt<void>> => {
      const at = await kv.get(keys.putReservation(accessKeyId, instance, id));
      // Over KV Connect a step may be applied and still answer "not ok": this is our own.
      if (at.versionstamp !== null) return { done: undefined };
      const sums = await kv.get<QuotaEntry>(keys.quota(accessKeyId, month));
      const { used, reserved } = sums.value ?? nothing;
      const amounts = { ...noAmounts, bytes };
      const excess = excessOf(limits, { used, reserved }, amounts, month, "this put");
      if (excess) throw new Failure("denied", excess.sentence);
      const step = kv.atomic().check(at).check(sums)
        .set(at.key, { month, bytes })
        .set(sums.key, { used, reserved: plus(reserved, amounts) });
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Counts a put that another service has recorded. */
  function countPut(put: PutReservation): Promise<void> {
    return changeInTurn(put, async () => {
      const at = await kv.get(keys.putReservation(put.accessKeyId, put.instance, put.id));
      if (at.versionstamp === null) return { done: undefined };
      const step = kv.atomic();
      await endPut(kv, step, put);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Gives back what a put reserved that came to nothing; one that was recorded stays counted. */
  function releasePut({ accessKeyId, instance, id }: PutReservation): Promise<void> {
    return changeInTurn({ accessKeyId }, async () => {
      const step = kv.atomic();
      const at = await kv.get<PutReservationEntry>(keys.putReservation(accessKeyId, instance, id));
      if (!at.value) return { done: undefined };
      await endPut(kv, step, { accessKeyId, instance, id, ...at.value }, 0);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Gives back what puts of processes reserved that are dead: their registration has ended. */
  async function sweepPuts(signal: AbortSignal): Promise<void> {
    const reserved = kv.list<PutReservationEntry>({ prefix: keys.putReservations() });
    for await (const { key, value } of reserved) {
      if (signal.aborted) return;
      const [, accessKeyId, instance, id] = key as [string, string, string, string];
      const registration = await kv.get(keys.registration(instance));
      if (registration.versionstamp !== null) continue;
      await releasePut({ accessKeyId, instance, id, ...value });
    }
  }
}

/**
 * Adds to the step that begins a job what it reserves. Throws `denied`, a
 * ServiceQuotaExceededException, where a limit has no room for it.
 */
export async function reserveJob(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  scope: Scope,
  id: JobId,
  reservation: ReservationEntry,
): Promise<void> {
  const { accessKeyId, month, amounts, limits } = reservation;
  const at = await kv.get(keys.reservation(scope, id));
  // Over KV Connect a step may be applied and still answer "not ok": this is the job's own.
  if (at.versionstamp !== null) return;
  const sums = await kv.get<QuotaEntry>(keys.quota(accessKeyId, month));
  const { used, reserved } = sums.value ?? nothing;
  const excess = excessOf(limits, { used, reserved }, amounts, month, "this job");
  if (excess) throw quotaExceeded(excess.sentence);
  step.check(at).check(sums).set(at.key, reservation)
    .set(sums.key, { used, reserved: plus(reserved, amounts) });
}

/** Adds to the step that gives a create up what gives back all that it reserved. */
export async function releaseJob(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  scope: Scope,
  id: JobId,
): Promise<void> {
  await endReservation(kv, step, keys.reservation(scope, id), () => noAmounts);
}

/** Adds to the step that ends a job what turns its reservation into what it used. */
export async function recordUse(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  scope: Scope,
  job: JobEntry,
  spent: Spent = {},
): Promise<void> {
  if (!isTerminal(job.status)) return;
  // A dry run has no records at a provider.
  const isDryRun = job.plan.kind === "sharded" && job.plan.isDryRun === true;
  const used = ({ amounts }: ReservationEntry) =>
    isDryRun ? { ...noAmounts, jobs: amounts.jobs } : usedBy(job, amounts, spent);
  await endReservation(kv, step, keys.reservation(scope, job.id), used);
}

/** Adds to the step that counts a forwarded job what turns its reservation into what it used. */
export async function recordForwardedUse(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  scope: Scope,
  id: JobId,
  used: Partial<Pick<Amounts, "records" | "cost">>,
): Promise<void> {
  const key = keys.reservation(scope, id);
  await endReservation(kv, step, key, ({ amounts }) => ({ ...amounts, ...used }));
}

/**
 * Returns what an ended job counts for: itself, the records that its provider was at, and what
 * their tokens cost. Where one of them is not known the reservation stands, which is not too low;
 * of a job that failed before its first record only the job itself.
 */
export function usedBy(
  { status, counts }: Pick<JobEntry, "status" | "counts">,
  reserved: Amounts,
  { cost }: Spent,
): Amounts {
  const processed = counts?.processed ?? (status === "Failed" ? 0 : undefined);
  const isUntouched = processed === 0;
  return {
    jobs: reserved.jobs,
    bytes: 0,
    records: processed ?? reserved.records,
    cost: cost ?? (isUntouched ? 0 : reserved.cost),
  };
}

async function endReservation(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  key: Deno.KvKey,
  usedOf: (reservation: ReservationEntry) => Amounts,
): Promise<void> {
  const held = await kv.get<ReservationEntry>(key);
  if (!held.value) return;
  const { accessKeyId, month, amounts } = held.value;
  const sums = await kv.get<QuotaEntry>(keys.quota(accessKeyId, month));
  step.check(held).check(sums).delete(held.key)
    .set(sums.key, ended(sums.value ?? nothing, amounts, usedOf(held.value)));
}

/** Returns sums without a reservation, and with what became of it. */
export function ended({ used, reserved }: QuotaEntry, held: Amounts, became: Amounts): QuotaEntry {
  return { used: plus(used, became), reserved: plus(reserved, difference(held, noAmounts)) };
}

/** Adds to the step that records a put what counts its bytes; to another one, with 0, what gives them back. */
export async function endPut(
  kv: Deno.Kv,
  step: Deno.AtomicOperation,
  { accessKeyId, instance, id, month, bytes }: PutReservation,
  counted: number = bytes,
): Promise<void> {
  const at = await kv.get<PutReservationEntry>(keys.putReservation(accessKeyId, instance, id));
  const sums = await kv.get<QuotaEntry>(keys.quota(accessKeyId, month));
  // Where another gateway took this process for dead, only what was put is to be counted.
  const held = { ...noAmounts, bytes: at.value?.bytes ?? 0 };
  step.check(at).check(sums).delete(at.key)
    .set(sums.key, ended(sums.value ?? nothing, held, { ...noAmounts, bytes: counted }));
}
