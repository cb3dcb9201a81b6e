/** The refused requests of the last day, for the dashboard: in memory, of this process. */

/** A request that was refused. Every text is cut short and free of characters that hide. */
export interface Refusal {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly requestId: string;
  /** The access key id, proven or only claimed; null where there is none. */
  readonly accessKeyId: string | null;
  /** The tenant of a proven key; null for a sender who is not known. */
  readonly tenant: string | null;
  readonly operation: string | null;
  readonly bucket: string | null;
  /** The object's; its beginning, where it is long. */
  readonly key: string | null;
  readonly provider: string | null;
  readonly status: number;
  /** The error's code in the words of the API that answered; null where it is not known. */
  readonly errorCode: string | null;
  readonly clientAddress: string | null;
}

/** Refused requests. */
export interface RecentRefusals {
  add(refusal: Refusal): void;
  /** Those of the last day, the newest first. */
  recent(): readonly Refusal[];
}

/** More than these are forgotten, the oldest first. */
const mostKept = 1_000;
const dayMilliseconds = 86_400_000;

/** Makes an empty list of refused requests. */
export function createRecentRefusals(now: () => number): RecentRefusals {
  const ring: Refusal[] = [];
  let next = 0;
  return {
    add(refusal) {
      ring[next] = refusal;
      next = (next + 1) % mostKept;
    },
    recent() {
      const since = now() - dayMilliseconds;
      const newestFirst = [...ring.slice(next), ...ring.slice(0, next)].reverse();
      return newestFirst.filter(({ at }) => at >= since);
    },
  };
}
