/** Limits of an access key in a calendar month (UTC), and what is counted against them. Pure. */
import { Failure } from "../codecs/failure.ts";

/** What an access key may use in a calendar month; absent: without a limit. */
export interface Limits {
  readonly maxJobs?: number;
  readonly maxRecords?: number;
  /** Bytes of puts. */
  readonly maxBytes?: number;
  /** USD. */
  readonly maxCost?: number;
}

/** Amounts that are counted against limits. All are whole numbers, so that sums are exact. */
export interface Amounts {
  readonly jobs: number;
  readonly records: number;
  readonly bytes: number;
  /** Billionths of a USD. */
  readonly cost: number;
}

/** Returns the limits among other members; undefined where there are none. */
export function limitsOf({ maxJobs, maxRecords, maxBytes, maxCost }: Limits): Limits | undefined {
  const limits = {
    ...(maxJobs !== undefined && { maxJobs }),
    ...(maxRecords !== undefined && { maxRecords }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxCost !== undefined && { maxCost }),
  };
  return Object.keys(limits).length === 0 ? undefined : limits;
}

/** Billionths of a USD in one. */
export const costUnits = 1e9;

/** Nothing of anything. */
export const noAmounts: Amounts = { jobs: 0, records: 0, bytes: 0, cost: 0 };

/** Each limit with what it limits. */
const limited = {
  maxJobs: { of: "jobs", flag: "--max-jobs", say: (n: number) => counted(n, "job") },
  maxRecords: { of: "records", flag: "--max-records", say: (n: number) => counted(n, "record") },
  maxBytes: { of: "bytes", flag: "--max-bytes", say: (n: number) => counted(n, "byte") },
  maxCost: { of: "cost", flag: "--max-cost", say: (n: number) => `USD ${usdOf(n)}` },
} as const satisfies Record<keyof Limits, unknown>;

/** Names of the limits. */
export const limitNames = Object.keys(limited) as readonly (keyof Limits)[];

/** Returns the calendar month (UTC) of a time, such as `2026-11`. */
export function monthOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 7);
}

/** Returns when a month is over, as an ISO time. */
export function endOfMonth(month: string): string {
  const [year = 0, number = 0] = month.split("-").map(Number);
  return `${new Date(Date.UTC(year, number)).toISOString().slice(0, 19)}Z`;
}

/** Adds amounts, of which the second may be negative; a sum is never below zero. */
export function plus(a: Amounts, b: Amounts): Amounts {
  return mapAmounts((name) => Math.max(0, a[name] + b[name]));
}

/** The amounts to be added to get from the one to the other. */
export function difference(from: Amounts, to: Amounts): Amounts {
  return mapAmounts((name) => to[name] - from[name]);
}

function mapAmounts(of: (name: keyof Amounts) => number): Amounts {
  return { jobs: of("jobs"), records: of("records"), bytes: of("bytes"), cost: of("cost") };
}

/** What was used in a month, and what is reserved for work under way. */
export interface Usage {
  readonly used: Amounts;
  readonly reserved: Amounts;
}

/** What would be over a limit. */
export interface Excess {
  readonly limit: keyof Limits;
  /** Says which limit, how much is used and reserved, what would be added, and when it resets. */
  readonly sentence: string;
}

/**
 * Returns the first limit that more would pass; undefined where there is room. A limit that nothing is
 * added to is not asked.
 *
 * @param what Adds it, such as `this job`.
 */
export function excessOf(
  limits: Limits,
  { used, reserved }: Usage,
  more: Amounts,
  month: string,
  what: string,
): Excess | undefined {
  for (const limit of limitNames) {
    const { of, flag, say } = limited[limit];
    const most = mostOf(limits, limit);
    const sum = used[of] + reserved[of] + more[of];
    if (most === undefined || more[of] <= 0 || sum <= most) continue;
    const sentence =
      `The access key may use ${say(most)} a month (${flag}): ${say(used[of])} used ` +
      `and ${say(reserved[of])} reserved for work under way, and ${what} adds ${say(more[of])}. ` +
      `The month ends at ${endOfMonth(month)}; the gateway's operator can raise the limit with ` +
      "'keys set'";
    return { limit, sentence };
  }
  return undefined;
}

/** Returns a limit in the unit of its amount; undefined where there is none. */
function mostOf(limits: Limits, name: keyof Limits): number | undefined {
  const most = limits[name];
  return most !== undefined && name === "maxCost" ? Math.floor(most * costUnits + 0.5) : most;
}

/** A failure of a create that a limit has no room for. */
export function quotaExceeded(sentence: string): Failure {
  return new Failure("denied", sentence, { bedrock: "ServiceQuotaExceededException" });
}

/** Returns an amount of money in USD, without digits that say nothing. */
function usdOf(cost: number): string {
  return `${Number((cost / costUnits).toFixed(9))}`;
}

function counted(n: number, name: string): string {
  return `${n} ${name}${n === 1 ? "" : "s"}`;
}
