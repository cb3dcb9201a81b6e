/** Streams of bytes that more than one simulated provider needs. */
import type { Json } from "./context.ts";

/** Characters of JSON that are written at once: a write for each line would cost more than it. */
const chunkCharacters = 65_536;

/**
 * A body that fails with `failure()` as soon as it goes beyond a number of bytes; what is left of
 * it is cancelled then. No body is an empty one.
 */
export function limited(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  failure: () => Error,
): ReadableStream<Uint8Array> {
  if (body === null) return ReadableStream.from([]);
  let room = maxBytes;
  return body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        room -= chunk.byteLength;
        if (room < 0) throw failure();
        controller.enqueue(chunk);
      },
    }),
  );
}

/** Values as JSON Lines, in memory bounded by the longest line. */
export function jsonLines(values: AsyncIterable<Json>): ReadableStream<Uint8Array> {
  return ReadableStream.from(encoded(values));
}

async function* encoded(values: AsyncIterable<Json>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const value of values) {
    text += `${JSON.stringify(value)}\n`;
    if (text.length >= chunkCharacters) {
      yield encoder.encode(text);
      text = "";
    }
  }
  if (text !== "") yield encoder.encode(text);
}
