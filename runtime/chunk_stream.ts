/** Streams of chunks that are made one by one. */

/**
 * A stream of what a generator yields, made as it is read. Unlike `ReadableStream.from`, it lets go
 * of what the chunks come from also where it is cancelled before the generator has begun.
 *
 * @param release Called once, when the chunks have ended, failed, or are not wanted any more.
 */
export function chunkStream(
  chunks: AsyncGenerator<Uint8Array>,
  release: () => void | Promise<void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (!done) return controller.enqueue(value);
        await release();
        controller.close();
      } catch (error) {
        await release();
        controller.error(error);
      }
    },
    async cancel() {
      await chunks.return(undefined);
      await release();
    },
  }, { highWaterMark: 0 });
}
