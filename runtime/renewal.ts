/** Keeping a lease while a work goes on. */
import { SingleFlight } from "./single_flight.ts";

/** A renewal that goes on. */
export interface Renewal {
  /** Ends it; resolves once none is under way any more. May be called again. */
  stop(): Promise<void>;
}

/**
 * Renews again and again, one at a time: where the catalog is slow, turns are left out.
 *
 * @param milliseconds Between the beginnings of two renewals.
 * @param renew Never throws: the loss of a lease shows in later steps.
 */
export function startRenewal(milliseconds: number, renew: () => Promise<void>): Renewal {
  const running = new SingleFlight<void>();
  const timer = setInterval(() => void running.run("renewal", renew), milliseconds);
  return {
    async stop() {
      clearInterval(timer);
      await running.settled();
    },
  };
}
