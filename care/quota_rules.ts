/** That what access keys have reserved is for jobs that run. */
import { keys } from "../catalog/keys.ts";
import { noAmounts } from "../catalog/limits.ts";
import { ended, type QuotaEntry, type ReservationEntry } from "../catalog/quotas.ts";
import type { JobEntry } from "../catalog/entries.ts";
import type { JobId } from "../codecs/ids.ts";
import { isTerminal } from "../codecs/job_status.ts";
import type { Rule } from "./rules.ts";

/** The rules of what jobs and puts have reserved of limits. */
export const quotaRules: readonly Rule[] = [
  {
    prefix: ["reservation"],
    related({ key: [, tenant, provider, id], value }) {
      const scope = { tenant: String(tenant), provider: String(provider) };
      const { accessKeyId, month } = value as ReservationEntry;
      return [
        keys.job(scope, id as JobId),
        keys.journalEntry(scope, id as JobId),
        keys.quota(accessKeyId, month),
      ];
    },
    judge({ key, value }, [found, entry, sums]) {
      const job = found as JobEntry | null;
      if ((value as ReservationEntry).forwardedAt !== undefined) return undefined;
      if (entry || (job && !isTerminal(job.status))) return undefined;
      const { accessKeyId, month, amounts } = value as ReservationEntry;
      return {
        kind: "stray-reservation",
        what: `a reservation of ${accessKeyId} in ${month} for job ${String(key[3])}`,
        mend(step) {
          step.delete(key);
          if (!sums) return;
          const next = ended(sums as QuotaEntry, amounts, noAmounts);
          step.set(keys.quota(accessKeyId, month), next);
        },
      };
    },
  },
];
