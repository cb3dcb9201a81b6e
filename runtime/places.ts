/**
 * Places that tenants and accounts share: the one kind of pool in the gateway.
 *
 * Most of the places are for whoever comes first. When those are taken, each tenant and each account
 * still has a few of its own, so that no tenant, and no account that stands still, keeps the others
 * out.
 */

/** Who takes a place: a tenant, for work with an account of a provider. */
export interface Holder {
  readonly tenant: string;
  readonly account: string;
}

/** How many places there are; of anything that can be counted, such as uploads or bytes. */
export interface PlacesOptions {
  /** Places for whoever comes first. */
  readonly shared: number;
  /** Places that each tenant, and each account, has however full the shared ones are. */
  readonly own: number;
  /** All places together. */
  readonly most: number;
}

/** Places that were taken. */
export interface Place {
  /** Takes more places for the same work; false, and nothing is taken, where there is no room. */
  grow(count: number): boolean;
  /** Gives all of them back; later calls do nothing. */
  leave(): void;
}

/** How long a place is waited for. */
export interface Waiting {
  /** Ends the wait; {@linkcode Places.wait} throws its reason. */
  readonly signal: AbortSignal;
  readonly milliseconds: number;
}

/** Shared places. */
export interface Places {
  /** How many are taken. */
  taken(): number;
  /** Whether so many would be given now. */
  fits(holder: Holder, count?: number): boolean;
  /** Takes places; undefined where there is no room now. */
  take(holder: Holder, count?: number): Place | undefined;
  /** Counts what is there already, whether there is room or not. */
  count(holder: Holder, count: number): Place;
  /**
   * Waits for a place. Tenants take turns, and the requests of one tenant come in their order, but
   * for those whose account is full. Undefined where the time is over.
   */
  wait(holder: Holder, waiting: Waiting): Promise<Place | undefined>;
}

/** Somebody who waits for a place. */
interface Waiter {
  readonly holder: Holder;
  readonly admit: (place: Place) => void;
}

/** The places of `limits.concurrentUploads` and its kin: `shared`, and a part of it for each. */
export function withOwnShare(shared: number, ownShare: number): PlacesOptions {
  // A tenant that is alone gets no more than the shared ones.
  const own = Math.min(shared, Math.max(2, Math.floor(shared / ownShare)));
  return { shared, own, most: 2 * shared };
}

/** Makes places, all of them free. */
export function createPlaces({ shared, own, most }: PlacesOptions): Places {
  let taken = 0;
  const byTenant = new Map<string, number>();
  const byAccount = new Map<string, number>();
  /** By tenant; the first tenant has the next turn. */
  const queues = new Map<string, Set<Waiter>>();

  function fits({ tenant, account }: Holder, count = 1): boolean {
    if (taken + count <= shared) return true;
    if (taken + count > most) return false;
    const ofTenant = (byTenant.get(tenant) ?? 0) + count;
    const ofAccount = (byAccount.get(account) ?? 0) + count;
    // Own places of one side must not let the other side take more than everything that is shared.
    return Math.min(ofTenant, ofAccount) <= own && Math.max(ofTenant, ofAccount) <= shared + own;
  }

  function add({ tenant, account }: Holder, count: number): void {
    taken += count;
    addTo(byTenant, tenant, count);
    addTo(byAccount, account, count);
  }

  function occupy(holder: Holder, count: number): Place {
    let held = count;
    add(holder, count);
    return {
      grow(more) {
        if (!fits(holder, more)) return false;
        add(holder, more);
        held += more;
        return true;
      },
      leave() {
        if (held === 0) return;
        add(holder, -held);
        held = 0;
        admitWaiting();
      },
    };
  }

  function take(holder: Holder, count = 1): Place | undefined {
    return fits(holder, count) ? occupy(holder, count) : undefined;
  }

  function admitWaiting(): void {
    for (let next = firstThatFits(); next; next = firstThatFits()) {
      leaveQueue(next);
      next.admit(occupy(next.holder, 1));
    }
  }

  function firstThatFits(): Waiter | undefined {
    for (const [tenant, queue] of queues) {
      for (const waiter of queue) {
        if (!fits(waiter.holder)) continue;
        // The tenant's next turn comes after those of all others.
        queues.delete(tenant);
        queues.set(tenant, queue);
        return waiter;
      }
    }
    return undefined;
  }

  function joinQueue(waiter: Waiter): void {
    const { tenant } = waiter.holder;
    const queue = queues.get(tenant) ?? new Set();
    queues.set(tenant, queue.add(waiter));
  }

  function leaveQueue(waiter: Waiter): void {
    const { tenant } = waiter.holder;
    const queue = queues.get(tenant);
    if (queue?.delete(waiter) && queue.size === 0) queues.delete(tenant);
  }

  function wait(holder: Holder, { signal, milliseconds }: Waiting): Promise<Place | undefined> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const place = take(holder);
      if (place) return resolve(place);
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        leaveQueue(waiter);
      };
      const waiter: Waiter = {
        holder,
        admit(given) {
          end();
          resolve(given);
        },
      };
      const aborted = () => {
        end();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        end();
        resolve(undefined);
      }, milliseconds);
      signal.addEventListener("abort", aborted, { once: true });
      joinQueue(waiter);
    });
  }

  return { taken: () => taken, fits, take, count: occupy, wait };
}

function addTo(counts: Map<string, number>, name: string, count: number): void {
  const sum = (counts.get(name) ?? 0) + count;
  if (sum === 0) counts.delete(name);
  else counts.set(name, sum);
}
