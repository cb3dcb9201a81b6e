/** Batches that were made by other means, as jobs; and news of running jobs from the same lists. */
import type { BatchRecord } from "../catalog/records.ts";
import type { Account, Batch, StoringProvider } from "../providers/provider.ts";
import { adoptBatch } from "./adopt_batch.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import type { Poll } from "./poll.ts";

/** Adopting batches. */
export type Adoption = ReturnType<typeof createAdoption>;

/** Makes what adopts batches. */
export function createAdoption(deps: JobTools, poll: Poll) {
  const { jobs } = deps.catalog;
  const walking = new Map<string, Promise<void>>();
  const walkedAt = new Map<string, number>();

  return { walk, adopt };

  /**
   * Looks through a provider's batches; where they come newest first, until a page holds none that
   * is new. What was made by other means is adopted, and jobs that are running are brought up to
   * date.
   */
  function walk(provider: StoringProvider, region: string): Promise<void> {
    const { name } = provider;
    const last = walkedAt.get(name);
    if (last !== undefined && deps.now() - last < deps.pollMilliseconds) return Promise.resolve();
    const running = walking.get(name);
    if (running) return running;
    const walk = walkAccounts(provider, region).finally(() => walking.delete(name));
    walking.set(name, walk);
    return walk;
  }

  async function walkAccounts(provider: StoringProvider, region: string): Promise<void> {
    for (const account of provider.accounts) await walkAccount(provider, account, region);
    walkedAt.set(provider.name, deps.now());
  }

  async function walkAccount(
    provider: StoringProvider,
    account: Account,
    region: string,
  ): Promise<void> {
    const { newestFirst } = account.batches;
    const before = await jobs.walked(provider.name, account.name);
    let walked = before;
    let cursor: string | undefined;
    do {
      const page = await account.batches.list(cursor, deps.closing);
      const news = await takeIn(provider, account, page.items, region);
      cursor = before && !news ? undefined : page.cursor;
      if (cursor !== undefined && walked) {
        // If this walk is cut short, the next finds nothing new on the first page and yet must not
        // end there.
        await jobs.setWalked(provider.name, account.name, false);
        walked = false;
      }
    } while (cursor !== undefined);
    if (newestFirst && !walked) await jobs.setWalked(provider.name, account.name, true);
  }

  /** Takes a page of batches in; true if any was new. */
  async function takeIn(
    provider: StoringProvider,
    account: Account,
    batches: readonly Batch[],
    region: string,
  ): Promise<boolean> {
    const known = await jobs.batches(provider.name, batches.map((batch) => batch.id));
    let news = false;
    for (const [at, batch] of batches.entries()) {
      const owner = known[at];
      if (owner) {
        if (!owner.over) await update(provider, owner, batch);
      } else if (await adopt(provider, account, batch, region)) news = true;
    }
    return news;
  }

  async function update(
    provider: StoringProvider,
    owner: BatchRecord,
    batch: Batch,
  ): Promise<void> {
    const scope = { tenant: owner.tenant, provider: provider.name };
    const job = await jobs.get(scope, owner.id);
    if (job) await poll.apply(provider, { scope, job }, batch);
  }

  /** Makes a job of a batch that the catalog does not know; undefined while its create is under way. */
  function adopt(
    { name: provider }: StoringProvider,
    { name: account }: Account,
    batch: Batch,
    region: string,
  ): Promise<ScopedJob | undefined> {
    return adoptBatch(deps, { provider, account, region }, batch);
  }
}
