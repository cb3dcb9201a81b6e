/** How far a scan through the batches of an account has to go. */
import type { Batch } from "../providers/provider.ts";

/**
 * What is known of the order of an account's list. A provider that promises no order may keep to one
 * all the same: that is taken from a scan through all its pages, and looked at again now and then.
 */
export interface Order {
  /** Whether the list is taken to begin with the newest. */
  isNewestFirst(): boolean;
  /** Whether the scan may end at a page that holds nothing new; `now` is of a monotonic clock. */
  endsEarly(now: number): boolean;
  /** Begins the watch over a scan. */
  watch(): Watch;
}

/** The watch over one scan. */
export interface Watch {
  page(batches: readonly Batch[]): void;
  /** The scan came to the list's end. */
  complete(now: number): void;
}

/** An order that was seen is believed for so long, in milliseconds. */
const belief = 60 * 60_000;
/** A list without any order is read to its end once in so many polls. */
const pollsBetween = 12;

/** Begins to learn the order of a list. */
export function createOrder(isPromised: boolean, pollMilliseconds: number): Order {
  let seen: "newest first" | "none" | undefined;
  let completedAt = 0;
  return {
    isNewestFirst: () => isPromised || seen === "newest first",
    endsEarly(now) {
      if (isPromised) return true;
      if (seen === undefined) return false;
      const patience = seen === "newest first" ? belief : pollsBetween * pollMilliseconds;
      return now - completedAt < patience;
    },
    watch() {
      let last = Infinity;
      let ascended = false;
      let descended = false;
      return {
        page(batches) {
          for (const { createdAt } of batches) {
            const time = createdAt.getTime();
            if (time > last) ascended = true;
            if (time < last && last !== Infinity) descended = true;
            last = time;
          }
        },
        complete(now) {
          seen = descended && !ascended ? "newest first" : "none";
          completedAt = now;
        },
      };
    },
  };
}
