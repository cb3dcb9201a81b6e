/** Careful reading of JSON that somebody else wrote: a wrong type is as good as absent. */

/** A JSON object whose members are yet unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value as an object; undefined if it is anything else. */
export function object(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonObject
    : undefined;
}

/** The value as a list of objects; members that are none are left out, no list is an empty one. */
export function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => object(item) !== undefined) : [];
}

/** The value as a text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * The value as an id: it becomes a header, a key of the catalog and segments of a URL, so anything
 * else is none. Segments of dots would lead elsewhere, however they are encoded.
 */
export function idText(value: unknown): string | undefined {
  const isId = typeof value === "string" &&
    /^(?!(?:.*\/)?\.{1,2}(?:\/|$))[\x21-\x7e]{1,256}$/.test(value);
  return isId ? value : undefined;
}

/** The value as a whole number from 0 on; proto3 JSON writes 64-bit ones as strings. */
export function count(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? number as number : undefined;
}

/** The value as a date in Unix seconds. */
export function unixSeconds(value: unknown): Date | undefined {
  if (typeof value !== "number") return undefined;
  const date = new Date(value * 1000);
  // A number that is no date, such as 1e16, would end up in records that no list can show.
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The value as an RFC 3339 date; digits beyond milliseconds are dropped. */
export function rfc3339(value: unknown): Date | undefined {
  if (typeof value !== "string") return undefined;
  const date = new Date(value.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(date.getTime()) ? undefined : date;
}
