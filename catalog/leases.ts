/**
 * Who does what among the gateways of a catalog: leases of work that only one should be at, and
 * claims to ask a provider that all should ask seldom.
 */
import type { JobId } from "../codecs/ids.ts";
import { keys, type Scope } from "./keys.ts";
import { type Attempt, change } from "./kv.ts";
import type { LeaseEntry } from "./entries.ts";

/** Who wants a lease, and for how long. Times are milliseconds since 1970. */
export interface LeaseRequest {
  readonly owner: string;
  readonly now: number;
  readonly until: number;
  /** Refused where the work was done at this time or later. */
  readonly doneSince?: number;
}

/** The leases' part of the catalog. */
export type LeaseCatalog = ReturnType<typeof createLeaseCatalog>;

/** Makes the leases' part of the catalog. */
export function createLeaseCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { take, prolong, release, claimAsking };

  /** Takes a lease that is free, or whose holder died; false where another gateway is at the work. */
  function take(name: string, request: LeaseRequest): Promise<boolean> {
    const { owner, now, until, doneSince = Infinity } = request;
    return change(sleep, async (): Promise<Attempt<boolean>> => {
      const old = await kv.get<LeaseEntry>(keys.lease(name));
      if (old.value) {
        const { owner: holder, until: end, doneAt } = old.value;
        if (holder !== owner && end > now) return { done: false };
        // One far ahead was written by a wrong clock, and must not keep all from the work.
        const latest = now + (now - doneSince);
        if (doneAt !== undefined && doneAt >= doneSince && doneAt <= latest) return { done: false };
      }
      const lease: LeaseEntry = {
        owner,
        until,
        ...(old.value?.doneAt !== undefined && { doneAt: old.value.doneAt }),
      };
      // Read again after a refusal: over KV Connect a step may be applied and still answer "not ok".
      return (await kv.atomic().check(old).set(old.key, lease).commit()).ok
        ? { done: true }
        : "again";
    });
  }

  /** Prolongs a lease; false where it is another's by now. */
  function prolong(name: string, owner: string, until: number): Promise<boolean> {
    return change(sleep, async (): Promise<Attempt<boolean>> => {
      const old = await kv.get<LeaseEntry>(keys.lease(name));
      if (old.value?.owner !== owner) return { done: false };
      const step = kv.atomic().check(old).set(old.key, { ...old.value, until });
      return (await step.commit()).ok ? { done: true } : "again";
    });
  }

  /** Gives a lease back; `doneAt` says when the work was done, if it was. */
  function release(name: string, owner: string, doneAt: number | undefined): Promise<void> {
    return change(sleep, async () => {
      const old = await kv.get<LeaseEntry>(keys.lease(name));
      if (old.value?.owner !== owner) return { done: undefined };
      const done = doneAt ?? old.value.doneAt;
      const lease: LeaseEntry = { owner, until: 0, ...(done !== undefined && { doneAt: done }) };
      const step = kv.atomic().check(old).set(old.key, lease);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
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
