/** When a call is tried again: the rule that providers' own SDKs share (npm, November 2026). */

/** How often a call is tried again after the first time. */
export const maxRetries = 2;

/** The longest that a caller waits, all waits of one call together. */
export const maxWaitMilliseconds = 60_000;

const firstDelay = 500;
const longestDelay = 8_000;

/** Returns whether an answer with this status is worth another try. */
export function retryable(status: number, headers: Headers): boolean {
  const advice = headers.get("x-should-retry");
  if (advice === "true") return true;
  if (advice === "false") return false;
  // A loop does not end by being walked again.
  if (status === 508) return false;
  return status === 408 || status === 409 || status === 429 ||
    status >= 500 && status !== 501;
}

/**
 * Milliseconds that a reply asks to wait: `retry-after-ms`, `retry-after` in seconds or a date, which
 * is measured against the reply's own `Date`: this machine's clock may be wrong.
 */
export function requestedDelay(headers: Headers, now: Date): number | undefined {
  const exact = number(headers.get("retry-after-ms"));
  if (exact !== undefined) return exact;
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = number(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(text);
  if (Number.isNaN(date)) return undefined;
  const answeredAt = Date.parse(headers.get("date") ?? "");
  return Math.max(0, date - (Number.isNaN(answeredAt) ? now.getTime() : answeredAt));
}

/**
 * Milliseconds before the next try where the reply asks for none: 0.5 s doubling to 8 s, less up
 * to a quarter, so that many waiting callers do not come back together.
 *
 * @param attempt How many tries there were before; 0 for the first retry.
 */
export function backoff(attempt: number, random: (bytes: Uint8Array) => Uint8Array): number {
  const share = (random(new Uint8Array(1))[0] ?? 0) / 255;
  return Math.min(firstDelay * 2 ** attempt, longestDelay) * (1 - share / 4);
}

function number(text: string | null): number | undefined {
  if (text === null || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return undefined;
  return Number(text);
}
