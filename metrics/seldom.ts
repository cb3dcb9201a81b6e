/** Work for an answer that is not done for every answer. */

import { inTime } from "../runtime/in_time.ts";
import { SingleFlight } from "../runtime/single_flight.ts";

/** The one piece of work. */
const name = "work";

/** The part of the time that such work may take. */
const share = 1 / 50;

/**
 * Makes work that is done at most once at a time, and only as often as it takes a fiftieth of the time:
 * what was found before stays until then. Cheap work is done for nearly every call. A call never waits
 * longer than `patience` for it, in milliseconds.
 */
export function seldom(
  work: () => Promise<void>,
  uptime: () => number,
  patience = 500,
): () => Promise<void> {
  let nextAt = -Infinity;
  const flight = new SingleFlight<void>();
  const run = async () => {
    const startedAt = uptime();
    try {
      await work();
    } finally {
      const now = uptime();
      nextAt = now + (now - startedAt) / share;
    }
  };
  return async () => {
    if (flight.get(name) === undefined && uptime() < nextAt) return;
    // Work that fails leaves the figures as they are: other metrics report its reason.
    await inTime(flight.run(name, run).catch(() => {}), patience);
  };
}
