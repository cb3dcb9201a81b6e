/** Checksums of objects that come in parts. */
import { Buffer } from "node:buffer";
import { createDigestTap, type DeclaredDigest } from "./checksums.ts";
import { Failure } from "./failure.ts";

/** What a checksum of an object covers: all its bytes, or the checksums of its parts. */
export type ChecksumType = "FULL_OBJECT" | "COMPOSITE";

type Algorithm = DeclaredDigest["algorithm"];

/** What each algorithm offers for an object in parts; the first type is S3's default (2026-11). */
const offers: Readonly<
  Record<string, { header: string; algorithm: Algorithm; types: readonly ChecksumType[] }>
> = {
  CRC32: {
    header: "x-amz-checksum-crc32",
    algorithm: "crc32",
    types: ["COMPOSITE", "FULL_OBJECT"],
  },
  CRC32C: {
    header: "x-amz-checksum-crc32c",
    algorithm: "crc32c",
    types: ["COMPOSITE", "FULL_OBJECT"],
  },
  CRC64NVME: {
    header: "x-amz-checksum-crc64nvme",
    algorithm: "crc64nvme",
    types: ["FULL_OBJECT"],
  },
  SHA1: { header: "x-amz-checksum-sha1", algorithm: "sha1", types: ["COMPOSITE"] },
  SHA256: { header: "x-amz-checksum-sha256", algorithm: "sha256", types: ["COMPOSITE"] },
};

/** Which checksum an upload is to have. */
export interface WantedChecksum {
  /** `x-amz-checksum-*`, the whole name. */
  readonly header: string;
  readonly type: ChecksumType;
}

/**
 * Reads `x-amz-checksum-algorithm` and `x-amz-checksum-type` of a request that opens an upload;
 * undefined where it asks for none. Throws `invalid`, InvalidRequest, for what S3 does not offer.
 */
export function wantedChecksum(headers: Headers): WantedChecksum | undefined {
  const name = headers.get("x-amz-checksum-algorithm")?.toUpperCase() || undefined;
  const type = headers.get("x-amz-checksum-type")?.toUpperCase() || undefined;
  if (name === undefined && type === undefined) return undefined;
  const offer = name === undefined ? undefined : offers[name];
  if (!offer) {
    throw new Failure(
      "invalid",
      `x-amz-checksum-algorithm may be ${Object.keys(offers).join(", ")}`,
      { s3: "InvalidRequest" },
    );
  }
  const known = type === undefined ? offer.types[0] : offer.types.find((one) => one === type);
  if (known) return { header: offer.header, type: known };
  throw new Failure(
    "invalid",
    `x-amz-checksum-type may be ${offer.types.join(" or ")} with the algorithm ${name}`,
    { s3: "InvalidRequest" },
  );
}

/** The algorithm's name in S3's words, such as `CRC32`. */
export function algorithmName(header: string): string {
  const found = Object.entries(offers).find(([_, offer]) => offer.header === header);
  return found?.[0] ?? header;
}

/** The digest behind a checksum header, only to be computed. */
export function computedDigest(header: string): DeclaredDigest | undefined {
  const offer = Object.values(offers).find((one) => one.header === header);
  return offer && { header, algorithm: offer.algorithm, expected: undefined, unchecked: true };
}

/** The type of an object's checksum by its value: that of a composite one ends in `-` and a count. */
export function typeOfChecksum(value: string): ChecksumType {
  return /-[0-9]+$/.test(value) ? "COMPOSITE" : "FULL_OBJECT";
}

/**
 * The composite checksum of an object: that of its parts' checksums, and their number.
 *
 * @param header `x-amz-checksum-*`, the whole name.
 * @param parts Base64, in order.
 */
export async function compositeChecksum(header: string, parts: readonly string[]): Promise<string> {
  const digest = computedDigest(header);
  if (!digest) throw new RangeError(`Cannot combine checksums: ${header} is not known`);
  const tap = await createDigestTap([digest]);
  for (const part of parts) tap.update(Buffer.from(part, "base64"));
  return `${tap.verify()[header]}-${parts.length}`;
}
