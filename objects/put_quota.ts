/** Bytes of puts against the limits of access keys: reserved before a body is read, and then counted. */
import { monthOf } from "../catalog/limits.ts";
import type { PutReservation, QuotaCatalog } from "../catalog/quotas.ts";
import { Failure } from "../codecs/failure.ts";
import { randomId } from "../codecs/ids.ts";
import type { Reach } from "../reach/reach.ts";
import type { Registered } from "./registered.ts";

/** Dependencies of counting. */
export interface PutQuotaDeps {
  readonly quotas: QuotaCatalog;
  readonly registered: Registered;
  /** The id of this gateway process. */
  readonly instance: string;
  readonly randomBytes: (bytes: Uint8Array) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly postponed: (what: string, error: unknown) => void;
}

/** Who puts, with its limits. */
export type Putter = Pick<Reach, "accessKeyId" | "limits">;

/** Counts the bytes of puts. */
export type PutQuota = ReturnType<typeof createPutQuota>;

/** Makes what counts the bytes of puts. */
export function createPutQuota(deps: PutQuotaDeps) {
  const { quotas, registered, instance, randomBytes, now, postponed } = deps;
  return { reserve, counted };

  /**
   * Reserves the bytes of a put; undefined where its access key has no limit of them. Throws `denied`
   * where it has no room.
   */
  async function reserve(
    { accessKeyId, limits }: Putter,
    bytes: number,
  ): Promise<PutReservation | undefined> {
    if (accessKeyId === undefined || limits?.maxBytes === undefined) return undefined;
    // What is reserved is freed by the end of the registration, where this process dies.
    await registered.current();
    const id = randomId(16, randomBytes);
    const put = { accessKeyId, instance, id, month: monthOf(now()), bytes };
    await quotas.reservePut(put, limits);
    return put;
  }

  /**
   * Does a put with its bytes reserved. The work records them in its own step with what it gets, or
   * throws; what was reserved then comes back.
   */
  async function counted<Result>(
    putter: Putter,
    bytes: number,
    work: (put: PutReservation | undefined) => Promise<Result>,
  ): Promise<Result> {
    const put = await reserve(putter, bytes);
    try {
      return await work(put);
    } catch (error) {
      if (put) await giveBack(put, error);
      throw error;
    }
  }

  async function giveBack(put: PutReservation, error: unknown): Promise<void> {
    const settled = error instanceof Failure ? error.details.settled : undefined;
    const release = () =>
      quotas.releasePut(put).catch((failed: unknown) =>
        postponed("the bytes that a failed put reserved", failed)
      );
    // The record may come yet: then it counts them itself.
    if (settled) void settled.then(release, release);
    else await release();
  }
}
