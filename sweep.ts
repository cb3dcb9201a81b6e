/** The sweep: what failures and dead processes left behind is finished or cleaned up, in a loop. */
import type { Catalog } from "./catalog/catalog.ts";
import type { Clock } from "./runtime/clock.ts";
import type { Sender } from "./events/sender.ts";
import type { Jobs } from "./jobs/jobs.ts";
import type { Log } from "./log.ts";
import type { SweepWatch } from "./metrics/sweep.ts";
import type { Objects } from "./objects/objects.ts";

/** What the sweep works on. */
export interface SweepDeps {
  readonly catalog: Catalog;
  readonly objects: Objects;
  readonly jobs: Jobs;
  readonly events?: Pick<Sender, "sweep">;
  /** The id of this gateway process. */
  readonly instance: string;
  /** Distinguishes processes that live from dead ones. */
  readonly clock: Clock;
  /** Lets the clock be confirmed before a time is read of it that ends something. */
  readonly hearTime?: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
  /** Listens to how rounds and the catalog fare. */
  readonly watch?: SweepWatch;
}

/** A sweep that runs. */
export interface Sweep {
  /** Ends it, and says farewell where this process leaves nothing behind. */
  stop(): Promise<void>;
}

/** No sweep follows the last one sooner than this, in milliseconds. */
const shortestPause = 100;
/** A process that missed so many sweeps is dead. */
const missedSweeps = 3;
/**
 * A process says so often at the least that it is alive, in milliseconds: what it put later than it
 * was heard of cannot be distinguished from what is missing in a backup, and so is not deleted.
 */
const longestHeartbeat = 10_000;

/** Starts sweeping: at once, and then with a pause in between. */
export function startSweep(deps: SweepDeps, pauseMilliseconds: number): Sweep {
  const { catalog, instance, clock, log } = deps;
  const pause = Math.max(pauseMilliseconds, shortestPause);
  // Not shorter than a busy machine may keep a process waiting.
  const interval = Math.max(pause, 1_000);
  const heartbeatMilliseconds = Math.min(interval, longestHeartbeat);
  const startedAt = clock.now();
  const stopping = new AbortController();
  const { signal } = stopping;
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Beside the rounds: one may take long, and a process that is not seen is taken for dead.
  let announcing: Promise<unknown> = Promise.resolve();
  let isUnheard = false;
  let isAnnouncing = false;
  // While one hangs, others would only wait behind it.
  const heartbeat = setInterval(() => {
    if (!isAnnouncing) announcing = announce();
  }, heartbeatMilliseconds);

  /** Processes last seen before it are dead; none while the clock may be wrong. */
  function deadline(): number {
    return clock.isConfirmed() ? clock.due() - missedSweeps * interval : -Infinity;
  }

  /** Records that this process is alive. Returns whether the catalog took it. */
  async function announce(): Promise<boolean> {
    isAnnouncing = true;
    try {
      const seenAt = clock.latest();
      // One that comes late is not missing.
      const nextAt = clock.earliest() + 2 * heartbeatMilliseconds;
      const beganAt = clock.uptime();
      await catalog.instances.seen(instance, { startedAt, seenAt, nextAt });
      deps.watch?.catalog("write", clock.uptime() - beganAt);
      isUnheard = false;
    } catch (error) {
      // Once, and not at each beat for as long as a disk is full.
      if (!isUnheard) {
        log.warn("It could not be recorded in the catalog that this process is alive", { error });
      }
      isUnheard = true;
    } finally {
      isAnnouncing = false;
    }
    return !isUnheard;
  }

  /** What a round is made of: where one fails, the others have their turns all the same. */
  const stages: readonly (() => Promise<void> | void)[] = [
    () => deps.jobs.sweep(signal),
    () => deps.events?.sweep(),
    () => deps.hearTime?.(signal),
    () => deps.objects.sweep(deadline(), signal),
  ];

  /** Runs a stage; logs its error. Returns whether it went well. */
  async function attempt(stage: () => Promise<void> | void): Promise<boolean> {
    try {
      await stage();
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn("A sweep was cut short", { error });
      return false;
    }
  }

  async function round(): Promise<void> {
    let failed = await announce() ? 0 : 1;
    const beganAt = clock.uptime();
    // Nothing is deleted on the word of a catalog that is another one by now.
    if (await attempt(() => catalog.check())) {
      deps.watch?.catalog("read", clock.uptime() - beganAt);
      for (const stage of stages) if (!signal.aborted && !await attempt(stage)) failed++;
    } else failed++;
    if (!signal.aborted) deps.watch?.round(failed, clock.uptime() - beganAt);
    if (!signal.aborted) timer = setTimeout(() => (running = round()), pause);
  }

  let running = round();
  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      clearInterval(heartbeat);
      await Promise.all([deps.jobs.close(), running, announcing]);
      // Else another process, or the next, takes this one for dead and looks for what it left.
      if (!deps.objects.leftNothing()) return;
      await catalog.instances.leave(instance).catch((error: unknown) =>
        log.warn("It could not be recorded in the catalog that this process ends", { error })
      );
    },
  };
}
