/**
 * The parts that an object was made of, packed so that a record of the catalog can hold them: parts
 * of one size in a row are one run, and checksums are kept as bytes.
 */
import { Buffer } from "node:buffer";

/** A part as it is packed. */
export interface ObjectPart {
  /** 1 to 10,000, as the client numbered it; numbers may be left out. */
  readonly number: number;
  readonly bytes: number;
  /** Base64. */
  readonly checksum?: string | undefined;
}

/** A part with its place in the object. */
export interface PlacedPart extends ObjectPart {
  /** Its first byte. */
  readonly first: number;
}

/** Parts as they are kept. */
export interface PackedParts {
  /** Parts with numbers in a row and of one size: the first number, how many, the bytes of each. */
  readonly runs: readonly (readonly [first: number, count: number, bytes: number])[];
  /** One kind of checksum that all parts have; absent where one has none. */
  readonly checksums?: {
    /** `x-amz-checksum-*`, the whole name. */
    readonly header: string;
    /** All of them, one after the other, in the order of the parts. */
    readonly bytes: Uint8Array;
  };
}

/** Room in a record of 64 KiB beside the object's headers and metadata (10 KiB) and names. */
const maxPackedBytes = 40 * 1024;
/** What a run takes at the most in a serialized record (three doubles; V8 of Deno 2.9.6). */
const runBytes = 32;

/**
 * Packs parts. Where they are too many of too many sizes, their checksums are left out first, and
 * then there is nothing to keep: undefined. Providers take files that are far from that.
 *
 * @param parts Ascending by number.
 * @param header The checksum of the parts, `x-amz-checksum-*`.
 */
export function packParts(
  parts: readonly ObjectPart[],
  header: string | undefined,
): PackedParts | undefined {
  const runs: [number, number, number][] = [];
  for (const { number, bytes } of parts) {
    const run = runs.at(-1);
    if (run && number === run[0] + run[1] && bytes === run[2]) run[1]++;
    else runs.push([number, 1, bytes]);
  }
  const room = maxPackedBytes - runs.length * runBytes;
  if (room < 0) return undefined;
  const checksums = parts.flatMap(({ checksum }) => checksum ?? []);
  if (header === undefined || checksums.length < parts.length) return { runs };
  const bytes = Buffer.concat(checksums.map((checksum) => Buffer.from(checksum, "base64")));
  if (bytes.byteLength > room) return { runs };
  return { runs, checksums: { header, bytes: new Uint8Array(bytes) } };
}

/** Returns how many parts there are. */
export function countParts({ runs }: PackedParts): number {
  return runs.reduce((sum, [_, count]) => sum + count, 0);
}

/** The parts in their order. */
export function* placedParts(packed: PackedParts): Generator<PlacedPart> {
  const { runs, checksums } = packed;
  const width = checksums ? checksums.bytes.byteLength / countParts(packed) : 0;
  let first = 0;
  let at = 0;
  for (const [from, count, bytes] of runs) {
    for (let number = from; number < from + count; number++) {
      const checksum = checksums &&
        Buffer.from(checksums.bytes.subarray(at, at + width)).toString("base64");
      yield { number, bytes, first, ...(checksum !== undefined && { checksum }) };
      first += bytes;
      at += width;
    }
  }
}

/** The part of a number; undefined where there is none. */
export function findPart(packed: PackedParts, number: number): PlacedPart | undefined {
  for (const part of placedParts(packed)) if (part.number === number) return part;
  return undefined;
}
