/** Reading upstream bodies: bounded and watched. */
import { Failure } from "../codecs/failure.ts";
import { createIdleTimer } from "../codecs/idle_timer.ts";
import { TransportError } from "./failures.ts";

/** Reads at most so many bytes and cancels the rest; a body that breaks gives what came. */
export async function readAtMost(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes } = await collect(body, limit, true);
  return bytes;
}

/** Reads a whole body; undefined, and the rest cancelled, if it is longer than the limit. */
export async function readWhole(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { bytes, whole } = await collect(body, limit, false);
  return whole ? bytes : undefined;
}

async function collect(
  body: ReadableStream<Uint8Array>,
  limit: number,
  lenient: boolean,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; whole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let whole = true;
  try {
    for await (const chunk of body) {
      const room = limit - length;
      chunks.push(chunk.subarray(0, room));
      length += Math.min(chunk.byteLength, room);
      if (chunk.byteLength > room) {
        whole = false;
        break;
      }
    }
  } catch (error) {
    if (!lenient) throw error;
    whole = false;
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return { bytes, whole };
}

/** What {@linkcode watchedBody} looks after. */
export interface WatchOptions {
  /** How long one chunk may be waited for. A reader that does not ask is not counted. */
  readonly idleMilliseconds: number;
  /** Words the error that a reader sees when the upstream breaks off. */
  readonly failure: (error: TransportError) => Error;
  /** Its reason is what a reader sees once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Passes a body on with back-pressure: gives up on one that stands still, and words its breaking.
 * Cancelling it cancels the upstream.
 */
export function watchedBody(
  body: ReadableStream<Uint8Array>,
  options: WatchOptions,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let timedOut = false;
  const timer = createIdleTimer(() => {
    timedOut = true;
    reader.cancel().catch(() => {});
  });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      timer.start(options.idleMilliseconds);
      try {
        const { done, value } = await reader.read();
        timer.stop();
        // A cancelled reader ends as if the body had.
        if (timedOut) throw new TransportError("The upstream stands still", { timedOut });
        if (!done) return controller.enqueue(value);
        timer.close();
        controller.close();
      } catch (error) {
        timer.close();
        if (options.signal.aborted) controller.error(options.signal.reason);
        else if (error instanceof Failure) controller.error(error);
        else if (error instanceof TransportError) controller.error(options.failure(error));
        else {
          controller.error(
            options.failure(new TransportError("The body broke off", { cause: error })),
          );
        }
      }
    },
    cancel(reason) {
      timer.close();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
