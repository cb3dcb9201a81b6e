/** A limit for failed sign-ins: guessing a secret must not be quick, also from many keys at once. */

/** Counts failed sign-ins. */
export interface Attempts {
  /** Seconds to wait before another try; undefined where it may be made now. */
  wait(keys: readonly string[]): number | undefined;
  /** Counts a failed try against each of these. */
  failed(keys: readonly string[]): void;
}

/** So many failures within the time are allowed for one address or access key. */
const most = 10;
/** And so many for all together. */
const mostOfAll = 100;
const windowMilliseconds = 300_000;
/** Names that are counted at the same time; past them the oldest are forgotten. */
const maxNames = 10_000;
const everyone = "everyone";

interface Count {
  failures: number;
  readonly since: number;
}

/**
 * Makes a limit, of this process.
 *
 * @param uptime Milliseconds of a clock that is not set back.
 */
export function createAttempts(uptime: () => number): Attempts {
  const counts = new Map<string, Count>();
  const current = (name: string): Count | undefined => {
    const count = counts.get(name);
    return count && uptime() - count.since < windowMilliseconds ? count : undefined;
  };
  return {
    wait(keys) {
      const waits = [...keys, everyone].flatMap((name) => {
        const count = current(name);
        if (!count || count.failures < (name === everyone ? mostOfAll : most)) return [];
        return [Math.ceil((count.since + windowMilliseconds - uptime()) / 1000)];
      });
      return waits.length === 0 ? undefined : Math.max(1, ...waits);
    },
    failed(keys) {
      for (const name of [...keys, everyone]) {
        const count = current(name);
        if (count) {
          count.failures++;
          continue;
        }
        counts.delete(name);
        counts.set(name, { failures: 1, since: uptime() });
        const [oldest] = counts.keys();
        if (counts.size > maxNames && oldest !== undefined) counts.delete(oldest);
      }
    },
  };
}
