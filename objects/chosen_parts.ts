/** Which parts become an object: the client's list held against what it has uploaded. */
import type { NumberedPart } from "../catalog/uploads.ts";
import { Failure } from "../codecs/failure.ts";

/** A part as Complete names it. */
export interface NamedPart {
  readonly number: number;
  /** Without quotes. */
  readonly etag: string;
  /** `x-amz-checksum-*`, whole names; those that the client repeats. */
  readonly checksums: Readonly<Record<string, string>>;
}

/** S3's least size of a part that is not the last. */
const minBytes = 5 * 2 ** 20;

/**
 * Finds the parts that Complete names. Throws `invalid`: InvalidPartOrder where they do not ascend,
 * InvalidPart where one was not uploaded or is another, EntityTooSmall where one that is not the
 * last has less than 5 MiB.
 */
export function chooseParts(
  named: readonly NamedPart[],
  uploaded: readonly NumberedPart[],
): NumberedPart[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]));
  let before = 0;
  for (const { number } of named) {
    if (number <= before) {
      throw new Failure(
        "invalid",
        "The list of parts was not in ascending order. Parts must be ordered by part number",
        { s3: "InvalidPartOrder" },
      );
    }
    before = number;
  }
  const chosen = named.map((part) => {
    const found = byNumber.get(part.number);
    if (!found || !isSame(part, found)) throw invalidPart(part.number);
    return found;
  });
  for (const { number, bytes, md5 } of chosen.slice(0, -1)) {
    if (bytes >= minBytes) continue;
    throw new Failure(
      "invalid",
      `Part ${number} has ${bytes} bytes; a part that is not the last has ${minBytes} at the least`,
      {
        s3: "EntityTooSmall",
        fields: {
          ProposedSize: `${bytes}`,
          MinSizeAllowed: `${minBytes}`,
          PartNumber: `${number}`,
          ETag: md5,
        },
      },
    );
  }
  return chosen;
}

/** A part that was not uploaded, or is not the one that the client means. */
export function invalidPart(number: number): Failure {
  return new Failure(
    "invalid",
    `Part ${number} could not be found: it may not have been uploaded, or it has another ETag or ` +
      "checksum than the one named. Upload it again",
    { s3: "InvalidPart", fields: { PartNumber: `${number}` } },
  );
}

function isSame(named: NamedPart, uploaded: NumberedPart): boolean {
  if (named.etag.toLowerCase() !== uploaded.md5) return false;
  return Object.entries(named.checksums).every(([header, value]) =>
    uploaded.checksums[header] === value
  );
}
