/** Decompressing gzip as it passes, within bounds. */
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { chunkStream } from "../runtime/chunk_stream.ts";
import { Failure } from "./failure.ts";

/** Bounds of what a gzip file may become. */
export interface GunzipBounds {
  /** The most decompressed bytes. */
  readonly maxBytes: number;
  /** The most decompressed bytes for a compressed one; small files may exceed it. */
  readonly maxRatio: number;
}

/** Bounds of inputs. Records that look alike shrink to a hundredth; a bomb to a thousandth. */
export const inputBounds: GunzipBounds = { maxBytes: 16 * 2 ** 30, maxRatio: 250 };

/** Up to so many decompressed bytes the ratio does not count. */
const freeBytes = 16 * 2 ** 20;

/**
 * Decompresses gzip, also of several members in a row. The stream fails as `invalid` where the bytes
 * are not gzip, and as `too-large` over a bound.
 */
export function gunzip(
  body: ReadableStream<Uint8Array>,
  bounds: GunzipBounds = inputBounds,
): ReadableStream<Uint8Array> {
  const chunks = decompress(body, bounds);
  return chunkStream(chunks, async () => {
    // A stream that was not begun is not read by the generator.
    if (!body.locked) await body.cancel().catch(() => {});
  });
}

async function* decompress(
  body: ReadableStream<Uint8Array>,
  { maxBytes, maxRatio }: GunzipBounds,
): AsyncGenerator<Uint8Array> {
  let packed = 0;
  let bytes = 0;
  const source = Readable.from((async function* () {
    for await (const chunk of body) {
      packed += chunk.length;
      yield chunk;
    }
  })());
  const unzip = createGunzip();
  // Its error is the one that the loop below throws.
  pipeline(source, unzip, () => {});
  try {
    for await (const chunk of unzip) {
      bytes += chunk.length;
      const isBomb = bytes > freeBytes && bytes > packed * maxRatio;
      if (bytes > maxBytes || isBomb) throw tooMuch(isBomb ? undefined : maxBytes);
      yield chunk;
    }
  } catch (error) {
    throw isZlib(error) ? notGzip(error) : error;
  } finally {
    source.destroy();
    unzip.destroy();
  }
}

function isZlib(error: unknown): boolean {
  return error instanceof Error && "code" in error && /^Z_/.test(String(error.code));
}

function notGzip(cause: unknown): Failure {
  return new Failure("invalid", "The file is named .gz and is not a whole gzip file", { cause });
}

function tooMuch(maxBytes: number | undefined): Failure {
  const why = maxBytes === undefined
    ? "grows too much when it is decompressed"
    : `has more than ${maxBytes} bytes when it is decompressed`;
  return new Failure("too-large", `The gzip file ${why}. Put its records uncompressed`);
}
