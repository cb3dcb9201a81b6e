/** Lets everything else in the process have a turn while long work goes on. */

/** Work may hold the event loop for so long before it lets others have a turn, in milliseconds. */
export const holdMilliseconds = 15;

/** The pauses of one piece of work. */
export interface Breath {
  /** Whether the work has held the event loop for as long as it may. Cheap: ask for every line. */
  isDue(): boolean;
  /**
   * Ends the turn of the event loop where that is due, else resolves at once. Throws the signal's
   * reason once no caller waits for the work any more.
   */
  take(): Promise<void>;
}

/** What pauses depend on. */
export interface BreathOptions {
  /** Ends the work, which sees it at its next pause. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Resolves in a later turn of the event loop. */
  readonly turn?: () => Promise<void>;
}

/**
 * Begins a piece of work. Time is what counts, and not bytes: many small things hold the event loop
 * for longer than few large ones.
 */
export function createBreath(
  { signal, now = () => performance.now(), turn = nextTurn }: BreathOptions = {},
): Breath {
  let since = now();
  const isDue = () => now() - since >= holdMilliseconds;
  return {
    isDue,
    async take() {
      if (!isDue()) return;
      await turn();
      since = now();
      signal?.throwIfAborted();
    },
  };
}

/** Resolves in a later turn of the event loop: sockets and timers that are due come first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
