/**
 * Sends events: one gateway of the catalog at a time, each receiver by itself, and of each receiver a
 * few jobs side by side. The events of a job go out in the order in which they happened, so a job whose
 * event fails waits, and no other does.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { PlacedEvent, WaitingEvent } from "../catalog/outbox.ts";
import type { Clock } from "../runtime/clock.ts";
import { createBreath } from "../runtime/breath.ts";
import { underLease } from "../runtime/lease.ts";
import { tracedStep } from "../runtime/tracing.ts";
import { eventBody } from "./body.ts";
import type { Delivery, Receiver } from "./receiver.ts";
import { watchReplays } from "./replays.ts";
import { patience, pauseAfter } from "./retry.ts";

/** Dependencies of the sender. */
export interface SenderDeps {
  readonly catalog: Pick<Catalog, "outbox" | "leases">;
  /** As they are configured at the moment. */
  readonly receivers: () => readonly Receiver[];
  readonly clock: Clock;
  /** The id of this gateway process. */
  readonly instance: string;
  readonly leaseMilliseconds: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Sends events in the background. */
export interface Sender {
  /** Says that events may have been written. */
  wake(): void;
  /**
   * Begins to send what waits, also what another gateway has left, and to forget what is long done.
   */
  sweep(): void;
  /** Events that wait for a receiver. */
  waiting(): Promise<number>;
  /** Events that this process has given up. */
  givenUp(): number;
  close(): Promise<void>;
}

const leaseName = "events";
/** Jobs of one receiver whose events are under way at a time. */
const jobsAtOnce = 10;
/** Another gateway that sends is asked again after this time, in milliseconds. */
const turnMilliseconds = 1_000;
/** How long events that are done can be seen and sent again. */
const keptMilliseconds = 7 * 24 * 3_600_000;
/** No timer is longer: the clock may be set meanwhile. */
const longestTimer = 60_000;

type Waiting = PlacedEvent<WaitingEvent>;

/** Makes the sender of the events that wait in the catalog. */
export function createSender(deps: SenderDeps): Sender {
  const { catalog, clock, warn } = deps;
  const { outbox } = catalog;
  const closing = new AbortController();
  const alarm = createAlarm(clock, () => wake());
  /** Called by each wake. */
  const listeners = new Set<() => void>();
  const hasReceivers = () => deps.receivers().length > 0;
  const watching = watchReplays(deps, hasReceivers, () => wake(), closing.signal);
  let running: Promise<void> | undefined;
  /** Counts what may have been written. */
  let wakes = 0;
  let isCleaningDue = false;
  let givenUp = 0;

  function wake(): void {
    wakes++;
    for (const hear of listeners) hear();
    if (running || closing.signal.aborted) return;
    running = run().finally(() => (running = undefined));
  }

  async function run(): Promise<void> {
    try {
      for (let seen = -1; seen !== wakes && !closing.signal.aborted;) {
        seen = wakes;
        if (await inTurn(work)) continue;
        alarm.set(clock.now() + turnMilliseconds);
        return;
      }
    } catch (error) {
      if (closing.signal.aborted) return;
      warn("Events could not be sent and are left to the sweep", { error });
    }
  }

  async function work(signal: AbortSignal): Promise<void> {
    if (isCleaningDue) await clean(signal);
    isCleaningDue = false;
    await sendAll(signal);
  }

  /** Does a work that one gateway does at a time; false where another is at it. */
  async function inTurn(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const failed = (error: unknown) =>
      warn("The lease of events could not be prolonged or given back", { error });
    const done = await underLease(
      catalog.leases.of(leaseName),
      { ...deps, failed },
      async (held) => {
        await work(AbortSignal.any([closing.signal, held.signal]));
        return true;
      },
    );
    return done ?? false;
  }

  /** Sends what is due at every receiver, until nothing is due at any. */
  async function sendAll(signal: AbortSignal): Promise<void> {
    const receivers = deps.receivers();
    const idle = new Set<Receiver>();
    const allIdle = Promise.withResolvers<void>();
    /** Resolves to true where a receiver may have something to be sent again. */
    const waitIdle = async (receiver: Receiver, news: Promise<void>): Promise<boolean> => {
      idle.add(receiver);
      if (idle.size === receivers.length) allIdle.resolve();
      const isOver = await Promise.race([allIdle.promise.then(() => true), news.then(() => false)]);
      if (!isOver) idle.delete(receiver);
      return !isOver;
    };
    const ends = await Promise.allSettled(receivers.map(async (one) => {
      try {
        await sendTo(one, signal, waitIdle);
      } finally {
        idle.add(one);
        if (idle.size === receivers.length) allIdle.resolve();
      }
    }));
    const broken = ends.find((end) => end.status === "rejected");
    if (broken) throw broken.reason;
  }

  /** Sends what is due at one receiver, and what becomes so while any receiver is being sent to. */
  async function sendTo(
    receiver: Receiver,
    signal: AbortSignal,
    waitIdle: (receiver: Receiver, news: Promise<void>) => Promise<boolean>,
  ): Promise<void> {
    const busy = new Map<string, Promise<void>>();
    let news = Promise.withResolvers<void>();
    const hear = () => news.resolve();
    listeners.add(hear);
    signal.addEventListener("abort", hear);
    try {
      for (let seen = -1, isPassedOver = false; !signal.aborted;) {
        if (seen !== wakes || isPassedOver) {
          seen = wakes;
          news = Promise.withResolvers();
          isPassedOver = await startDue(receiver, busy, signal);
        }
        if (busy.size > 0) await Promise.race([news.promise, ...busy.values()]);
        else if (seen === wakes && !await waitIdle(receiver, news.promise)) return;
      }
    } finally {
      listeners.delete(hear);
      signal.removeEventListener("abort", hear);
      await Promise.all(busy.values());
    }
  }

  /** Begins with each job whose event is due; whether one was passed over that is busy. */
  async function startDue(
    receiver: Receiver,
    busy: Map<string, Promise<void>>,
    signal: AbortSignal,
  ): Promise<boolean> {
    let isPassedOver = false;
    for await (const chain of chains(outbox.waiting(receiver.id), signal)) {
      const [{ scope, entry }] = chain;
      const job = JSON.stringify([scope.tenant, scope.provider, entry.event.job]);
      if (busy.has(job)) isPassedOver = true;
      else if (!isDue(entry)) alarm.set(entry.nextAt);
      else {
        if (busy.size >= jobsAtOnce) await Promise.race(busy.values());
        if (signal.aborted) return false;
        busy.set(job, sendChain(receiver, chain, signal).finally(() => busy.delete(job)));
      }
    }
    return isPassedOver;
  }

  /** A time that a wrong clock has set far ahead is not waited for. */
  function isDue({ nextAt }: WaitingEvent): boolean {
    const now = clock.now();
    return nextAt <= now || nextAt > now + 2 * patience;
  }

  /** Sends events of one job, one after the other, as long as it goes well. */
  async function sendChain(
    receiver: Receiver,
    chain: readonly Waiting[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for (const listed of chain) {
        // The list may be older than what was done with the job last.
        const entry = await outbox.get(listed.key);
        if (!entry) continue;
        if (signal.aborted || !isDue(entry)) return;
        const one = { ...listed, entry };
        const of = { provider: one.scope.provider, job: entry.event.job };
        const sent = await tracedStep("event", of, async (note) => {
          const came = await receiver.send(eventBody(one.scope, entry.event), signal);
          if (!came.delivered) note({ "error.type": "undelivered" });
          return came;
        });
        if (!await record(one, sent)) return;
      }
    } catch (error) {
      if (!signal.aborted) warn("An event could not be sent", { target: receiver.name, error });
    }
  }

  /** Records what became of a try; whether the job's next event may go out. */
  async function record(one: Waiting, sent: Delivery): Promise<boolean> {
    const { event, target, since } = one.entry;
    const now = clock.now();
    const tries = one.entry.tries + 1;
    if (sent.delivered) {
      await outbox.finish(one, { outcome: "delivered", at: now, tries });
      return true;
    }
    const { reason: error, retryAfter, isGone } = sent;
    if (now - since >= patience) {
      await giveUp(one, tries, error);
      return true;
    }
    const nextAt = now + pauseAfter(tries, deps.random(), retryAfter);
    await outbox.postpone(one.key, { nextAt, tries, error });
    alarm.set(nextAt);
    if (tries > 1) return false;
    const facts = { event: event.id, job: event.job, target, error };
    if (isGone) warn("A receiver of events says that it is gone; it is still sent them", facts);
    else warn("An event was not delivered and is tried again", facts);
    return false;
  }

  async function giveUp(one: Waiting, tries: number, error: string): Promise<void> {
    const { event, target } = one.entry;
    await outbox.finish(one, { outcome: "given-up", at: clock.now(), tries, error });
    givenUp++;
    const facts = { event: event.id, job: event.job, target, error };
    warn("An event was given up; `events replay` sends it again", facts);
  }

  /** Gives up what no receiver is configured for, and forgets what is long done. */
  async function clean(signal: AbortSignal): Promise<void> {
    const now = clock.now();
    const known = new Set(deps.receivers().map(({ id }) => id));
    for await (const one of outbox.waiting()) {
      if (signal.aborted) return;
      if (known.has(one.target) || now - one.entry.since < patience) continue;
      await giveUp(one, one.entry.tries, "The configuration does not name this receiver any more");
    }
    await outbox.forget(now - keptMilliseconds);
  }

  return {
    wake,
    async waiting() {
      let count = 0;
      for await (const _ of outbox.waiting()) count++;
      return count;
    },
    givenUp: () => givenUp,
    sweep() {
      isCleaningDue = true;
      wake();
    },
    async close() {
      closing.abort();
      alarm.clear();
      await watching;
      await running;
    },
  };
}

/** Calls back at the earliest of the times that it was set to. */
function createAlarm({ now }: Pick<Clock, "now">, ring: () => void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let setTo = Infinity;
  let isOver = false;
  return {
    set(time: number): void {
      if (isOver || time >= setTo) return;
      clearTimeout(timer);
      setTo = time;
      timer = setTimeout(() => {
        setTo = Infinity;
        ring();
      }, Math.min(Math.max(time - now(), 0), longestTimer));
    },
    clear(): void {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** Events that come one after the other and are of one job. */
async function* chains(
  events: AsyncIterable<Waiting>,
  signal: AbortSignal,
): AsyncGenerator<[Waiting, ...Waiting[]]> {
  const breath = createBreath({ signal });
  let chain: [Waiting, ...Waiting[]] | undefined;
  for await (const one of events) {
    await breath.take();
    if (chain && isSameJob(chain[0], one)) chain.push(one);
    else {
      if (chain) yield chain;
      chain = [one];
    }
  }
  if (chain) yield chain;
}

function isSameJob(a: Waiting, b: Waiting): boolean {
  return a.entry.event.job === b.entry.event.job && a.scope.tenant === b.scope.tenant &&
    a.scope.provider === b.scope.provider;
}
