/** What forwarded jobs reserve of the limits of their access keys. */
import { createHash } from "node:crypto";
import { monthOf, noAmounts } from "../catalog/limits.ts";
import { type JobId, jobId } from "../codecs/ids.ts";
import type { JobTools } from "./deps.ts";
import { demandOfForwarded, type ForwardedInput } from "./forwarded_demand.ts";

/** A create that is about to be forwarded. */
export interface Forwarding extends ForwardedInput {
  readonly tenant: string;
  readonly accessKeyId: string;
  /** The request as it is sent, its token among it: a repeated create has the same. */
  readonly body: Uint8Array;
}

/** The id of a create, which is of the form of a job's. */
function idOf({ tenant, forward, accessKeyId, body }: Forwarding): JobId {
  const hash = createHash("sha256").update(JSON.stringify([tenant, forward.name, accessKeyId]));
  return jobId(BigInt(`0x${hash.update(body).digest("hex")}`).toString(36).slice(-12));
}

/** A reservation that nothing stands for after this time, in milliseconds, is a dead gateway's. */
const longestCreate = 3_600_000;

/** Reserves for forwarded jobs. */
export type ForwardedQuota = ReturnType<typeof createForwardedQuota>;

/** Makes what reserves for forwarded jobs. */
export function createForwardedQuota(deps: JobTools) {
  const { catalog: { quotas, usage }, clock } = deps;
  return {
    /**
     * Reserves a job, with the records and the cost of its input where that can be read; what it used
     * is known once it is over. Throws `denied` where there is no room, and `invalid` where the key
     * has a limit of cost and there is no price.
     *
     * @returns The reservation; undefined where the same create has reserved before.
     */
    async reserve(forwarding: Forwarding, signal: AbortSignal): Promise<JobId | undefined> {
      const { tenant, accessKeyId, limits, forward } = forwarding;
      const scope = { tenant, provider: forward.name };
      const id = idOf(forwarding);
      if (await quotas.limitsOf(scope, id)) return undefined;
      const demand = await demandOfForwarded(deps, forwarding, signal);
      const now = clock.earliest();
      const isNew = await quotas.reserve(scope, id, {
        accessKeyId,
        month: monthOf(now),
        amounts: { ...noAmounts, jobs: 1, ...demand },
        limits,
        forwardedAt: now,
      });
      return isNew ? id : undefined;
    },
    /** Gives back what came to nothing. */
    giveBack: (
      { tenant, provider }: { readonly tenant: string; readonly provider: string },
      id: JobId,
    ): Promise<void> => quotas.release({ tenant, provider }, id),
    /** Gives back what creates reserved whose gateway died. */
    async sweep(): Promise<void> {
      const known = new Set<string>();
      for await (const { entry } of usage.forwarded()) {
        if (entry.reservation !== undefined) known.add(entry.reservation);
      }
      await quotas.sweepForwarded(known, clock.due() - longestCreate);
    },
  };
}
