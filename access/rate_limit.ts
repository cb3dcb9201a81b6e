/** How many requests a principal may send: a bucket of tokens for each, filled at a steady rate. */

/** Says whether a request is within its principal's rate. */
export interface RateLimit {
  /** Counts a request; the seconds after which the next one has room, or undefined if this one has. */
  take(principal: string): number | undefined;
}

/** The least that a bucket holds: one request is always possible. */
const leastBurst = 1;
/** Buckets that are full again are forgotten once there are so many. */
const maxBuckets = 10_000;

/** Makes a limit that may change; a new one begins with full buckets. */
export function liveRateLimit(perSecond: () => number | null, now: () => number): RateLimit {
  let rate = perSecond();
  let limit = createRateLimit(rate, now);
  return {
    take(principal) {
      const next = perSecond();
      if (next !== rate) limit = createRateLimit(rate = next, now);
      return limit.take(principal);
    },
  };
}

/**
 * Makes a limit. A principal may send a second's worth at once after a pause.
 *
 * @param perSecond Requests; null for no limit.
 * @param now Milliseconds, of a clock that is not set back.
 */
export function createRateLimit(perSecond: number | null, now: () => number): RateLimit {
  if (perSecond === null) return { take: () => undefined };
  const burst = Math.max(leastBurst, perSecond);
  const buckets = new Map<string, { tokens: number; at: number }>();
  const filled = ({ tokens, at }: { tokens: number; at: number }, time: number) =>
    Math.min(burst, tokens + Math.max(0, time - at) / 1000 * perSecond);
  return {
    take(principal) {
      const time = now();
      if (buckets.size >= maxBuckets && !buckets.has(principal)) {
        for (const [name, one] of buckets) if (filled(one, time) >= burst) buckets.delete(name);
      }
      const bucket = buckets.get(principal) ?? { tokens: burst, at: time };
      const tokens = filled(bucket, time);
      if (tokens >= 1) {
        buckets.set(principal, { tokens: tokens - 1, at: time });
        return undefined;
      }
      buckets.set(principal, { tokens, at: time });
      return perSecond === 0 ? 60 : (1 - tokens) / perSecond;
    },
  };
}
