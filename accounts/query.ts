/** What is asked of usage: the days, and by what its rows are grouped. */
import { nearest } from "../codecs/nearest.ts";
import { dayOf } from "../catalog/usage.ts";

/** What rows can be grouped by, in the words of the question and as members of the rows. */
const groupings = {
  tenant: "tenant",
  key: "key",
  provider: "provider",
  model: "model",
  day: "day",
} as const;

/** A name that rows are grouped by. */
export type Grouping = keyof typeof groupings;

/** A question for usage: days from the first to the last, both included, UTC. */
export interface UsageQuery {
  readonly from: string;
  readonly to: string;
  readonly by: readonly Grouping[];
}

/** A question that is not understood; the message says what is wrong with it, and what to write. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

/** What stands in a question; all of it may be absent. */
export interface UsageQuestion {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly by?: string | undefined;
}

/** Rows are grouped by these where the question does not say. */
const defaultGroupings: readonly Grouping[] = ["tenant", "provider", "model"];
/** Days that one question may ask for. */
const mostDays = 366;
const dayMilliseconds = 86_400_000;

/**
 * Reads a question: the present month, by tenant, provider and model, where it does not say.
 *
 * @throws {QueryError} where a part of it is not of its form.
 */
export function readQuery({ from, to, by }: UsageQuestion, now: number): UsageQuery {
  const today = dayOf(now, 0);
  const first = from === undefined ? monthOf(to ?? today) : dayIn("from", from);
  const last = to === undefined
    ? (from === undefined ? today : later(first, today))
    : dayIn("to", to);
  if (first > last) throw new QueryError(`from (${first}) must not be after to (${last})`);
  if ((Date.parse(last) - Date.parse(first)) / dayMilliseconds >= mostDays) {
    throw new QueryError(
      `from and to must be at most ${mostDays} days apart. Ask for a year at a time`,
    );
  }
  return { from: first, to: last, by: by === undefined ? defaultGroupings : groupingsIn(by) };
}

function dayIn(name: string, text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : NaN;
  // 30 February is read as 2 March by some.
  if (!Number.isNaN(time) && dayOf(time, 0) === text) return text;
  throw new QueryError(`${name} must be a date such as 2026-11-30`);
}

function monthOf(day: string): string {
  const month = `${day.slice(0, 7)}-01`;
  return Number.isNaN(Date.parse(month)) ? day : month;
}

function later(one: string, other: string): string {
  return one > other ? one : other;
}

function groupingsIn(text: string): readonly Grouping[] {
  const names = text.split(",").map((name) => name.trim());
  const known = Object.keys(groupings);
  const found = names.map((name) => {
    if (Object.hasOwn(groupings, name)) return name as Grouping;
    throw new QueryError(
      `by: ${JSON.stringify(name.slice(0, 64))} is not one of ${
        known.join(", ")
      }; the nearest is ` +
        nearest(name, known),
    );
  });
  return [...new Set(found)];
}
