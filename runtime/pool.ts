/**
 * A pool of units that tenants and accounts share; every limit in the gateway is one.
 *
 * Most of the units go to the first who ask. When those are taken, each tenant and each account
 * still has a few of its own, so that no tenant, and no account that stands still, keeps the others
 * out.
 */

/** Holder of units: a tenant, for work with an account of a provider. */
export interface Holder {
  readonly tenant: string;
  readonly account: string;
}

/** Number of units; of anything that can be counted, such as uploads or bytes. */
export interface PoolOptions {
  /** Units for the first who ask. */
  readonly shared: number;
  /** Units that each tenant, and each account, has when the shared ones are taken. */
  readonly own: number;
  /** All units together. */
  readonly most: number;
}

/** Units that were taken. */
export interface Reservation {
  /** Takes more units for the same work; false, and nothing is taken, where there is no room. */
  grow(count: number): boolean;
  /** Gives all of them back; later calls do nothing. */
  leave(): void;
}

/** Limits of a wait for a unit. */
export interface Waiting {
  /** Ends the wait; {@linkcode Pool.wait} throws its reason. */
  readonly signal: AbortSignal;
  readonly milliseconds: number;
}

/** A pool of units. */
export interface Pool {
  /** Returns how many units are taken. */
  taken(): number;
  /** Whether so many would be given now. */
  fits(holder: Holder, count?: number): boolean;
  /** Takes units; undefined where there is no room now. */
  take(holder: Holder, count?: number): Reservation | undefined;
  /** Counts what is there already, whether there is room or not. */
  count(holder: Holder, count: number): Reservation;
  /**
   * Waits for a unit. Tenants take turns, and the requests of one tenant come in their order, but
   * for those whose account is full. Undefined where the time is over.
   */
  wait(holder: Holder, waiting: Waiting): Promise<Reservation | undefined>;
}

/** A wait for a unit. */
interface Waiter {
  readonly holder: Holder;
  readonly admit: (reservation: Reservation) => void;
}

/** The pool of `limits.concurrentUploads` and its kin: `shared`, and a part of it for each. */
export function withOwnShare(shared: number, ownShare: number): PoolOptions {
  // The only active tenant gets no more than the shared ones.
  const own = Math.min(shared, Math.max(2, Math.floor(shared / ownShare)));
  return { shared, own, most: 2 * shared };
}

/** Makes a pool, all of it free. @param options A function where they change; what was taken stays taken. */
export function createPool(options: PoolOptions | (() => PoolOptions)): Pool {
  const limits = typeof options === "function" ? options : () => options;
  let taken = 0;
  const byTenant = new Map<string, number>();
  const byAccount = new Map<string, number>();
  /** By tenant; the first tenant has the next turn. */
  const queues = new Map<string, Set<Waiter>>();

  function fits({ tenant, account }: Holder, count = 1): boolean {
    const { shared, own, most } = limits();
    if (taken + count <= shared) return true;
    if (taken + count > most) return false;
    const ofTenant = (byTenant.get(tenant) ?? 0) + count;
    const ofAccount = (byAccount.get(account) ?? 0) + count;
    // Own units of one side must not let the other side take more than everything that is shared.
    return Math.min(ofTenant, ofAccount) <= own && Math.max(ofTenant, ofAccount) <= shared + own;
  }

  function add({ tenant, account }: Holder, count: number): void {
    taken += count;
    addTo(byTenant, tenant, count);
    addTo(byAccount, account, count);
  }

  function occupy(holder: Holder, count: number): Reservation {
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

  function take(holder: Holder, count = 1): Reservation | undefined {
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

  function wait(
    holder: Holder,
    { signal, milliseconds }: Waiting,
  ): Promise<Reservation | undefined> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const reservation = take(holder);
      if (reservation) return resolve(reservation);
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
