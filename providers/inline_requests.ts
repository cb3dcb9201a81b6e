/** The body of a create that holds the records of its batch. */

const utf8 = new TextEncoder();
const head = utf8.encode('{"requests":[');
const tail = utf8.encode("]}");
const lineFeed = 0x0a;
const comma = 0x2c;

/**
 * The body of a create, from its requests one a line. A line feed between two of them becomes a
 * comma, and the last one goes: no other byte of a line is a line feed.
 */
export function requestsOf(
  bytes: number,
  lines: ReadableStream<Uint8Array>,
): { readonly bytes: number; readonly body: ReadableStream<Uint8Array> } {
  let left = bytes;
  const joining = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => controller.enqueue(head),
    transform(chunk, controller) {
      left -= chunk.length;
      const copy = left === 0 ? chunk.slice(0, -1) : chunk.slice();
      for (let at = copy.indexOf(lineFeed); at !== -1; at = copy.indexOf(lineFeed, at + 1)) {
        copy[at] = comma;
      }
      if (copy.length > 0) controller.enqueue(copy);
    },
    flush: (controller) => controller.enqueue(tail),
  });
  return { bytes: head.length + bytes - 1 + tail.length, body: lines.pipeThrough(joining) };
}
