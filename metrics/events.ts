/** Events that wait for their receivers, and those that were given up. */
import type { Registry } from "./registry.ts";
import { seldom } from "./seldom.ts";

/** Events in the catalog that wait to be delivered, of all processes. */
export interface EventsWaiting {
  readonly count: number;
  /** When the first of them was written, in milliseconds since 1970; absent where none waits. */
  readonly oldest?: number;
}

/** What the figures are read of. */
interface EventsState {
  /** Absent where no receiver is configured. */
  readonly countEvents?: (most: number) => Promise<EventsWaiting>;
  readonly eventsGivenUp?: () => number;
}

/** Events that are counted; the gauges go no further. */
const mostEvents = 100_000;

/** Adds the families. @param clocks Both in milliseconds. */
export function addEvents(
  registry: Registry,
  { countEvents, eventsGivenUp = () => 0 }: EventsState,
  { now, uptime }: { readonly now: () => number; readonly uptime: () => number },
): void {
  const waiting = registry.gauge(
    "batchway_events_waiting",
    "Events in the catalog that wait to be delivered.",
  );
  const oldest = registry.gauge(
    "batchway_oldest_waiting_event_seconds",
    "Age of the oldest event that waits to be delivered; 0 where there is none.",
  );
  const givenUp = registry.countedElsewhere(
    "batchway_events_given_up_total",
    "Events that this process has given up.",
  );
  let seen: EventsWaiting = { count: 0 };
  const look = countEvents && seldom(async () => {
    seen = await countEvents(mostEvents);
  }, uptime);
  registry.beforeRender(async () => {
    await look?.();
    waiting.set("", seen.count);
    oldest.set("", seen.oldest === undefined ? 0 : Math.max(0, now() - seen.oldest) / 1000);
    givenUp.set("", eventsGivenUp());
  });
}
