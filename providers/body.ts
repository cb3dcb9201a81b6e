/** Reading upstream bodies: bounded and watched. */
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import { pacedBody, paceOf, type Slowness } from "../runtime/pace.ts";
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
  const gathered = new ByteBuffer(limit);
  let whole = true;
  try {
    for await (const chunk of body) {
      if (gathered.append(chunk)) continue;
      gathered.append(chunk.subarray(0, limit - gathered.length));
      whole = false;
      break;
    }
  } catch (error) {
    if (!lenient) throw error;
    whole = false;
  }
  return { bytes: gathered.take(), whole };
}

/** Options of {@linkcode watchedBody}. */
export interface WatchOptions {
  /** How long one chunk may be waited for. A reader that does not ask is not counted. */
  readonly idleMilliseconds: number;
  /** How long the upstream may take over all chunks; as for any body where absent. */
  readonly wholeMilliseconds?: number;
  /** Words the error that a reader sees when the upstream breaks off or is too slow. */
  readonly failure: (error: TransportError) => Error;
  /** Its reason is what a reader sees once it is aborted. */
  readonly signal: AbortSignal;
}

/** Says in what way an upstream is too slow. */
export function slowUpstream(why: Slowness, unsent = false): TransportError {
  const sentences: Readonly<Record<Slowness, string>> = {
    still: "The upstream stands still",
    slow: "The upstream is too slow",
    long: "The upstream takes too long",
  };
  return new TransportError(sentences[why], { timedOut: true, unsent });
}

/**
 * Passes a body on with back-pressure: gives up on one that is too slow, and words its breaking.
 * Cancelling it cancels the upstream.
 */
export function watchedBody(
  body: ReadableStream<Uint8Array>,
  { idleMilliseconds, wholeMilliseconds, failure, signal }: WatchOptions,
): ReadableStream<Uint8Array> {
  const word = (error: TransportError) => signal.aborted ? signal.reason : failure(error);
  return pacedBody(body, {
    sender: {
      pace: paceOf(idleMilliseconds, wholeMilliseconds),
      failure: (why) => word(slowUpstream(why)),
    },
    broken: (error) =>
      word(
        error instanceof TransportError
          ? error
          : new TransportError("The body broke off", { cause: error }),
      ),
  });
}
