/** The sweep: what failures and dead processes left behind is finished or cleaned up, in a loop. */
import type { Catalog } from "./catalog/catalog.ts";
import type { Jobs } from "./jobs/jobs.ts";
import type { Log } from "./log.ts";
import type { Objects } from "./objects/objects.ts";

/** What the sweep works on. */
export interface SweepDeps {
  readonly catalog: Catalog;
  readonly objects: Objects;
  readonly jobs: Jobs;
  /** The id of this gateway process. */
  readonly instance: string;
  readonly now: () => number;
  readonly log: Log;
}

/** A sweep that runs. */
export interface Sweep {
  /** Ends it, and says that this process leaves nothing behind. */
  stop(): Promise<void>;
}

/** No sweep follows the last one sooner than this, in milliseconds. */
const shortestPause = 100;
/** A process that was not seen for so many sweeps is dead. */
const missedSweeps = 3;

/** Starts sweeping: at once, and then with a pause in between. */
export function startSweep(deps: SweepDeps, pauseMilliseconds: number): Sweep {
  const { catalog, instance, now, log } = deps;
  const pause = Math.max(pauseMilliseconds, shortestPause);
  const startedAt = now();
  const stopping = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = round();

  async function round(): Promise<void> {
    try {
      await catalog.instances.seen(instance, { startedAt, seenAt: now() });
      await deps.jobs.sweep(stopping.signal);
      // Not sooner than another process on a busy machine would be seen again.
      const deadline = now() - missedSweeps * Math.max(pause, 1_000);
      await deps.objects.sweep(deadline, stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) log.warn("A sweep was cut short", { error });
    }
    if (!stopping.signal.aborted) timer = setTimeout(() => (running = round()), pause);
  }

  return {
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
      await catalog.instances.leave(instance);
    },
  };
}
