/** What forwarded jobs reserve of the limits of their access keys. */
import { createHash } from "node:crypto";
import { monthOf, noAmounts } from "../catalog/limits.ts";
import { type JobId, jobId } from "../codecs/ids.ts";
import { newJobId } from "../codecs/job_id.ts";
import type { JobTools } from "./deps.ts";
import { demandOfForwarded, type ForwardedInput } from "./forwarded_demand.ts";

/** A create that is about to be forwarded. */
export interface Forwarding extends ForwardedInput {
  readonly tenant: string;
  readonly accessKeyId: string;
  /** AWS knows a token only in the region that it came to. */
  readonly region: string | undefined;
  /** Its `clientRequestToken`, by which AWS knows that it is repeated; absent: each is a new job. */
  readonly token: unknown;
  /** The request as it is sent: a repeated create has the same. */
  readonly body: Uint8Array;
}

/** The id of a create that may be repeated, which is of the form of a job's. */
function idOf({ tenant, forward, accessKeyId, region, body }: Forwarding): JobId {
  const facts = [tenant, forward.name, accessKeyId, region ?? null];
  const hash = createHash("sha256").update(JSON.stringify(facts));
  return jobId(BigInt(`0x${hash.update(body).digest("hex")}`).toString(36).slice(-12));
}

/** What a create holds of its access key's limits. */
export interface ForwardedReservation {
  readonly id: JobId;
  /** Whether this create made it; else the same create came before, to a gateway that died perhaps. */
  readonly isNew: boolean;
}

/** A reservation that nothing stands for after this time, in milliseconds, is a dead gateway's. */
const longestCreate = 3_600_000;

/** Reserves for forwarded jobs. */
export type ForwardedQuota = ReturnType<typeof createForwardedQuota>;

/** Dependencies of reserving. */
export type ForwardedQuotaDeps =
  & Pick<JobTools, "clock" | "random" | "openBucket" | "prices">
  & { readonly catalog: Pick<JobTools["catalog"], "quotas" | "usage"> };

/** Makes what reserves for forwarded jobs. */
export function createForwardedQuota(deps: ForwardedQuotaDeps) {
  const { catalog: { quotas, usage }, clock, random } = deps;
  return {
    /**
     * Reserves a job, with the records and the cost of its input where that can be read; what it used
     * is known once it is over. Throws `denied` where there is no room, and `invalid` where the key
     * has a limit of cost and there is no price.
     *
     * @returns The reservation: of a create that is repeated, the one of before.
     */
    async reserve(forwarding: Forwarding, signal: AbortSignal): Promise<ForwardedReservation> {
      const { tenant, accessKeyId, limits, forward, token } = forwarding;
      const scope = { tenant, provider: forward.name };
      const isRepeatable = typeof token === "string" && token !== "";
      const id = isRepeatable ? idOf(forwarding) : newJobId(clock.earliest(), random);
      if (await quotas.limitsOf(scope, id)) return { id, isNew: false };
      const demand = await demandOfForwarded(deps, forwarding, signal);
      const now = clock.earliest();
      const isNew = await quotas.reserve(scope, id, {
        accessKeyId,
        month: monthOf(now),
        amounts: { ...noAmounts, jobs: 1, ...demand },
        limits,
        forwardedAt: now,
      });
      return { id, isNew };
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
