/** A time by which something must be over. */

/** A signal that is aborted with its parent, or when its time is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called when it is over: the timer would keep everything that the reason holds. */
  clear(): void;
}

/** Longest time that a timer takes; it fires at once for more (Deno 2.9.6). */
const longest = 2 ** 31 - 1;

/**
 * Makes a deadline.
 *
 * @param late Makes the reason of a signal whose time is over.
 */
export function startDeadline(
  parent: AbortSignal,
  milliseconds: number,
  late: () => unknown,
): Deadline {
  const own = new AbortController();
  const abort = () => own.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => own.abort(late()), Math.min(milliseconds, longest));
  return {
    signal: own.signal,
    clear() {
      clearTimeout(timer);
      parent.removeEventListener("abort", abort);
    },
  };
}
