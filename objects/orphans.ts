/**
 * Files that a provider took and the catalog never heard of: the answer was lost, or the gateway
 * died in between. Their names bear the mark of the upload, so no other file is ever touched.
 */
import type { Catalog } from "../catalog/catalog.ts";
import type { ObjectCatalog } from "../catalog/objects.ts";
import type { Account, Provider, ProviderFile } from "../providers/provider.ts";
import { markPrefix } from "./name.ts";

/** Provider clocks may be this much behind ours, in milliseconds. */
const skew = 10 * 60_000;

/** Deletes the file of an upload whose answer was lost. */
export async function removeOrphan(
  catalog: ObjectCatalog,
  provider: string,
  account: Account,
  name: string,
  since: number,
  signal: AbortSignal,
): Promise<void> {
  await removeNamed(catalog, provider, account, since, (file) => file.name === name, signal);
}

/** Deletes what gateway processes left that ended without a farewell. */
export async function sweepOrphans(
  catalog: Catalog,
  providers: ReadonlyMap<string, Provider>,
  /** Processes last seen before this time are dead. */
  deadline: number,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, record } of await catalog.instances.all()) {
    if (record.seenAt >= deadline) continue;
    const mark = markPrefix(id);
    for (const provider of providers.values()) {
      if (provider.forwards) continue;
      for (const account of provider.accounts) {
        const marked = (file: ProviderFile) => file.name.includes(mark);
        const { startedAt } = record;
        await removeNamed(catalog.objects, provider.name, account, startedAt, marked, signal);
      }
    }
    await catalog.instances.leave(id);
  }
}

async function removeNamed(
  catalog: ObjectCatalog,
  provider: string,
  { files }: Account,
  since: number,
  wanted: (file: ProviderFile) => boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!files) return;
  let cursor: string | undefined;
  do {
    const page = await files.list(cursor, signal);
    const found = page.items.filter(wanted).map((file) => file.id);
    const known = await catalog.known(provider, found);
    for (const id of found) if (!known.has(id)) await files.delete(id, signal);
    // Where the provider lists newest first, the rest is older still; elsewhere no page is all old.
    const old = page.items.length > 0 &&
      page.items.every((file) => file.createdAt.getTime() < since - skew);
    cursor = old ? undefined : page.cursor;
  } while (cursor !== undefined);
}
