/** aws-chunked bodies of exact length, with their checksums in trailers and without signatures. */
import { Failure } from "../../codecs/failure.ts";

/** boto3's size; minio reads chunks of up to 16 MiB only. */
const chunkBytes = 1024 * 1024;

/** Characters of each checksum in base64, so that a body's length is known before its checksum. */
const trailerLengths: Readonly<Record<string, number>> = {
  "x-amz-checksum-crc32": 8,
  "x-amz-checksum-crc32c": 8,
  "x-amz-checksum-crc64nvme": 12,
  "x-amz-checksum-md5": 24,
  "x-amz-checksum-sha1": 28,
  "x-amz-checksum-sha256": 44,
  "x-amz-checksum-sha512": 88,
  "x-amz-checksum-xxhash3": 12,
  "x-amz-checksum-xxhash64": 12,
  "x-amz-checksum-xxhash128": 24,
};

/**
 * Returns how long a body gets by its chunks and trailers.
 *
 * @param bytes The body's own length.
 * @param trailers Names, in lower case. One that is not a checksum throws `unsupported`.
 */
export function framedLength(bytes: number, trailers: readonly string[]): number {
  const rest = bytes % chunkBytes;
  const full = (bytes - rest) / chunkBytes;
  const framed = (length: number) => length.toString(16).length + 2 + length + 2;
  let length = full * framed(chunkBytes) + (rest > 0 ? framed(rest) : 0) + "0\r\n\r\n".length;
  for (const name of trailers) length += `${name}:\r\n`.length + valueLength(name);
  return length;
}

function valueLength(name: string): number {
  const length = Object.hasOwn(trailerLengths, name) ? trailerLengths[name] : undefined;
  if (length !== undefined) return length;
  throw new Failure(
    "unsupported",
    "The x-amz-trailer header does not name a checksum that is known here. Use one such as " +
      "x-amz-checksum-crc32.",
    { s3: "InvalidRequest" },
  );
}

/**
 * Frames a body. The bytes are passed on, not copied; nothing is kept but where in a chunk it is.
 *
 * @param bytes The exact length of what is written to it.
 * @param trailers Names, in lower case, as they were given to {@linkcode framedLength}.
 * @param valueOf Asked for each trailer's value after the body's last byte.
 */
export function frameUnsignedChunks(
  bytes: number,
  trailers: readonly string[],
  valueOf: (name: string) => string | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  const encoder = new TextEncoder();
  let remaining = bytes;
  let left = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(data, controller) {
      for (let offset = 0; offset < data.byteLength;) {
        if (left === 0) {
          left = Math.min(chunkBytes, remaining);
          controller.enqueue(encoder.encode(`${left.toString(16)}\r\n`));
        }
        const part = data.subarray(offset, offset + left);
        controller.enqueue(part);
        offset += part.byteLength;
        remaining -= part.byteLength;
        left -= part.byteLength;
        if (left === 0) controller.enqueue(encoder.encode("\r\n"));
      }
    },
    flush(controller) {
      const lines = trailers.map((name) => {
        const value = valueOf(name) ?? "";
        if (value.length === valueLength(name)) return `${name}:${value}\r\n`;
        throw new Failure(
          "invalid",
          `The body's trailer ${name} is missing or malformed. Send the checksum in base64.`,
          { s3: "MalformedTrailerError" },
        );
      });
      controller.enqueue(encoder.encode(`0\r\n${lines.join("")}\r\n`));
    },
  });
}
