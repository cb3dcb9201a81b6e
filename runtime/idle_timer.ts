/** A time limit that is set again with every chunk of a body, and costs next to nothing to set. */

/** Watches one wait after the other. */
export interface IdleTimer {
  /** From now on something is waited for, at most so many milliseconds. */
  start(milliseconds: number): void;
  /** Nothing is waited for. */
  stop(): void;
  /** Ends the timer for good: what comes late and starts it once more waits for nothing. */
  close(): void;
}

/** What is waited for until a deadline; Infinity while nothing is. */
interface Wait {
  deadline: number;
  readonly expired: () => void;
}

/** The waits of this process, the one timer of the runtime that looks at them, and when it fires. */
const waits = new Set<Wait>();
let timer: ReturnType<typeof setTimeout> | undefined;
let due = Infinity;

/**
 * Makes a timer that calls `expired` once a wait lasts too long.
 *
 * Starting and stopping only write down a deadline. One timer of the runtime looks at all deadlines
 * when it fires, and is set again for what is left; setting one for each wait costs 5 µs (Deno 2.9.6).
 * So its owner must close it at the end.
 */
export function createIdleTimer(expired: () => void): IdleTimer {
  const wait: Wait = { deadline: Infinity, expired };
  let isClosed = false;
  return {
    start(milliseconds) {
      if (isClosed) return;
      wait.deadline = performance.now() + milliseconds;
      waits.add(wait);
      if (wait.deadline < due) arm(milliseconds);
    },
    stop() {
      wait.deadline = Infinity;
    },
    close() {
      isClosed = true;
      wait.deadline = Infinity;
      if (waits.delete(wait) && waits.size === 0) disarm();
    },
  };
}

function arm(milliseconds: number): void {
  disarm();
  due = performance.now() + milliseconds;
  timer = setTimeout(look, milliseconds);
}

function disarm(): void {
  clearTimeout(timer);
  timer = undefined;
  due = Infinity;
}

function look(): void {
  disarm();
  const now = performance.now();
  let next = Infinity;
  const over: Wait[] = [];
  for (const wait of waits) {
    if (wait.deadline <= now) over.push(wait);
    else next = Math.min(next, wait.deadline);
  }
  if (next !== Infinity) arm(next - now);
  for (const wait of over) {
    wait.deadline = Infinity;
    wait.expired();
  }
}
