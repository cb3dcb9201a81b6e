/** A clock that jumps when a test says so. */
import { type Clock, createClock } from "../../runtime/clock.ts";

/** A clock, and how it is moved. Both of its clocks start where the system's are. */
export interface JumpingClock {
  readonly clock: Clock;
  /** Lets time pass for both clocks. */
  pass(milliseconds: number): void;
  /** Sets the wall clock forward, or back. */
  jump(milliseconds: number): void;
}

/**
 * Makes a clock.
 *
 * @param start Milliseconds since 1970; the system's time, which then goes on, where absent.
 * @param ahead How wrong the wall clock is from its start, in milliseconds.
 */
export function jumpingClock(start?: number, ahead = 0): JumpingClock {
  let passed = 0;
  let jumped = ahead;
  const wall = () => start ?? Date.now();
  const uptime = () => start === undefined ? performance.now() : 0;
  const clock = createClock({
    now: () => wall() + passed + jumped,
    uptime: () => uptime() + passed,
  });
  return {
    clock,
    pass: (milliseconds) => void (passed += milliseconds),
    jump: (milliseconds) => void (jumped += milliseconds),
  };
}
