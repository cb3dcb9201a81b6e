/** When an event is tried again. */

/** Since an event was written, in milliseconds: then it is given up. */
export const patience = 24 * 3_600_000;
const firstPause = 1_000;
const longestPause = 30 * 60_000;

/**
 * Returns how long to wait after so many tries that failed: twice as long each time, from a second
 * to half an hour, and by chance up to half of that longer, so that those that failed together do
 * not come back together.
 *
 * @param random From 0 to 1.
 * @param retryAfter What the receiver asks for, which counts where it is longer.
 */
export function pauseAfter(tries: number, random: number, retryAfter = 0): number {
  const pause = Math.min(firstPause * 2 ** Math.min(tries - 1, 20), longestPause);
  return Math.round(Math.max(pause * (1 + random / 2), Math.min(retryAfter, patience)));
}

/** Reads `Retry-After`, seconds or a date, as milliseconds; undefined where it is neither. */
export function retryAfterOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
