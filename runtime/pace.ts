/**
 * How slow bytes may come, or be taken: the one way in which bodies and replies are bounded in time,
 * in both directions. Only time counts that is spent waiting for the side that is watched: a reader
 * that takes its time is not the sender's fault.
 */
import { bounds } from "./bounds.ts";
import { createIdleTimer } from "./idle_timer.ts";

/** How slow one side may be. */
export interface Pace {
  /** How long one wait may last, and over how long the rate is taken. */
  readonly idleMilliseconds: number;
  /** How long all waits together may last. */
  readonly wholeMilliseconds: number;
  readonly leastBytesPerSecond: number;
}

/** What was too slow: a wait, the rate, or the whole. */
export type Slowness = "still" | "slow" | "long";

/** Watches one side of a stream. */
export interface PaceWatch {
  /** From now on the side is waited for. */
  wait(): void;
  /** It has sent, or taken, so many bytes. */
  moved(bytes: number): void;
  /** Ends the watch. Its owner must call it at the end. */
  close(): void;
}

/** The usual pace for this idle time. */
export function paceOf(
  idleMilliseconds: number,
  wholeMilliseconds: number = bounds.bodyMilliseconds,
): Pace {
  return { idleMilliseconds, wholeMilliseconds, leastBytesPerSecond: bounds.leastBytesPerSecond };
}

/**
 * Starts to watch a side.
 *
 * @param expired Called once, when the side is too slow.
 * @param now A monotonic clock, in milliseconds.
 */
export function watchPace(
  { idleMilliseconds, wholeMilliseconds, leastBytesPerSecond }: Pace,
  expired: (why: Slowness) => void,
  now: () => number = () => performance.now(),
): PaceWatch {
  let since = 0;
  /** Spent waiting, in all and since the rate was last taken. */
  let waited = 0;
  let windowed = 0;
  let bytes = 0;
  let isOver = false;
  const timer = createIdleTimer(() =>
    giveUp(wholeMilliseconds - waited < idleMilliseconds ? "long" : "still")
  );

  function giveUp(why: Slowness): void {
    if (isOver) return;
    close();
    expired(why);
  }

  function close(): void {
    isOver = true;
    timer.close();
  }

  return {
    wait() {
      if (isOver) return;
      since = now();
      timer.start(Math.max(0, Math.min(idleMilliseconds, wholeMilliseconds - waited)));
    },
    moved(count) {
      if (isOver) return;
      timer.stop();
      const time = now() - since;
      waited += time;
      windowed += time;
      bytes += count;
      if (windowed < idleMilliseconds) return;
      if (bytes < leastBytesPerSecond * windowed / 1000) giveUp("slow");
      windowed = bytes = 0;
    },
    close,
  };
}

/** How slow a side may be, and the error where it is slower. */
export interface Bound {
  readonly pace: Pace;
  readonly failure: (why: Slowness) => unknown;
}

/** What {@linkcode pacedBody} looks after. */
export interface PacedBody {
  /** Where the body comes from. */
  readonly sender?: Bound | undefined;
  /** The reader of what is passed on. */
  readonly reader?: Bound | undefined;
  /** Receives the bytes of each chunk. */
  readonly count?: (bytes: number) => void;
  /** Words the body's own error. */
  readonly broken?: (error: unknown) => unknown;
}

/**
 * Reads a body to its end without a stream of its own, and cancels it where its sender is too slow or
 * `take` throws. Rejects with that error, or the body's own.
 */
export async function readPaced(
  body: ReadableStream<Uint8Array>,
  { sender, count = () => {} }: Pick<PacedBody, "sender" | "count">,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const source = body.getReader();
  let slow: { readonly error: unknown } | undefined;
  const watch = sender && watchPace(sender.pace, (why) => {
    slow = { error: sender.failure(why) };
    source.cancel(slow.error).catch(() => {});
  });
  try {
    for (;;) {
      watch?.wait();
      const { done, value } = await source.read();
      if (value !== undefined) watch?.moved(value.byteLength);
      // A cancelled source ends as if the body had.
      if (slow !== undefined) throw slow.error;
      if (done) return;
      count(value.byteLength);
      take(value);
    }
  } catch (error) {
    source.cancel(error).catch(() => {});
    throw slow === undefined ? error : slow.error;
  } finally {
    watch?.close();
  }
}

/**
 * Passes a body on with back-pressure, and breaks it, and cancels its source, where one side is too
 * slow. Cancelling it cancels the source.
 */
export function pacedBody(
  body: ReadableStream<Uint8Array>,
  { sender, reader, count = () => {}, broken = (error) => error }: PacedBody,
): ReadableStream<Uint8Array> {
  const source = body.getReader();
  let isOver = false;
  let given: number | undefined;
  let controller: ReadableStreamDefaultController<Uint8Array>;

  const watch = (bound: Bound | undefined): PaceWatch | undefined =>
    bound && watchPace(bound.pace, (why) => {
      const error = bound.failure(why);
      end();
      controller.error(error);
      // Whatever its connection still says does not matter.
      source.cancel(error).catch(() => {});
    });
  const sending = watch(sender);
  const reading = watch(reader);

  function end(): void {
    isOver = true;
    sending?.close();
    reading?.close();
  }

  return new ReadableStream<Uint8Array>({
    start(own) {
      controller = own;
    },
    async pull() {
      if (given !== undefined) reading?.moved(given);
      if (isOver) return;
      sending?.wait();
      try {
        const { done, value } = await source.read();
        // A cancelled source ends as if the body had.
        if (isOver) return;
        if (done) {
          end();
          return controller.close();
        }
        sending?.moved(value.byteLength);
        if (isOver) return;
        given = value.byteLength;
        count(given);
        controller.enqueue(value);
        reading?.wait();
      } catch (error) {
        if (isOver) return;
        end();
        controller.error(broken(error));
      }
    },
    cancel(reason) {
      end();
      return source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
