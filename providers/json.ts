/** Careful reading of foreign JSON: a wrong type is as good as absent. */

import { isProviderId } from "../codecs/ids.ts";
import { isObject, type JsonObject } from "../codecs/json_object.ts";

export type { JsonObject };

/** The value as an object; undefined if it is anything else. */
export function object(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

/** The value as a list of objects; other members are left out, no list is an empty one. */
export function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The value as a text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The value as an id; undefined for anything that cannot be one. */
export function idText(value: unknown): string | undefined {
  return typeof value === "string" && isProviderId(value) ? value : undefined;
}

/** The value as a whole number from 0 on; proto3 JSON writes 64-bit ones as strings. */
export function count(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? number as number : undefined;
}

/** A number from here on is Unix time in thousandths, millionths and billionths of a second. */
const finerUnits = [1e11, 1e14, 1e17];

/** ISO 8601 as it is seen: a blank for the `T`, any digits of a second, no time zone for UTC. */
const isoShape =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,3})?\d*)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;

/**
 * The value as a time: Unix seconds, milliseconds or finer, also in a text; ISO 8601; an HTTP date.
 * What is 0, null, or not after 1970 is not set, as is the first day of year 1 that Go writes.
 */
export function time(value: unknown): Date | undefined {
  const date = new Date(millisecondsOf(value));
  // A number that is not a date, such as 1e30, would end up in records that no list can show.
  return date.getTime() > 0 ? date : undefined;
}

function millisecondsOf(value: unknown): number {
  if (typeof value === "number") {
    const finer = finerUnits.filter((from) => value >= from).length;
    return Math.floor(value * 1000 / 1000 ** finer);
  }
  if (typeof value !== "string") return NaN;
  if (/^\d+(\.\d+)?$/.test(value)) return millisecondsOf(Number(value));
  const [, day, clock, fraction = "", zone = "Z"] = isoShape.exec(value) ?? [];
  if (day === undefined) return / (?:GMT|UTC)$/.test(value) ? Date.parse(value) : NaN;
  if (clock === undefined) return Date.parse(day);
  return Date.parse(`${day}T${clock}${fraction}${/^(?:Z|UTC)$/i.test(zone) ? "Z" : zone}`);
}
