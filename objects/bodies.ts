/** Bodies on their way into a store. */
import { createHash } from "node:crypto";

/** Passes a body on and computes its MD5 in hex, which is known once it has ended. */
export function withMd5(body: ReadableStream<Uint8Array>) {
  const hash = createHash("md5");
  let digest: string | undefined;
  const tapped = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>(
      {
        transform(chunk, controller) {
          hash.update(chunk);
          controller.enqueue(chunk);
        },
      },
      undefined,
      { highWaterMark: 0 },
    ),
  );
  return { tapped, md5: () => digest ??= hash.digest("hex") };
}

/** A body as a stream. */
export function streamOf(
  body: ReadableStream<Uint8Array> | Uint8Array,
): ReadableStream<Uint8Array> {
  return body instanceof Uint8Array ? new Blob([new Uint8Array(body)]).stream() : body;
}

/** A body for two readers. */
export interface Lockstep {
  readonly first: ReadableStream<Uint8Array>;
  readonly second: ReadableStream<Uint8Array>;
  /** Ends both with an error, and lets the body go. */
  fail(reason: unknown): void;
}

/**
 * Gives two readers the same body, chunk by chunk: the next one is read once both want it, so that
 * memory stays constant. Where one of them cancels, the other gets the reason as an error.
 *
 * @param bytes The body's length: a reader that stops right behind it holds nothing up.
 */
export function lockstep(body: ReadableStream<Uint8Array> | Uint8Array, bytes: number): Lockstep {
  // Bytes that are there already wait for no reader.
  if (body instanceof Uint8Array) {
    return { first: streamOf(body), second: streamOf(body), fail: () => {} };
  }
  const reader = body.getReader();
  let waiting: PromiseWithResolvers<ReadableStreamReadResult<Uint8Array>> | undefined;
  let failure: { readonly reason: unknown } | undefined;

  function next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (failure) return Promise.reject(failure.reason);
    const both = waiting;
    if (!both) {
      waiting = Promise.withResolvers();
      return waiting.promise;
    }
    waiting = undefined;
    reader.read().then(both.resolve, both.reject);
    return both.promise;
  }

  function fail(reason: unknown): void {
    if (failure) return;
    failure = { reason };
    waiting?.reject(reason);
    reader.cancel(reason).catch(() => {});
  }

  const branch = (): ReadableStream<Uint8Array> => {
    let left = bytes;
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await next();
        if (done) return controller.close();
        controller.enqueue(value);
        left -= value.byteLength;
        if (left <= 0) controller.close();
      },
      cancel: (reason) => fail(reason),
    }, { highWaterMark: 0 });
  };
  return { first: branch(), second: branch(), fail };
}
