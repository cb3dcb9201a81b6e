/** A part of a body. */

/**
 * Passes on a body's bytes from `first` up to and including `last`; without `last` up to its end.
 * What follows them is cancelled and not read. Holds no bytes; cancelling it cancels the body.
 */
export function cutBody(
  body: ReadableStream<Uint8Array>,
  { first, last }: { readonly first: number; readonly last?: number },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let skip = first;
  let left = last === undefined ? Infinity : last - first + 1;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (left > 0) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        const part = value.subarray(skip, Math.min(value.byteLength, skip + left));
        skip = Math.max(0, skip - value.byteLength);
        left -= part.byteLength;
        if (part.byteLength > 0) return controller.enqueue(part);
      }
      await reader.cancel();
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
