/** A limit on how long a body may stand still. */
import { Failure } from "./failure.ts";

/**
 * Passes a body on, and breaks it where its sender has sent nothing for a time although more was
 * asked for. A reader that takes its time is no fault of the sender's and is not counted.
 *
 * @param milliseconds 0 for no limit.
 */
export function withIdleLimit(
  body: ReadableStream<Uint8Array>,
  milliseconds: number,
): ReadableStream<Uint8Array> {
  if (milliseconds === 0) return body;
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const limit = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(stoodStill(milliseconds)), milliseconds);
      });
      try {
        const { done, value } = await Promise.race([reader.read(), limit]);
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        // The sender is given up: whatever its connection still says is nobody's concern.
        reader.cancel(error).catch(() => {});
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function stoodStill(milliseconds: number): Failure {
  return new Failure(
    "invalid",
    `No byte of the body came for ${milliseconds / 1000} seconds. Send it again without a pause`,
    { s3: "RequestTimeout" },
  );
}
