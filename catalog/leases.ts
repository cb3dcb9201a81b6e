/**
 * Who does what among the gateways of a catalog: leases of work that one gateway does at a time, and
 * claims to ask a provider, so that all together seldom ask.
 */
import type { JobId } from "../codecs/ids.ts";
import { keys, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import type { LeaseEntry } from "./entries.ts";
import type { Lease } from "../runtime/lease.ts";

/** The leases' part of the catalog. */
export type LeaseCatalog = ReturnType<typeof createLeaseCatalog>;

/** Makes the leases' part of the catalog. */
export function createLeaseCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { of, claimAsking };

  /** The lease of a work of this name. */
  function of(name: string): Lease {
    return leaseAt(kv, sleep, keys.lease(name));
  }

  /**
   * Claims to ask the provider for a job now. The cost is one small write for each time that the
   * provider is asked; a caller in between only reads.
   *
   * @returns When it was last asked, where that was after `since`, or now where the job is over by
   * now; undefined where the claim holds.
   */
  async function claimAsking(
    scope: Scope,
    id: JobId,
    now: number,
    since: number,
  ): Promise<number | undefined> {
    return await change(sleep, async (): Promise<Attempt<number | undefined>> => {
      const [old, running] = await kv.getMany<[number, true]>([
        keys.asked(scope, id),
        keys.runningJob(scope, id),
      ]);
      if (running.value === null) return { done: now };
      // A time to come is that of a faster gateway, or of a clock a little ahead of ours; one
      // far ahead was wrong, and must not keep all from asking until it has come.
      const latest = now + (now - since);
      if (old.value !== null && old.value > since && old.value < latest) return { done: old.value };
      const step = kv.atomic().check(old, running).set(old.key, now);
      // Another gateway was faster, and asks or has asked.
      return { done: (await step.commit()).ok ? undefined : now };
    });
  }
}

/**
 * Makes a lease that an entry of the catalog holds. The entry goes when the lease is given back, but
 * where it says when the work was done.
 *
 * @param subject Key of what is worked on: without it there is nothing to have a lease of.
 */
export function leaseAt(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
  key: Deno.KvKey,
  subject?: Deno.KvKey,
): Lease {
  /** Tries to write the entry; false where `next` returns undefined, or the subject is gone. */
  function write(
    next: (old: LeaseEntry | undefined) => LeaseEntry | undefined,
  ): Promise<boolean> {
    return change(sleep, async (): Promise<Attempt<boolean>> => {
      const [old, guard] = await kv.getMany<[LeaseEntry, unknown]>([key, subject ?? key]);
      if (subject && guard.versionstamp === null) return { done: false };
      const lease = next(old.value ?? undefined);
      if (!lease) return { done: false };
      const step = kv.atomic().check(old).set(key, lease);
      if (subject) step.check(guard);
      // Read again after a refusal: over KV Connect a step may be applied and still answer "not ok".
      return (await step.commit()).ok ? { done: true } : "again";
    });
  }

  return {
    take: ({ owner, now, until, doneSince = Infinity }) =>
      write((old) => {
        if (isOthers(old, owner, now)) return undefined;
        const doneAt = old?.doneAt;
        // One far ahead was written by a wrong clock, and must not keep all from the work.
        const latest = now + (now - doneSince);
        if (doneAt !== undefined && doneAt >= doneSince && doneAt <= latest) return undefined;
        return { owner, until, ...(doneAt !== undefined && { doneAt }) };
      }),
    prolong: (owner, until) =>
      write((old) => old && old.owner !== owner ? undefined : { ...old, owner, until }),
    release: (owner, done) =>
      change(sleep, async () => {
        const old = await kv.get<LeaseEntry>(key);
        if (old.value?.owner !== owner) return { done: undefined };
        const doneAt = done ?? old.value.doneAt;
        const step = kv.atomic().check(old);
        if (doneAt === undefined) step.delete(key);
        else step.set(key, { owner, until: 0, doneAt });
        return (await step.commit()).ok ? { done: undefined } : "again";
      }),
  };
}

/** Returns whether another process has a lease. */
export function isOthers(
  lease: LeaseEntry | null | undefined,
  owner: string,
  now: number,
): boolean {
  return isHeld(lease, now) && lease?.owner !== owner;
}

/** Returns whether any process has a lease. */
export function isHeld(lease: LeaseEntry | null | undefined, now: number): boolean {
  return lease !== null && lease !== undefined && lease.until > now;
}
