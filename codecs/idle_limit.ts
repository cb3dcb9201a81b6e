/** A limit on how long a body may stand still. */
import { Failure } from "./failure.ts";
import { createIdleTimer } from "./idle_timer.ts";

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
  let failure: Failure | undefined;
  const timer = createIdleTimer(() => {
    failure = stoodStill(milliseconds);
    // The sender is given up: whatever its connection still says is nobody's concern.
    reader.cancel(failure).catch(() => {});
  });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      timer.start(milliseconds);
      try {
        const { done, value } = await reader.read();
        timer.stop();
        // A cancelled reader ends as if the body had.
        if (failure !== undefined) throw failure;
        if (!done) return controller.enqueue(value);
        timer.close();
        controller.close();
      } catch (error) {
        timer.close();
        reader.cancel(error).catch(() => {});
        throw error;
      }
    },
    cancel(reason) {
      timer.close();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

function stoodStill(milliseconds: number): Failure {
  return new Failure(
    "invalid",
    `No byte of the body came for ${milliseconds / 1000} seconds. Send it again without a pause`,
    { s3: "RequestTimeout" },
  );
}
