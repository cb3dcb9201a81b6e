/**
 * Native batches, which were made without Batchway, as jobs; and news of running jobs from the same
 * lists.
 */
import type { BatchEntry } from "../catalog/entries.ts";
import { isSingle } from "../catalog/plans.ts";
import { Failure } from "../codecs/failure.ts";
import { isLoop } from "../codecs/hops.ts";
import type { BatchId } from "../codecs/ids.ts";
import { allPages } from "../runtime/pages.ts";
import { askAccounts } from "../reach/accounts.ts";
import type { Account, Batch, StoringProvider } from "../providers/provider.ts";
import { adoptBatch } from "./adopt_batch.ts";
import type { JobTools, ScopedJob } from "./deps.ts";
import { inTime } from "../runtime/in_time.ts";
import type { Poll } from "./poll.ts";
import { createOrder, type Order } from "./scan_order.ts";

/** How long a list waits for the results of each job that has ended, in milliseconds. */
const listPatience = 500;

/** Pages that a list waits for. */
const patience = 20;
/** And for how long, in milliseconds. */
const scanPatience = 15_000;
/** A provider that refuses to be looked through is asked again so long after, in milliseconds. */
const failurePause = 1_000;
/** How often the log says so, in milliseconds. */
const logEvery = 60_000;

/** Batches without room that are remembered as logged. */
const maxLeftOut = 1_000;

/** A scan of a provider's batches that is under way. */
interface Scan {
  /** Resolves once so many pages were taken in, or at its end; rejects with what cut it short. */
  readonly enough: Promise<void>;
  /** Resolves at its end. */
  readonly whole: Promise<void>;
  /** A list has waited long enough for it. */
  isSlow: boolean;
}

/** Adopting batches. */
export type Adoption = ReturnType<typeof createAdoption>;

/** Makes the service that adopts batches. */
export function createAdoption(deps: JobTools, poll: Poll) {
  const { jobs } = deps.catalog;
  const scanning = new Map<string, Scan>();
  const scannedAt = new Map<string, number>();
  const orders = new Map<string, Order>();
  const leftOut = new Set<BatchId>();

  const failed = new Map<string, { readonly at: number; loggedAt: number }>();
  const clock = deps.clock.uptime;

  return { look, scan, adopt, idle };

  /**
   * Looks through a provider's batches for a list, which is answered from the catalog where the provider
   * stumbles, or takes its time: then natives are added later.
   */
  async function look(provider: StoringProvider, region: string): Promise<void> {
    const { name } = provider;
    const pause = Math.min(deps.pollMilliseconds, failurePause);
    const failure = failed.get(name);
    if (failure && clock() - failure.at < pause || scanning.get(name)?.isSlow) return;
    try {
      const looking = scan(provider, region, "enough").then(() => true);
      const isDone = await inTime(looking, scanPatience);
      if (isDone) failed.delete(name);
      else {
        const slow = scanning.get(name);
        if (slow) slow.isSlow = true;
        noteFailure(
          name,
          new Failure("unavailable", `Provider ${name} takes long to list its batches`),
        );
      }
    } catch (error) {
      // A wrong key stays wrong, and a loop a loop, until the operator hears of it.
      const isKey = error instanceof Failure && error.details.account !== undefined;
      if (!(error instanceof Failure) || isKey || isLoop(error)) throw error;
      noteFailure(name, error);
    }
  }

  function noteFailure(name: string, error: Failure): void {
    const at = clock();
    const loggedAt = failed.get(name)?.loggedAt ?? -Infinity;
    const isDue = at - loggedAt >= logEvery;
    failed.set(name, { at, loggedAt: isDue ? at : loggedAt });
    if (!isDue) return;
    const message =
      "A provider's batches could not be listed; jobs are shown as they were last known";
    deps.warn(message, { provider: name, error });
  }

  /**
   * Looks through a provider's batches; where they come newest first, until a page holds none that
   * is new. A native batch is adopted, and jobs that are running are brought up to
   * date.
   *
   * @param wanted A long history is read on behind the answer to a caller that waits for `enough`.
   */
  function scan(
    provider: StoringProvider,
    region: string,
    wanted: "enough" | "whole",
  ): Promise<void> {
    const { name } = provider;
    const last = scannedAt.get(name);
    if (last !== undefined && deps.clock.uptime() - last < deps.pollMilliseconds) {
      return Promise.resolve();
    }
    const running = scanning.get(name) ?? start(provider, region);
    return running[wanted];
  }

  function start(provider: StoringProvider, region: string): Scan {
    const { name } = provider;
    const enough = Promise.withResolvers<void>();
    let pages = 0;
    const whole = scanAccounts(provider, region, () => {
      if (++pages === patience) enough.resolve();
    }).finally(() => scanning.delete(name));
    // Only a caller that waits for the whole gets that error.
    enough.promise.catch(() => {});
    whole.then(enough.resolve, (error: unknown) => {
      enough.reject(error);
      // There may be no caller any more.
      if (pages < patience || deps.closing.aborted) return;
      deps.warn("The adoption of a provider's batches was cut short", { provider: name, error });
    });
    const scan = { enough: enough.promise, whole, isSlow: false };
    scanning.set(name, scan);
    return scan;
  }

  /** Resolves once no scan is under way. */
  async function idle(): Promise<void> {
    await Promise.allSettled([...scanning.values()].map(({ whole }) => whole));
  }

  async function scanAccounts(
    provider: StoringProvider,
    region: string,
    paged: () => void,
  ): Promise<void> {
    let stumble: unknown;
    const answers = askAccounts(provider, async (account) => {
      try {
        await scanAccount(provider, account, region, paged);
      } catch (error) {
        // An account that stumbles hides nothing of the others.
        if (!(error instanceof Failure) || error.kind === "denied") throw error;
        stumble ??= error;
      }
    });
    for await (const _ of answers);
    if (stumble !== undefined) throw stumble;
    scannedAt.set(provider.name, deps.clock.uptime());
  }

  async function scanAccount(
    provider: StoringProvider,
    account: Account,
    region: string,
    paged: () => void,
  ): Promise<void> {
    const order = orderOf(provider, account);
    const before = await jobs.scannedTo(provider.name, account.name);
    const mayEndEarly = before !== false && order.endsEarly(deps.clock.uptime());
    const watch = order.watch();
    // Jobs that were created here are known although no scan has come by them, and may fill a page
    // in front of batches that are not: a scan goes on to where the last one began.
    let isPast = typeof before === "boolean" || !order.isNewestFirst();
    let scanned = before;
    let isEnd = false;
    let arePutOff = false;
    let newest: BatchId | undefined;
    for await (
      const page of allPages((cursor) => account.batches.list(cursor, deps.closing))
    ) {
      watch.page(page.items);
      const { news, isPutOff } = await takeIn(provider, account, page.items, region);
      arePutOff ||= isPutOff;
      paged();
      newest ??= page.items[0]?.id;
      isPast ||= page.items.some(({ id }) => id === before);
      isEnd = page.cursor === undefined;
      if (isEnd || mayEndEarly && isPast && !news) break;
      if (scanned !== false) {
        // If this scan is cut short, the next finds nothing new on the first page and yet must not
        // end there.
        await jobs.setScannedTo(provider.name, account.name, false);
        scanned = false;
      }
    }
    if (isEnd) watch.complete(deps.clock.uptime());
    // Where some may yet turn out to be a client's own, the next scan goes as far as this one.
    const scannedTo = arePutOff ? before : newest ?? true;
    if (scanned !== scannedTo) await jobs.setScannedTo(provider.name, account.name, scannedTo);
  }

  function orderOf({ name }: StoringProvider, account: Account): Order {
    const key = JSON.stringify([name, account.name]);
    const order = orders.get(key) ??
      createOrder(account.batches.newestFirst, deps.pollMilliseconds);
    orders.set(key, order);
    return order;
  }

  /** Takes a page of batches in: whether any was new, or may be of a create under way. */
  async function takeIn(
    provider: StoringProvider,
    account: Account,
    batches: readonly Batch[],
    region: string,
  ): Promise<{ news: boolean; isPutOff: boolean }> {
    const known = await jobs.batches(provider.name, batches.map((batch) => batch.id));
    let news = false;
    let isPutOff = false;
    for (const [at, batch] of batches.entries()) {
      const owner = known[at];
      try {
        if (owner) {
          if (!owner.over) await update(provider, owner, batch);
        } else if (await adopt(provider, account, batch, region)) news = true;
        else if (batch.jobId === undefined) isPutOff = true;
      } catch (error) {
        leaveOut(provider, batch, error);
      }
    }
    return { news, isPutOff };
  }

  /** Leaves a batch out that the catalog has no room for, and says so once; throws all else. */
  function leaveOut(provider: StoringProvider, { id }: Batch, error: unknown): void {
    if (!(error instanceof Failure) || error.kind !== "invalid") throw error;
    if (leftOut.has(id) || leftOut.size >= maxLeftOut) return;
    leftOut.add(id);
    deps.warn("A batch has no room in the catalog, and is left out of lists", {
      provider: provider.name,
      batch: id.slice(0, 100),
      error,
    });
  }

  async function update(
    provider: StoringProvider,
    owner: BatchEntry,
    batch: Batch,
  ): Promise<void> {
    const scope = { tenant: owner.tenant, provider: provider.name };
    const job = await jobs.get(scope, owner.id);
    // One batch of several says too little of its job.
    if (job && isSingle(job)) await poll.apply(provider, { scope, job }, batch, listPatience);
  }

  /** Makes a job of a batch that the catalog does not know; undefined while its create is under way. */
  function adopt(
    provider: StoringProvider,
    { name: account }: Account,
    batch: Batch,
    region: string,
  ): Promise<ScopedJob | undefined> {
    poll.note(provider, batch);
    return adoptBatch(deps, { provider: provider.name, account, region }, batch);
  }
}
