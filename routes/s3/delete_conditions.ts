/** What must hold of an object to be deleted, besides If-Match. */
import type { ObjectEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";

/** A condition as it was sent, with the name that it was sent under. */
export interface SentCondition {
  readonly name: string;
  /** Absent where there is no such condition. */
  readonly text: string | null | undefined;
}

/**
 * Makes what refuses an object that is not of this time (a date, compared in whole seconds) and
 * this size (bytes): S3 has these conditions for directory buckets (2026-11), and one that was
 * passed over would delete what the client wants to keep.
 *
 * @returns A function that throws `precondition`.
 * @throws Failure invalid, InvalidArgument, for what is no date or no size.
 */
export function deleteConditions(
  time: SentCondition,
  size: SentCondition,
): (record: ObjectEntry) => void {
  const modified = time.text ? secondsOf(time.name, time.text) : undefined;
  const wanted = size.text ? bytesOf(size.name, size.text) : undefined;
  return ({ modifiedAt, bytes }) => {
    const isOther = modified !== undefined && modified !== Math.floor(modifiedAt / 1000);
    if (isOther) throw refused(time.name);
    if (wanted !== undefined && wanted !== bytes) throw refused(size.name);
  };
}

function secondsOf(name: string, text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return Math.floor(time / 1000);
  throw wrong(name, text, "a date, such as Mon, 23 Nov 2026 17:00:00 GMT");
}

function bytesOf(name: string, text: string): number {
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw wrong(name, text, "a whole number of bytes");
}

function wrong(name: string, text: string, form: string): Failure {
  return new Failure("invalid", `${name} must be ${form}`, {
    s3: "InvalidArgument",
    fields: { ArgumentName: name, ArgumentValue: text },
  });
}

function refused(name: string): Failure {
  return new Failure("precondition", `The object does not meet the condition ${name}`, {
    fields: { Condition: name },
  });
}
