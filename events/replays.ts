/** Notices that another process has asked for events to be sent again. */
import type { OutboxCatalog } from "../catalog/outbox.ts";
import { sleep } from "../runtime/sleep.ts";

/** Dependencies of the watch. */
export interface ReplayDeps {
  readonly catalog: { readonly outbox: Pick<OutboxCatalog, "lastReplay"> };
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** One entry of the catalog is read so often, in milliseconds. */
const lookMilliseconds = 2_000;

/**
 * Looks every two seconds whether a replay was asked for, until the signal aborts.
 *
 * @param isNeeded Whether there is a receiver at all.
 * @param wake Called once for the replays since the last look, and those of before the first.
 */
export async function watchReplays(
  { catalog: { outbox }, warn }: ReplayDeps,
  isNeeded: () => boolean,
  wake: () => void,
  signal: AbortSignal,
): Promise<void> {
  let seen = "";
  let isFailing = false;
  while (!signal.aborted) {
    try {
      const last = isNeeded() ? await outbox.lastReplay() : seen;
      if (last !== seen) wake();
      seen = last;
      isFailing = false;
    } catch (error) {
      // One line for each time that the catalog begins to fail.
      if (!isFailing) warn("Whether events are to be sent again could not be read", { error });
      isFailing = true;
    }
    await sleep(lookMilliseconds, signal).catch(() => {});
  }
}
