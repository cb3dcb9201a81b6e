/** Work that one process of many does at a time, under a lease that is renewed while it goes on. */
import type { Clock } from "./clock.ts";
import { SingleFlight } from "./single_flight.ts";

/** Who wants a lease, and for how long. Times are milliseconds since 1970. */
export interface LeaseRequest {
  readonly owner: string;
  /** The earliest that it may be: another's lease must be over for certain. */
  readonly now: number;
  readonly until: number;
  /** Refused where the work was done at this time or later. */
  readonly doneSince?: number;
}

/** The right to do one work, which one process has at a time. */
export interface Lease {
  /**
   * Takes it where it is free, is the owner's already, or its holder died.
   *
   * @returns False where another process has it.
   */
  take(request: LeaseRequest): Promise<boolean>;
  /** Prolongs it; false where another process has taken it since. */
  prolong(owner: string, until: number): Promise<boolean>;
  /** Gives it back; `doneAt` says when the work was done, if it was and that is to be known. */
  release(owner: string, doneAt?: number): Promise<void>;
}

/** Dependencies of work under a lease. */
export interface LeaseTools {
  readonly clock: Pick<Clock, "earliest" | "latest">;
  /** The id of this process. */
  readonly instance: string;
  /** How long the lease lasts unless it is prolonged, which happens three times in that time. */
  readonly leaseMilliseconds: number;
  /** The work is not done where it was done at this time or later. */
  readonly doneSince?: number;
  /** Called where the lease could not be prolonged, or given back: it runs out by itself. */
  readonly failed: (error: unknown) => void;
}

/** A lease as the work under it sees it. */
export interface Held {
  /** Aborted once another process has the lease. */
  readonly signal: AbortSignal;
  /** Notes when the work was done. */
  done(at: number): void;
  /** Stops renewing; resolves once no renewal is under way any more. */
  stop(): Promise<void>;
}

/**
 * Does a work while no other process does it, and gives the lease back.
 *
 * @returns Undefined where another process is at it.
 */
export async function underLease<Result>(
  lease: Lease,
  tools: LeaseTools,
  work: (held: Held) => Promise<Result>,
): Promise<Result | undefined> {
  const { clock, instance, leaseMilliseconds, doneSince, failed } = tools;
  const until = () => clock.latest() + leaseMilliseconds;
  const request = { owner: instance, now: clock.earliest(), until: until() };
  if (!await lease.take({ ...request, ...(doneSince !== undefined && { doneSince }) })) {
    return undefined;
  }
  const lost = new AbortController();
  const renew = async () => {
    try {
      if (!await lease.prolong(instance, until())) lost.abort();
    } catch (error) {
      // The next turn may come in time.
      failed(error);
    }
  };
  const stop = startRenewal(leaseMilliseconds / 3, renew);
  let doneAt: number | undefined;
  const held = { signal: lost.signal, done: (at: number) => void (doneAt = at), stop };
  try {
    return await work(held);
  } finally {
    await stop();
    await lease.release(instance, doneAt).catch(failed);
  }
}

/**
 * Renews again and again, one at a time: where the catalog is slow, turns are left out.
 *
 * @param milliseconds Between the beginnings of two renewals.
 * @returns Ends it, and resolves once none is under way any more. May be called again.
 */
function startRenewal(milliseconds: number, renew: () => Promise<void>): () => Promise<void> {
  const running = new SingleFlight<void>();
  const timer = setInterval(() => void running.run("renewal", renew), milliseconds);
  return async () => {
    clearInterval(timer);
    await running.idle();
  };
}
