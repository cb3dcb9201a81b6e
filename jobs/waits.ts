/**
 * How long jobs have been in doubt, and when each is looked at again. Durations are measured by a clock
 * that never jumps; what was waited before this process began, by the time in the job's entry.
 */
import type { JobEntry } from "../catalog/entries.ts";
import { isNative } from "../catalog/plans.ts";
import { type JobTools, nameOf, type ScopedJob } from "./deps.ts";
import { longAfter } from "./verdict.ts";

/** Waiting for what may yet come. */
export type Waits = ReturnType<typeof createWaits>;

const firstPause = 1_000;
/** Jobs that are remembered, before those that were not asked for are let go. */
const maxRemembered = 20_000;
/**
 * What was waited before this process began counts once it has waited for so long itself: the clock
 * may have been wrong then, or be wrong now. In milliseconds.
 */
const leastHere = 30_000;

interface Wait {
  /** When it began in this process, and how long it had been going on by then. */
  readonly begun: number;
  readonly before: number;
  times: number;
  until: number;
  /** What was seen when it was last looked at. */
  facts: string;
}

/** Makes the memory of one kind of doubt. */
export function createWaits({ clock: { uptime, due } }: JobTools) {
  const waits = new Map<string, Wait>();

  return { waited, isPausing, postpone, forget, isOld };

  /** Returns how long a job has been in doubt, in milliseconds; counted from the first call on. */
  function waited(scoped: ScopedJob): number {
    const { begun, before } = waitOf(scoped);
    const here = uptime() - begun;
    return here >= leastHere ? before + here : here;
  }

  /**
   * Returns whether a job is paused for now.
   *
   * @param facts What is seen now: if it is not what was seen, there is no reason to wait.
   */
  function isPausing(scoped: ScopedJob, facts?: string): boolean {
    const wait = waits.get(nameOf(scoped));
    if (!wait || facts !== undefined && facts !== wait.facts) return false;
    return uptime() < wait.until;
  }

  /** Pauses a job, each time for twice as long; true the first time. */
  function postpone(scoped: ScopedJob, longest: number, facts = ""): boolean {
    const wait = waitOf(scoped);
    const pause = Math.min(longest, firstPause * 2 ** wait.times);
    wait.times++;
    wait.until = uptime() + pause;
    wait.facts = facts;
    return wait.times === 1;
  }

  function forget(scoped: ScopedJob): void {
    waits.delete(nameOf(scoped));
  }

  /** Returns whether others made a job's batch, and it has been over for long. */
  function isOld(job: JobEntry, endedAt: number | undefined): boolean {
    return isNative(job) && endedAt !== undefined && due() - endedAt >= longAfter;
  }

  function waitOf(scoped: ScopedJob): Wait {
    const name = nameOf(scoped);
    const known = waits.get(name);
    if (known) return known;
    if (waits.size >= maxRemembered) prune();
    const since = scoped.job.doubtSince;
    const before = since === undefined ? 0 : Math.max(0, due() - since);
    const wait = { begun: uptime(), before, times: 0, until: -Infinity, facts: "" };
    waits.set(name, wait);
    return wait;
  }

  /** Lets go of what was not asked for again: jobs that were ended elsewhere. */
  function prune(): void {
    const oldest = uptime() - longAfter;
    for (const [name, { until }] of waits) if (until < oldest) waits.delete(name);
  }
}
