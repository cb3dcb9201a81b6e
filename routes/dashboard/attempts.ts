/**
 * A limit for failed sign-ins: guessing a secret must not be quick, from one address or from many. A
 * stranger with one address cannot keep a key's owner out.
 */

/** Where a try comes from, and whose it claims to be. */
export interface Attempt {
  readonly address: string;
  readonly key: string;
}

/** Counts failed sign-ins. */
export interface Attempts {
  /** Seconds to wait before another try; undefined where it may be made now. */
  wait(attempt: Attempt): number | undefined;
  /** Counts a failed try against its address and its access key. */
  failed(attempt: Attempt): void;
}

/** So many failures within the time are allowed for one address, and for one access key. */
const most: Readonly<Record<keyof Attempt, number>> = { address: 10, key: 100 };
const windowMilliseconds = 300_000;
/** Names that are counted at the same time; past them the oldest are forgotten. */
const maxNames = 10_000;
const kinds = ["address", "key"] as const;

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
    wait(attempt) {
      const waits = kinds.flatMap((kind) => {
        const count = current(`${kind} ${attempt[kind]}`);
        if (!count || count.failures < most[kind]) return [];
        return [Math.ceil((count.since + windowMilliseconds - uptime()) / 1000)];
      });
      return waits.length === 0 ? undefined : Math.max(1, ...waits);
    },
    failed(attempt) {
      for (const name of kinds.map((kind) => `${kind} ${attempt[kind]}`)) {
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
