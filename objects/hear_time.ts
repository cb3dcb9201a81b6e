/** Hearing what time it is at a provider before anything is destroyed for its age. */
import type { Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Provider } from "../providers/provider.ts";

/** Dependencies of hearing the time. */
export interface HearTimeDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly providers: ReadonlyMap<string, Provider>;
  /** The id of this gateway process. */
  readonly instance: string;
}

/**
 * Asks a provider for a page of a list where this process has heard no date yet, and where something
 * in the catalog can come to its end by the clock. Without an answer the clock stays unconfirmed, and
 * what is due waits for a later sweep.
 */
export async function hearTime(deps: HearTimeDeps, signal: AbortSignal): Promise<void> {
  const { clock, providers } = deps;
  if (clock.isConfirmed() || !await canEnd(deps)) return;
  for (const { stores } of providers.values()) {
    for (const { files, batches } of stores?.accounts ?? []) {
      if (signal.aborted || clock.isConfirmed()) return;
      // What went wrong is not reported: an answer of any kind has a date, and silence has none.
      await (files ?? batches).list(undefined, signal).catch(() => undefined);
    }
  }
}

/**
 * Returns whether the catalog holds what ends at a time: another process, a file that expires, an
 * upload.
 */
async function canEnd({ catalog, instance }: HearTimeDeps): Promise<boolean> {
  if ((await catalog.instances.all()).some(({ id }) => id !== instance)) return true;
  if (await catalog.expiry.hasAny()) return true;
  for await (const _ of catalog.uploads.all()) return true;
  return false;
}
