/** What both renderings of a failure share: its sentence, and how long to wait. */
import type { Failure } from "./failure.ts";

/** How long a client that was throttled waits where the provider did not say, in seconds. */
const throttledSeconds = 1;

/** The failure's sentence with its full stop. */
export function sentenceOf({ message }: Failure): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/**
 * Whole seconds for `Retry-After`; undefined where a wait would not help, or its time is not known.
 */
export function retryAfterOf({ kind, details }: Failure): number | undefined {
  const seconds = details.retryAfterSeconds ??
    (kind === "throttled" ? throttledSeconds : undefined);
  return seconds === undefined ? undefined : Math.max(0, Math.ceil(seconds));
}
