/** What forwarded jobs reserve of the limits of their access keys. */
import { createHash } from "node:crypto";
import { type Limits, monthOf, noAmounts } from "../catalog/limits.ts";
import { type JobId, jobId } from "../codecs/ids.ts";
import { priceOf } from "../accounts/prices.ts";
import type { JobTools } from "./deps.ts";
import { unpriced } from "./quota.ts";

/** A create that is about to be forwarded. */
export interface Forwarding {
  readonly tenant: string;
  readonly provider: string;
  readonly accessKeyId: string;
  readonly limits: Limits;
  readonly modelId: unknown;
  /** The request as it is sent, its token among it: a repeated create has the same. */
  readonly body: Uint8Array;
}

/** The id of a create, which is of the form of a job's. */
function idOf({ tenant, provider, accessKeyId, body }: Forwarding): JobId {
  const hash = createHash("sha256").update(JSON.stringify([tenant, provider, accessKeyId]));
  return jobId(BigInt(`0x${hash.update(body).digest("hex")}`).toString(36).slice(-12));
}

/** A reservation that nothing stands for after this time, in milliseconds, is a dead gateway's. */
const longestCreate = 3_600_000;

/** Reserves for forwarded jobs. */
export type ForwardedQuota = ReturnType<typeof createForwardedQuota>;

/** Makes what reserves for forwarded jobs. */
export function createForwardedQuota(
  { catalog: { quotas, usage }, clock, prices }: JobTools,
) {
  return {
    /**
     * Reserves a job, whose records and cost are known once it is over. Throws `denied` where there
     * is no room, and `invalid` where the key has a limit of cost and there is no price.
     *
     * @returns The reservation; undefined where the same create has reserved before.
     */
    async reserve(forwarding: Forwarding): Promise<JobId | undefined> {
      const { tenant, provider, accessKeyId, limits, modelId } = forwarding;
      const model = typeof modelId === "string" ? modelId : "unknown";
      if (limits.maxCost !== undefined && !priceOf(prices?.() ?? {}, [model])) {
        throw unpriced({ provider, names: [model] });
      }
      const now = clock.earliest();
      const id = idOf(forwarding);
      const isNew = await quotas.reserve({ tenant, provider }, id, {
        accessKeyId,
        month: monthOf(now),
        amounts: { ...noAmounts, jobs: 1 },
        limits,
        forwardedAt: now,
      });
      return isNew ? id : undefined;
    },
    /** Gives back what came to nothing. */
    giveBack: (
      { tenant, provider }: Pick<Forwarding, "tenant" | "provider">,
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
