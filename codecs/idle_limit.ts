/** A limit on how slow a body may be: it must neither stand still nor trickle. */
import { Failure } from "./failure.ts";
import { createIdleTimer } from "./idle_timer.ts";

/** Less than any line that a real client is behind; an attacker's trickle is a byte now and then. */
const leastBytesPerSecond = 1024;

/**
 * Passes a body on, and breaks it where its sender has sent nothing for a time although more was
 * asked for, or so little that it would hold its place for ever. A reader that takes its time is no
 * fault of the sender's: only the time is counted that is spent waiting for the sender.
 *
 * @param milliseconds How long it may stand still, and over how long its rate is taken; 0: no limit.
 * @param count Told the bytes of each chunk.
 */
export function withIdleLimit(
  body: ReadableStream<Uint8Array>,
  milliseconds: number,
  count: (bytes: number) => void = () => {},
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let failure: Failure | undefined;
  const timer = createIdleTimer(() => {
    failure = stoodStill(milliseconds);
    // The sender is given up: whatever its connection still says is nobody's concern.
    reader.cancel(failure).catch(() => {});
  });
  let waited = 0;
  let came = 0;
  const read = milliseconds === 0 ? () => reader.read() : async () => {
    const since = performance.now();
    timer.start(milliseconds);
    const result = await reader.read();
    timer.stop();
    // A cancelled reader ends as if the body had.
    if (failure !== undefined) throw failure;
    waited += performance.now() - since;
    came += result.value?.byteLength ?? 0;
    if (waited >= milliseconds) {
      if (!result.done && came < leastBytesPerSecond * waited / 1000) throw trickled();
      waited = came = 0;
    }
    return result;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await read();
        if (done) {
          timer.close();
          controller.close();
        } else {
          count(value.byteLength);
          controller.enqueue(value);
        }
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

function trickled(): Failure {
  return new Failure(
    "invalid",
    `The body came at fewer than ${leastBytesPerSecond} bytes a second. Send it again, and faster`,
    { s3: "RequestTimeout" },
  );
}
