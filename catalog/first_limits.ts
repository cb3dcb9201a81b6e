/** What an access key has used of a month by the time at which it gets limits. */
import type { JobId } from "../codecs/ids.ts";
import { keys, type Scope } from "./keys.ts";
import { change } from "./kv.ts";
import { type Amounts, noAmounts, type Usage } from "./limits.ts";

/** The part of the catalog for first limits. */
export type FirstLimitCatalog = ReturnType<typeof createFirstLimitCatalog>;

/** Makes the part of the catalog for first limits. */
export function createFirstLimitCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return {
    /** Whether a job has reserved of its key's limits. */
    async hasReserved(scope: Scope, id: JobId): Promise<boolean> {
      return (await kv.get(keys.reservation(scope, id))).versionstamp !== null;
    },
    /** Raises what a key has used in a month to what is known of it. */
    raise(accessKeyId: string, month: string, known: Amounts): Promise<void> {
      return change(sleep, async () => {
        const sums = await kv.get<Usage>(keys.quota(accessKeyId, month));
        const { used, reserved } = sums.value ?? { used: noAmounts, reserved: noAmounts };
        const most = (name: keyof Amounts) => Math.max(used[name], known[name]);
        const raised: Amounts = {
          jobs: most("jobs"),
          records: most("records"),
          bytes: most("bytes"),
          cost: most("cost"),
        };
        const step = kv.atomic().check(sums).set(sums.key, { used: raised, reserved });
        return (await step.commit()).ok ? { done: undefined } : "again";
      });
    },
  };
}
