/** Disk for the results that are being gathered, shared fairly between tenants. */
import { bounds } from "../../runtime/bounds.ts";
import { createPool, type PoolOptions, type Reservation } from "../../runtime/pool.ts";

/** Room that the results of one job take. */
export interface ScratchShare {
  /** Takes more bytes; false, and nothing is taken, where others must be done first. */
  grow(bytes: number): boolean;
  /** Gives all of them back. */
  leave(): void;
}

/** Where room is taken from. */
export interface ScratchRoom {
  enter(tenant: string): ScratchShare;
}

const defaultRoom: PoolOptions = {
  shared: bounds.scratchBytes - 2 * bounds.ownScratchBytes,
  own: bounds.ownScratchBytes,
  most: bounds.scratchBytes,
};

/**
 * Makes what shares the room. The results that a tenant began to gather first always have room, so
 * that a job of any size ends, and two that are too large together do so one after the other.
 */
export function createScratchRoom(options: PoolOptions = defaultRoom): ScratchRoom {
  const pool = createPool(options);
  const open = new Map<string, Set<ScratchShare>>();
  return {
    enter(tenant) {
      const holder = { tenant, account: tenant };
      const taken: Reservation[] = [];
      const shares = open.get(tenant) ?? new Set();
      const share: ScratchShare = {
        grow(bytes) {
          const [first] = shares;
          const reservation = first === share
            ? pool.count(holder, bytes)
            : pool.take(holder, bytes);
          if (!reservation) return false;
          taken.push(reservation);
          return true;
        },
        leave() {
          for (const { leave } of taken.splice(0)) leave();
          shares.delete(share);
          if (shares.size === 0 && open.get(tenant) === shares) open.delete(tenant);
        },
      };
      open.set(tenant, shares.add(share));
      return share;
    },
  };
}
