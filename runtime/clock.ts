/**
 * The time as far as it can be trusted. A machine's wall clock can be wrong: it is set by hand, by
 * NTP after a start, or by a host that resumes a machine. So durations are measured by a clock that
 * is never set, and what can destroy something (a file that expires, a job whose time runs out, a
 * lease that is taken over) asks what time it is *at the earliest*.
 *
 * A jump of the wall clock against the monotonic one is believed at once where a provider's `Date`
 * header agrees with it, and otherwise once it has lasted for {@linkcode jumpPatience}.
 */

/** A clock. Times are milliseconds since 1970. */
export interface Clock {
  /** The wall clock, for dates that clients see and for signatures. */
  now(): number;
  /** Milliseconds of a clock that is never set, for durations within this process. */
  uptime(): number;
  /** The earliest that it may be now, by this machine's clocks. */
  earliest(): number;
  /**
   * The earliest that it may be now, also by providers' dates: a file that expires by this time, or a
   * job whose time runs out, is certainly over. A provider whose clock is slow delays it.
   */
  due(): number;
  /** The latest that it may be now: what begins here is not over too soon for anyone. */
  latest(): number;
  /** Whether a provider's date, or a long enough time without a jump, speaks for the wall clock. */
  isConfirmed(): boolean;
  /** Takes note of the `Date` header of a provider's answer; a text that is not a date is ignored. */
  heard(date: string | null): void;
}

/** How far two clocks may be apart without being in doubt, in milliseconds. */
export const clockTolerance = 2 * 60_000;
/** How long a wall clock that jumped must go on steadily to be believed, in milliseconds. */
export const jumpPatience = 15 * 60_000;
/** Between two looks the clock may have done anything: of a longer pause this much counts. */
const longestPause = 2 * 60_000;

/** Makes a clock over a wall clock and a monotonic one, both in milliseconds. */
export function createClock({ now, uptime }: Pick<Clock, "now" | "uptime">): Clock {
  // Both clocks' difference as it is believed, as a jump has it, and as providers' dates have it.
  let believed = now() - uptime();
  let jumped: number | undefined;
  let heard = -Infinity;
  let lookedAt = uptime();
  let steadyFor = 0;

  function look(): { wall: number; steady: number; at: number } {
    const at = uptime();
    const wall = now();
    const seen = wall - at;
    const pause = Math.min(at - lookedAt, longestPause);
    lookedAt = at;
    const isSteady = areClose(seen, jumped ?? believed);
    steadyFor = isSteady ? steadyFor + pause : 0;
    if (areClose(seen, believed)) believe(seen);
    else if (isSteady && steadyFor >= jumpPatience) believe(seen);
    else if (!isSteady) jumped = seen;
    return { wall, steady: believed + at, at };
  }

  function believe(difference: number): void {
    believed = difference;
    jumped = undefined;
  }

  return {
    now,
    uptime,
    earliest() {
      const { wall, steady } = look();
      return Math.min(wall, steady);
    },
    due() {
      const { wall, steady, at } = look();
      const dated = heard === -Infinity ? Infinity : heard + at + clockTolerance;
      return Math.min(wall, steady, dated);
    },
    latest() {
      const { wall, steady } = look();
      return Math.max(wall, steady);
    },
    isConfirmed() {
      look();
      return heard !== -Infinity || (jumped === undefined && steadyFor >= jumpPatience);
    },
    heard(date) {
      const time = date === null ? NaN : Date.parse(date);
      if (Number.isNaN(time)) return;
      const { wall, at } = look();
      // The latest of all: one provider whose clock is slow must not hold up everything.
      heard = Math.max(heard, time - at);
      if (areClose(wall, time)) believe(wall - at);
    },
  };
}

/** A clock that is always believed: for programs that run for a moment, and for tests. */
export function trustedClock(now: () => number): Clock {
  return {
    now,
    uptime: now,
    earliest: now,
    due: now,
    latest: now,
    isConfirmed: () => true,
    heard() {},
  };
}

function areClose(one: number, other: number): boolean {
  return Math.abs(one - other) <= clockTolerance;
}
