/** Digests that a client declares for a body: which ones, and whether the bytes have them. */
import { Buffer } from "node:buffer";
import { createHash, hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Failure } from "./failure.ts";

type Algorithm = "crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256" | "md5";

interface Hasher {
  update(chunk: Uint8Array): void;
  /** Big-endian bytes. Called once. */
  digest(): Uint8Array;
  /** The digest of bytes that are there as a whole, instead of the two above. */
  digestOf?(whole: Uint8Array): Uint8Array;
}

const algorithms: Record<Algorithm, { bytes: number; create(): Promise<Hasher> | Hasher }> = {
  crc32: { bytes: 4, create: createCrc32 },
  crc32c: {
    bytes: 4,
    create: async () => wasmHasher(await (await import("hash-wasm")).createCRC32(0x82f63b78)),
  },
  crc64nvme: {
    bytes: 8,
    create: async () =>
      wasmHasher(await (await import("hash-wasm")).createCRC64("9a6c9329ac4bc9b5")),
  },
  sha1: { bytes: 20, create: () => nodeHasher("sha1") },
  sha256: { bytes: 32, create: () => nodeHasher("sha256") },
  md5: { bytes: 16, create: () => nodeHasher("md5") },
};

/**
 * The checksum headers and trailers that are verified. The newer ones of the 2026 S3 model (sha512,
 * md5, xxhash64, xxhash3, xxhash128) are not, and so never echoed either.
 */
const checksumHeaders: ReadonlyMap<string, Algorithm> = new Map([
  ["x-amz-checksum-crc32", "crc32"],
  ["x-amz-checksum-crc32c", "crc32c"],
  ["x-amz-checksum-crc64nvme", "crc64nvme"],
  ["x-amz-checksum-sha1", "sha1"],
  ["x-amz-checksum-sha256", "sha256"],
]);

/** A digest that a body must have. */
export interface DeclaredDigest {
  /** The header or trailer that declares it, in lower case. */
  readonly header: string;
  readonly algorithm: Algorithm;
  /** In base64, whatever the header's own form; undefined where a trailer will bring it. */
  readonly expected: string | undefined;
  /** True where the digest is not declared and only computed. */
  readonly unchecked?: boolean;
}

/**
 * The digests that a request declares for its body: `x-amz-checksum-*`, `content-md5`, a hex
 * `x-amz-content-sha256`, and the checksum that `x-amz-trailer` announces.
 *
 * Not for CompleteMultipartUpload: its checksum headers are those of the object, not of its body.
 *
 * @throws Failure invalid where a value cannot be a digest: InvalidDigest for `content-md5`,
 * InvalidArgument for `x-amz-content-sha256`, InvalidRequest for a checksum or for more than one.
 */
export function declaredDigests(headers: Headers): DeclaredDigest[] {
  const checksums = new Map<string, DeclaredDigest>();
  for (const name of (headers.get("x-amz-trailer") ?? "").split(",")) {
    const header = name.trim().toLowerCase();
    const algorithm = checksumHeaders.get(header);
    if (algorithm !== undefined) checksums.set(header, { header, algorithm, expected: undefined });
  }
  for (const [header, algorithm] of checksumHeaders) {
    const value = headers.get(header);
    if (value === null) continue;
    checksums.set(header, { header, algorithm, expected: checksumValue(header, algorithm, value) });
  }
  if (checksums.size > 1) {
    throw new Failure(
      "invalid",
      "The request declares checksums of several kinds; send one x-amz-checksum-* header or trailer.",
      { s3: "InvalidRequest" },
    );
  }
  const declared = [...checksums.values()];
  const md5 = headers.get("content-md5");
  if (md5 !== null) {
    const expected = base64Of(md5, algorithms.md5.bytes);
    if (expected === undefined) {
      throw new Failure(
        "invalid",
        "The Content-MD5 is not valid; it must be the base64 of 16 bytes.",
        { s3: "InvalidDigest" },
      );
    }
    declared.push({ header: "content-md5", algorithm: "md5", expected });
  }
  const sha256 = headers.get("x-amz-content-sha256");
  if (sha256 !== null && sha256 !== "UNSIGNED-PAYLOAD" && !sha256.startsWith("STREAMING-")) {
    if (!/^[0-9a-fA-F]{64}$/.test(sha256)) {
      throw new Failure(
        "invalid",
        "The x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value or 64 hex digits.",
        { s3: "InvalidArgument" },
      );
    }
    const expected = Buffer.from(sha256, "hex").toString("base64");
    declared.push({ header: "x-amz-content-sha256", algorithm: "sha256", expected });
  }
  return declared;
}

/** Watches the bytes of a body and says in the end whether it has the declared digests. */
export interface DigestTap {
  update(chunk: Uint8Array): void;
  /**
   * Takes a trailer. One that was not announced by `x-amz-trailer` counts for nothing.
   *
   * @throws Failure invalid (InvalidRequest) where the value cannot be a digest.
   */
  trailer(name: string, value: string): void;
  /**
   * Ends the digests; to be called once.
   *
   * @param whole All the bytes, where they were not given one chunk after the other.
   * @returns Checksum header name → base64 value of each `x-amz-checksum-*`, for the reply.
   * @throws Failure invalid: BadDigest or XAmzContentSHA256Mismatch where the bytes have another
   * digest, InvalidRequest where an announced trailer never came.
   */
  verify(whole?: Uint8Array): Record<string, string>;
  /** The MD5 of the bytes in hex where it was among the digests; known once they are verified. */
  md5(): string | undefined;
}

/** An MD5 that is not declared and only computed. */
export const computedMd5: DeclaredDigest = {
  header: "etag",
  algorithm: "md5",
  expected: undefined,
  unchecked: true,
};

/** Makes a tap that computes the declared digests, each algorithm once, and no other. */
export async function createDigestTap(declared: readonly DeclaredDigest[]): Promise<DigestTap> {
  const hashers = new Map<Algorithm, Hasher>();
  for (const { algorithm } of declared) {
    if (!hashers.has(algorithm)) hashers.set(algorithm, await algorithms[algorithm].create());
  }
  const each = [...hashers.values()];
  const trailers = new Map<string, string>();
  let md5: string | undefined;
  return {
    md5: () => md5,
    update(chunk) {
      for (const hasher of each) hasher.update(chunk);
    },
    trailer(name, value) {
      const header = name.toLowerCase();
      const awaited = declared.find((digest) => digest.header === header);
      if (awaited === undefined) return;
      trailers.set(header, checksumValue(header, awaited.algorithm, value));
    },
    verify(whole) {
      const actual = new Map<Algorithm, string>();
      for (const [algorithm, hasher] of hashers) {
        const digest = Buffer.from(digestOf(hasher, whole));
        actual.set(algorithm, digest.toString("base64"));
        if (algorithm === "md5") md5 = digest.toString("hex");
      }
      const checksums: Record<string, string> = {};
      for (const { header, algorithm, expected, unchecked } of declared) {
        // Where both came, both must be right.
        const wanted = [expected, trailers.get(header)].filter((value) => value !== undefined);
        if (wanted.length === 0 && unchecked !== true) throw missingTrailer(header);
        const value = actual.get(algorithm);
        if (value === undefined || wanted.some((one) => one !== value)) throw mismatch(header);
        if (checksumHeaders.has(header)) checksums[header] = value;
      }
      return checksums;
    },
  };
}

function checksumValue(header: string, algorithm: Algorithm, value: string): string {
  const { bytes } = algorithms[algorithm];
  const expected = base64Of(value, bytes);
  if (expected !== undefined) return expected;
  throw new Failure(
    "invalid",
    `The value of ${header} is not valid; it must be the base64 of ${bytes} bytes.`,
    { s3: "InvalidRequest" },
  );
}

/** Padded base64 of so many bytes, in its one canonical spelling; undefined if it is not that. */
function base64Of(value: string, bytes: number): string | undefined {
  // Buffer.from skips what is not base64, so the form is checked first.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value) || value.length !== 4 * Math.ceil(bytes / 3)) {
    return undefined;
  }
  const decoded = Buffer.from(value, "base64");
  return decoded.length === bytes ? decoded.toString("base64") : undefined;
}

function mismatch(header: string): Failure {
  if (header === "x-amz-content-sha256") {
    return new Failure(
      "invalid",
      "The SHA-256 of the body is not the one that x-amz-content-sha256 declares; send it again.",
      { s3: "XAmzContentSHA256Mismatch" },
    );
  }
  const name = header === "content-md5" ? "Content-MD5" : header;
  return new Failure(
    "invalid",
    `The body does not have the digest that ${name} declares; send it again.`,
    { s3: "BadDigest" },
  );
}

function missingTrailer(header: string): Failure {
  return new Failure(
    "invalid",
    `The trailer ${header} that x-amz-trailer announces did not come; send it after the last chunk.`,
    { s3: "InvalidRequest" },
  );
}

function digestOf(hasher: Hasher, whole: Uint8Array | undefined): Uint8Array {
  if (whole === undefined) return hasher.digest();
  if (hasher.digestOf) return hasher.digestOf(whole);
  hasher.update(whole);
  return hasher.digest();
}

/** Made when its first chunk comes: the one-shot form takes a tenth of the time (Deno 2.9.6). */
function nodeHasher(name: "sha1" | "sha256" | "md5"): Hasher {
  let made: ReturnType<typeof createHash> | undefined;
  const hasher = () => made ??= createHash(name);
  return {
    update: (chunk) => void hasher().update(chunk),
    digest: () => hasher().digest(),
    digestOf: (whole) => hash(name, whole, "buffer"),
  };
}

function createCrc32(): Hasher {
  let value = 0;
  return {
    update(chunk) {
      value = crc32(chunk, value);
    },
    digest() {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, value);
      return bytes;
    },
  };
}

/** hash-wasm's part of what is used here. */
interface WasmHasher {
  init(): unknown;
  update(chunk: Uint8Array): unknown;
  digest(form: "binary"): Uint8Array;
}

function wasmHasher(wasm: WasmHasher): Hasher {
  wasm.init();
  return { update: (chunk) => void wasm.update(chunk), digest: () => wasm.digest("binary") };
}
