/**
 * Room in the store of kept objects, shared fairly between tenants where the configuration bounds it.
 * What each tenant has is counted again from the catalog now and then, so that no sum drifts; what was
 * put since is added to it.
 */
import type { CopyCatalog } from "../catalog/copies.ts";
import { Failure } from "../codecs/failure.ts";
import { bounds } from "../runtime/bounds.ts";
import { createPool, type Holder, type Reservation } from "../runtime/pool.ts";

/** Dependencies of sharing. */
export interface StoreRoomDeps {
  /** Bytes of all kept objects together; without a bound where absent. */
  readonly most: number | undefined;
  readonly copies: Pick<CopyCatalog, "keptBytes">;
  /** Milliseconds of a clock that is never set. */
  readonly uptime: () => number;
}

/** Room that a put has taken. */
export interface TakenRoom {
  /** The bytes are in the store. */
  keep(): void;
  /** They are not. */
  leave(): void;
}

/** Shares the room. */
export type StoreRoom = ReturnType<typeof createStoreRoom>;

/** How often the catalog is counted, in milliseconds. */
const pause = 600_000;

/** Makes what shares the room. */
export function createStoreRoom({ most, copies, uptime }: StoreRoomDeps) {
  if (most === undefined) return unbounded;
  const own = Math.floor(most / bounds.ownShare);
  const pool = createPool({ shared: most - 2 * own, own, most });
  let counted: Reservation[] = [];
  /** Puts that a count which begins now would see. */
  let recent: { readonly reservation: Reservation; readonly at: number }[] = [];
  let countedAt = -Infinity;
  return { take, measure };

  /** Takes room for a put. Throws `throttled`, SlowDown, where its tenant has none. */
  function take(tenant: string, bytes: number): TakenRoom | undefined {
    const reservation = pool.take(holderOf(tenant), bytes);
    if (!reservation) throw full(bytes, pool.taken());
    return {
      keep: () => void recent.push({ reservation, at: uptime() }),
      leave: reservation.leave,
    };
  }

  /** Counts what the catalog knows, unless that was done a moment ago. */
  async function measure(signal: AbortSignal): Promise<void> {
    const startedAt = uptime();
    if (startedAt - countedAt < pause) return;
    const found = await copies.keptBytes(signal);
    if (signal.aborted) return;
    for (const { leave } of counted) leave();
    counted = [...found].map(([tenant, bytes]) => pool.count(holderOf(tenant), bytes));
    for (const { reservation, at } of recent) if (at < startedAt) reservation.leave();
    recent = recent.filter(({ at }) => at >= startedAt);
    countedAt = startedAt;
  }
}

const unbounded = {
  take: (_tenant: string, _bytes: number): TakenRoom | undefined => undefined,
  measure: (_signal: AbortSignal): Promise<void> => Promise.resolve(),
};

/** Each tenant has a share of its own, whichever provider it puts for. */
function holderOf(tenant: string): Holder {
  return { tenant, account: tenant };
}

function full(bytes: number, taken: number): Failure {
  return new Failure(
    "throttled",
    `Kept objects take ${taken} bytes of the gateway's store, and the tenant's share has no room ` +
      `for ${bytes} more. Delete objects that are not needed, or let the operator raise ` +
      "limits.storeBytes",
    { s3: "SlowDown", retryAfterSeconds: 60 },
  );
}
