/** Which bytes of an object a GetObject or HeadObject asks for: by Range, or by a part's number. */
import { type ResolvedRange, resolveRange } from "../../codecs/byte_range.ts";
import { Failure } from "../../codecs/failure.ts";

/** Amazon S3's highest part number. */
const lastPart = 10_000;

/**
 * The bytes that a request wants of an object of a size; `whole` for all of them with status 200.
 *
 * Every object is one part, as a provider keeps it as one file however it was uploaded: part 1 is
 * all of it, with status 206 (an empty object has no range to tell of, and is whole).
 *
 * Throws `invalid` as InvalidRange (416), InvalidPart where there is no such part, InvalidArgument
 * where no part can have the number, or InvalidRequest for both a range and a part.
 */
export function wantedRange(
  range: string | null,
  partNumber: string | undefined,
  size: number,
): ResolvedRange | "whole" {
  if (partNumber !== undefined) return wantedPart(range, partNumber, size);
  const resolved = resolveRange(range, size);
  if (resolved !== "unsatisfiable") return resolved;
  throw new Failure("invalid", `The range is outside of the object, which has ${size} bytes`, {
    s3: "InvalidRange",
    fields: { ActualObjectSize: `${size}`, RangeRequested: range ?? "" },
  });
}

function wantedPart(
  range: string | null,
  partNumber: string,
  size: number,
): ResolvedRange | "whole" {
  const number = /^[0-9]{1,5}$/.test(partNumber) ? Number(partNumber) : 0;
  if (number < 1 || number > lastPart) {
    throw new Failure("invalid", `partNumber must be a whole number from 1 to ${lastPart}`, {
      s3: "InvalidArgument",
      fields: { ArgumentName: "partNumber", ArgumentValue: partNumber },
    });
  }
  if (range !== null) {
    throw new Failure("invalid", "Ask for a Range or for a partNumber, not for both");
  }
  if (number > 1) {
    throw new Failure("invalid", "The object has one part: ask for partNumber 1", {
      s3: "InvalidPart",
      fields: { PartNumber: partNumber },
    });
  }
  return size === 0 ? "whole" : { first: 0, last: size - 1 };
}
