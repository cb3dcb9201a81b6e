/**
 * Events of jobs that wait for their receivers. An event is written in the very step that changes its
 * job's status, once for each receiver, so that receivers wait for nothing but their own turn.
 */
import { createHash } from "node:crypto";
import type { JobCounts, JobEntry } from "./entries.ts";
import type { JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import { keys, maxBatch, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";

/** A receiver of events, as the catalog knows it. */
export interface EventTarget {
  /** A digest of its address. */
  readonly id: string;
  /** For people; without what may be secret in an address. */
  readonly name: string;
}

/** Where events go, and who sends them. */
export interface Outbox {
  /** The receivers that are sent the events of a tenant's jobs. */
  targetsOf(tenant: string): readonly EventTarget[];
  /** Called once a step that may have written events is in the catalog. */
  committed(): void;
}

/** A job as one change of its status left it. */
export interface JobEvent {
  /** A UUID, the same for each receiver and each time that it is sent. */
  readonly id: string;
  readonly job: JobId;
  readonly name: string;
  readonly modelId: string;
  readonly region: string;
  readonly status: JobStatus;
  readonly message?: string;
  readonly submittedAt: number;
  readonly modifiedAt: number;
  readonly counts?: JobCounts;
}

/** An event that waits for a receiver. */
export interface WaitingEvent {
  readonly event: JobEvent;
  /** The receiver's name. */
  readonly target: string;
  /** When it was written, or asked for again. */
  readonly since: number;
  /** It is not sent before this time. */
  readonly nextAt: number;
  readonly tries: number;
  /** Why it was not delivered last time. */
  readonly error?: string;
}

/** An event that a receiver has, or will not be sent any more. */
export interface DoneEvent {
  readonly event: JobEvent;
  readonly target: string;
  readonly outcome: "delivered" | "given-up";
  readonly at: number;
  readonly tries: number;
  readonly error?: string;
}

/** An event of a receiver's with its place: whose job it is of, and its number among the job's. */
export interface PlacedEvent<Entry> {
  readonly key: Deno.KvKey;
  readonly target: string;
  readonly scope: Scope;
  readonly number: number;
  readonly entry: Entry;
}

/** How far the clocks of two gateways may be apart, in milliseconds. */
const clockLeeway = 60_000;

/** The events of one job, those that wait and those that are done. */
export interface JobEvents {
  readonly events: readonly PlacedEvent<WaitingEvent | DoneEvent>[];
  /** Whether all that were done were looked through. */
  readonly isWhole: boolean;
}

/** The outbox's part of the catalog. */
export type OutboxCatalog = ReturnType<typeof createOutboxCatalog>;

/**
 * Makes the outbox's part of the catalog.
 *
 * @param outbox Where events go now; nowhere if absent.
 */
export function createOutboxCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  outbox?: Pick<Outbox, "targetsOf">,
) {
  return { get, waiting, count, done, ofJob, postpone, finish, sendAgain, lastReplay, forget };

  /** An event that waits; undefined where it does not any more. */
  async function get(key: Deno.KvKey): Promise<WaitingEvent | undefined> {
    return (await kv.get<WaitingEvent>(key)).value ?? undefined;
  }

  /** Events that wait, by receiver and job, those of a job in the order in which they happened. */
  async function* waiting(target?: string): AsyncGenerator<PlacedEvent<WaitingEvent>> {
    const prefix = target === undefined ? keys.allEvents() : keys.events(target);
    for await (const { key, value } of kv.list<WaitingEvent>({ prefix }, { batchSize: maxBatch })) {
      const [, id, tenant, provider, , number] = key as EventKey;
      yield { key, target: id, scope: { tenant, provider }, number, entry: value };
    }
  }

  /** Returns how many events wait, and since when; no more than `most` are counted. */
  async function count(most: number): Promise<{ count: number; oldest?: number }> {
    const options = { limit: most, batchSize: Math.min(maxBatch, most) };
    let count = 0;
    let oldest = Infinity;
    for await (const { value } of kv.list<WaitingEvent>({ prefix: keys.allEvents() }, options)) {
      count++;
      oldest = Math.min(oldest, value.since);
    }
    return { count, ...(count > 0 && { oldest }) };
  }

  /**
   * Events that were delivered or given up since a time, the oldest first, and no more than `most`.
   */
  async function* done(since = 0, most?: number): AsyncGenerator<PlacedEvent<DoneEvent>> {
    const [start, end] = [[...keys.doneEvents(), since], [...keys.doneEvents(), Infinity]] as const;
    const options = { batchSize: maxBatch, ...(most !== undefined && { limit: most }) };
    for await (const { key, value } of kv.list<DoneEvent>({ start, end }, options)) {
      const [, , id, tenant, provider, , number] = key as DoneKey;
      yield { key, target: id, scope: { tenant, provider }, number, entry: value };
    }
  }

  /**
   * The events of a job in their order: those that wait for a receiver, and those that are done, which
   * are looked for among the first `most` of all jobs' since this one was submitted.
   */
  async function ofJob(
    scope: Scope,
    { id, submittedAt }: Pick<JobEntry, "id" | "submittedAt">,
    most: number,
  ): Promise<JobEvents> {
    const events: PlacedEvent<WaitingEvent | DoneEvent>[] = [];
    for (const { id: target } of outbox?.targetsOf(scope.tenant) ?? []) {
      const prefix = [...keys.events(target), scope.tenant, scope.provider, id];
      for await (const { key, value } of kv.list<WaitingEvent>({ prefix })) {
        const [, , , , , number] = key as EventKey;
        events.push({ key, target, scope, number, entry: value });
      }
    }
    let seen = 0;
    for await (const one of done(submittedAt - clockLeeway, most)) {
      seen++;
      const { tenant, provider } = one.scope;
      const isOwn = one.entry.event.job === id && tenant === scope.tenant &&
        provider === scope.provider;
      if (isOwn) events.push(one);
    }
    return { events: events.sort((a, b) => a.number - b.number), isWhole: seen < most };
  }

  /** Lets an event wait for its next try. */
  function postpone(key: Deno.KvKey, next: Pick<WaitingEvent, "nextAt" | "tries" | "error">) {
    return change(sleep, async (): Promise<Attempt<void>> => {
      const old = await kv.get<WaitingEvent>(key);
      if (!old.value) return { done: undefined };
      const step = kv.atomic().check(old).set(key, { ...old.value, ...next });
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** Takes an event out of those that wait. */
  function finish(
    { key, target, scope, number }: PlacedEvent<WaitingEvent>,
    end: Pick<DoneEvent, "outcome" | "at" | "tries" | "error">,
  ): Promise<void> {
    return change(sleep, async (): Promise<Attempt<void>> => {
      const old = await kv.get<WaitingEvent>(key);
      if (!old.value) return { done: undefined };
      const { event, target: name } = old.value;
      const entry: DoneEvent = { event, target: name, ...end };
      const step = kv.atomic().check(old).delete(key)
        .set(keys.doneEvent(end.at, target, scope, event.job, number), entry);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /**
   * Lets an event wait again for each of these receivers, as if it had just happened.
   *
   * @param number Its number among its job's.
   * @param replaced Its entries of before, which say that it was delivered or given up.
   */
  function sendAgain(
    scope: Scope,
    number: number,
    event: JobEvent,
    targets: readonly EventTarget[],
    now: number,
    replaced: readonly Deno.KvKey[],
  ): Promise<void> {
    return change(sleep, async (): Promise<Attempt<void>> => {
      const step = kv.atomic().set(keys.lastReplay(), now);
      for (const key of replaced) step.delete(key);
      for (const target of targets) {
        step.set(keys.event(target.id, scope, event.job, number), fresh(event, target, now));
      }
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }

  /** A text that is another one after each {@linkcode sendAgain}; empty before the first. */
  async function lastReplay(): Promise<string> {
    return (await kv.get(keys.lastReplay())).versionstamp ?? "";
  }

  /** Forgets events that were done before a time. */
  async function forget(before: number): Promise<void> {
    for await (const { key, entry } of done()) {
      if (entry.at >= before) return;
      await change(sleep, async () => {
        await kv.delete(key);
        return { done: undefined };
      });
    }
  }
}

type EventKey = [kind: string, target: string, tenant: string, provider: string, JobId, number];
type DoneKey = [
  kind: string,
  at: number,
  target: string,
  tenant: string,
  provider: string,
  JobId,
  number,
];

/** Returns how many changes of its status a job has had reported, counting this one. */
export function eventNumber(old: JobEntry | undefined): number {
  return (old?.events ?? 0) + 1;
}

/** Adds the event of a job's new status to a step, for each receiver. */
export function writeEvent(
  step: Deno.AtomicOperation,
  scope: Scope,
  job: JobEntry,
  number: number,
  targets: readonly EventTarget[],
): void {
  const { id, name, modelId, region, status, message, submittedAt, modifiedAt, counts } = job;
  const event: JobEvent = {
    id: idOf(scope, job, number),
    job: id,
    name,
    modelId,
    region,
    status,
    ...(message !== undefined && { message }),
    submittedAt,
    modifiedAt,
    ...(counts && { counts }),
  };
  for (const target of targets) {
    step.set(keys.event(target.id, scope, id, number), fresh(event, target, modifiedAt));
  }
}

function fresh(event: JobEvent, target: EventTarget, now: number): WaitingEvent {
  return { event, target: target.name, since: now, nextAt: 0, tries: 0 };
}

/** A UUID of version 8, made of the change itself: a step that is tried again has the same. */
function idOf(
  { tenant, provider }: Scope,
  { id, status, modifiedAt }: JobEntry,
  number: number,
): string {
  const facts = JSON.stringify([tenant, provider, id, number, status, modifiedAt]);
  const hex = createHash("sha256").update(facts).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`;
}
