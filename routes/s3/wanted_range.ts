/** Which bytes of an object a GetObject or HeadObject asks for: by Range, or by a part's number. */
import { type ResolvedRange, resolveRange } from "../../codecs/byte_range.ts";
import { Failure } from "../../codecs/failure.ts";
import { countParts, findPart, type PackedParts } from "../../codecs/object_parts.ts";

/** Amazon S3's highest part number. */
const lastPart = 10_000;

/**
 * The bytes that a request wants of an object of a size; `whole` for all of them with status 200.
 *
 * An object that was put in one piece is one part: part 1 is all of it, with status 206 (an empty
 * object has no range, and is whole).
 *
 * Throws `invalid` as InvalidRange (416, also for a part without bytes), InvalidPart where there is
 * no such part, InvalidArgument where no part can have the number, or InvalidRequest for both a
 * range and a part.
 *
 * @param parts What the object was uploaded in, if in parts.
 */
export function wantedRange(
  range: string | null,
  partNumber: string | undefined,
  size: number,
  parts?: PackedParts,
): ResolvedRange | "whole" {
  if (partNumber !== undefined) return wantedPart(range, partNumber, size, parts);
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
  parts: PackedParts = { runs: [[1, 1, size]] },
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
  const part = findPart(parts, number);
  if (!part) {
    const count = countParts(parts);
    const counted = count === 1 ? "one part" : `${count} parts`;
    throw new Failure("invalid", `The object has ${counted}, none of this number`, {
      s3: "InvalidPart",
      fields: { PartNumber: partNumber },
    });
  }
  const { first, bytes } = part;
  if (bytes > 0) return { first, last: first + bytes - 1 };
  if (size === 0) return "whole";
  throw new Failure("invalid", `Part ${number} of the object has no bytes`, {
    s3: "InvalidRange",
    fields: { ActualObjectSize: `${size}`, RangeRequested: "" },
  });
}
