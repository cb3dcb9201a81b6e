/** The gate between a client's bytes and a provider: nothing is complete before it is right. */
import type { DigestTap } from "./checksums.ts";
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import { Failure } from "./failure.ts";
import { LineCount } from "./line_count.ts";

/** A body on its way through, and what was found right about it. */
export interface VerifiedStream {
  readonly stream: ReadableStream<Uint8Array>;
  /**
   * Checksum header name → base64 value, for the reply.
   *
   * @throws Error before the stream has ended well.
   */
  checksums(): Readonly<Record<string, string>>;
  /**
   * The MD5 of the bytes in hex where it was among the digests; known once the stream has ended
   * well.
   */
  md5(): string | undefined;
  /** Lines that are not empty, so far. */
  records(): number;
  /** Whether the last byte was given out, which a reader may have passed on. */
  isGivenOut(): boolean;
}

/** JS-pumped copies starve small requests unless they yield (measured with Deno 2.9.6). */
const yieldBytes = 1024 * 1024;

/**
 * Passes a body on, with back-pressure and in constant memory, and holds its last chunk back until
 * the length is exact and every digest is right. So a reader with that length in mind never
 * gets the whole of a wrong body: the stream breaks instead, with Failure invalid IncompleteBody
 * where the body is shorter or longer or its connection broke, else with what `tap.verify` throws.
 * Other errors of the body break the stream as they are.
 *
 * An empty body has no chunk to hold back: read its stream to the end before acting on it.
 *
 * @param length Exact bytes that the body must have, after any decoding.
 */
export function verifiedStream(
  body: ReadableStream<Uint8Array>,
  { length, tap }: { readonly length: number; readonly tap: DigestTap },
): VerifiedStream {
  const reader = body.getReader();
  const lines = new LineCount();
  let checksums: Readonly<Record<string, string>> | undefined;
  let held: Uint8Array | undefined;
  let seen = 0;
  let sinceYield = 0;

  /** The next chunk that may go out: the last one with the end, undefined for an empty body. */
  async function next(): Promise<Uint8Array | undefined> {
    while (true) {
      const { done, value } = await reader.read();
      if (done) {
        if (seen < length) throw incomplete("shorter");
        checksums = tap.verify();
        return held;
      }
      seen += value.byteLength;
      if (seen > length) throw incomplete("longer");
      tap.update(value);
      lines.push(value);
      sinceYield += value.byteLength;
      if (sinceYield >= yieldBytes) {
        sinceYield = 0;
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      if (value.byteLength === 0) continue;
      const ready = held;
      held = value;
      if (ready !== undefined) return ready;
    }
  }

  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await next();
        if (chunk !== undefined) controller.enqueue(chunk);
        if (checksums !== undefined) controller.close();
      } catch (error) {
        held = undefined;
        // Ours is the error to report; the body's own end does not matter any more.
        reader.cancel(error).catch(() => {});
        throw isBrokenConnection(error) ? incomplete("shorter", error) : error;
      }
    },
    cancel(reason) {
      held = undefined;
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });

  return {
    stream,
    isGivenOut: () => checksums !== undefined,
    md5: () => tap.md5(),
    records: () => lines.lines,
    checksums() {
      if (checksums === undefined) {
        throw new Error("Cannot give checksums: the stream has not ended");
      }
      return checksums;
    },
  };
}

/**
 * Reads a whole body into memory and holds it to its length and digests, with the same errors as
 * {@linkcode verifiedStream}.
 *
 * @param read Gives the body's bytes to `take`, chunk by chunk, and rejects where it breaks.
 */
export async function verifiedBytes(
  read: (take: (chunk: Uint8Array) => void) => Promise<void>,
  { length, tap }: { readonly length: number; readonly tap: DigestTap },
): Promise<{ readonly bytes: Uint8Array; readonly checksums: Readonly<Record<string, string>> }> {
  const room = new ByteBuffer(length);
  try {
    await read((chunk) => {
      if (!room.append(chunk)) throw incomplete("longer");
    });
  } catch (error) {
    throw isBrokenConnection(error) ? incomplete("shorter", error) : error;
  }
  if (room.length < length) throw incomplete("shorter");
  const bytes = room.take();
  return { bytes, checksums: tap.verify(bytes) };
}

/**
 * Returns whether an error is what Deno.serve's bodies throw when the client went away or broke its
 * framing (Deno 2.9.6).
 */
function isBrokenConnection(error: unknown): boolean {
  return error instanceof Error && error.name === "BadResource";
}

function incomplete(how: "shorter" | "longer", cause?: unknown): Failure {
  return new Failure(
    "invalid",
    `The body is ${how} than the length that the request declares; send it again with its exact length.`,
    { s3: "IncompleteBody", cause },
  );
}
