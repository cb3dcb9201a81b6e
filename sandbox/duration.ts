/** How long simulated batches take. */
import type { SandboxOptions } from "./context.ts";

/**
 * Returns how long a batch takes, in milliseconds: what the options say, or less where all batches
 * were finished by request before.
 *
 * @param createdAt When the batch was created, in milliseconds since 1970.
 */
export function durationOf(
  { batchSeconds, finishes = [] }: SandboxOptions,
  createdAt: number,
): number {
  // The first: what ended at one moment does not end again at a later one.
  const finished = finishes.find((moment) => moment >= createdAt) ?? Infinity;
  return Math.min(batchSeconds * 1000, finished - createdAt);
}
