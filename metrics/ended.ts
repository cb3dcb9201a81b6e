/** What jobs came to that this process ended: each is counted once, by the process that ended it. */
import type { Scope } from "../catalog/keys.ts";
import type { UsageEntry } from "../catalog/usage_entries.ts";
import { isTerminal, type JobStatus, jobStatuses } from "../codecs/job_status.ts";
import { labels, type Registry } from "./registry.ts";
import type { TenantLabel } from "./tenants.ts";

/** A job that is over. */
export interface CountedJob {
  readonly scope: Scope;
  readonly status: JobStatus;
  readonly usage: UsageEntry;
  /** It was over, and counted, before; only its results are new. */
  readonly isLate: boolean;
}

/** Counts of jobs that this process ended. */
export interface EndedCounts {
  /** Takes a job. */
  readonly count: (job: CountedJob) => void;
  /**
   * Shows what may be counted of a provider's jobs as 0: Prometheus sees no increase where a series
   * begins with what it counted first.
   */
  begin(provider: string): void;
}

/** Adds the families. */
export function countEnded(
  registry: Registry,
  tenant: TenantLabel,
  tenants: readonly string[],
): EndedCounts {
  const jobs = registry.counter(
    "batchway_jobs_ended_total",
    "Jobs that ended, by their provider and status.",
  );
  const records = registry.counter(
    "batchway_records_total",
    "Records of jobs that ended, by where their result is from: succeeded or failed.",
  );
  const tokens = registry.counter(
    "batchway_tokens_total",
    "Tokens of jobs that ended: input without cached ones, cached_input, and output with thinking.",
  );
  const cost = registry.counter(
    "batchway_cost_usd_total",
    "Cost of jobs that ended, as far as prices are configured.",
  );
  const count = ({ scope, status, usage, isLate }: CountedJob) => {
    if (!isLate) jobs.add(labels({ provider: scope.provider, status }));
    for (const run of usage.runs) {
      const place = { provider: run.provider, ...tenant(scope.tenant) };
      const { inputTokens, cachedInputTokens, outputTokens, price } = run;
      const kinds = {
        input: inputTokens - cachedInputTokens,
        cached_input: cachedInputTokens,
        output: outputTokens,
      };
      for (const [kind, count] of Object.entries(kinds)) {
        tokens.add(labels({ provider: place.provider, kind, ...tenant(scope.tenant) }), count);
      }
      if (price) {
        const { input, output, cachedInput = input } = price;
        const sum = kinds.input * input + kinds.cached_input * cachedInput + kinds.output * output;
        cost.add(labels(place), sum / 1e6);
      }
      if (isLate) continue;
      for (
        const [outcome, count] of [["succeeded", run.succeeded], ["failed", run.failed]] as const
      ) {
        records.add(
          labels({ provider: place.provider, outcome, ...tenant(scope.tenant) }),
          count,
        );
      }
    }
  };
  return {
    count,
    begin(provider) {
      for (const status of jobStatuses.filter(isTerminal)) {
        jobs.add(labels({ provider, status }), 0);
      }
      for (const name of [null, ...tenants]) {
        for (const kind of ["input", "cached_input", "output"]) {
          tokens.add(labels({ provider, kind, ...tenant(name) }), 0);
        }
        for (const outcome of ["succeeded", "failed"]) {
          records.add(labels({ provider, outcome, ...tenant(name) }), 0);
        }
      }
    },
  };
}
