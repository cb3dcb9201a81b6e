/** A job that one batch runs: a native batch, or one whose input is a provider file. */
import type { JobEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { boundTo } from "../../reach/accounts.ts";
import { accountOf } from "../../reach/reach.ts";
import type { Batch, StoringProvider } from "../../providers/provider.ts";
import type { JobTools } from "../deps.ts";
import type { Run } from "../run.ts";
import { collectBatch } from "./collect.ts";

/**
 * Makes the run of a job with one batch.
 *
 * @param seen The batch, where the provider has just shown it in a list.
 */
export function createSingleRun(
  deps: JobTools,
  provider: StoringProvider,
  job: JobEntry,
  seen?: Batch,
): Run {
  let batch = seen;
  const batches = () => accountOf(provider, job.account).batches;
  const ask = async (signal: AbortSignal): Promise<Batch> => {
    try {
      return batch = await batches().get(job.batch, signal);
    } catch (error) {
      // Where one account of several has trouble, the message says which one.
      if (error instanceof Failure && error.kind === "not-found") throw error;
      throw boundTo(provider, job.account, error, {
        what: "The job",
        advice: "The batch goes on there; ask again when the account is well",
      });
    }
  };
  return {
    name: `batch ${job.batch}`,
    report: ask,
    stop: (signal) => batches().stop(job.batch, signal),
    async collect(report, doubt, signal) {
      // The report has less than the batch that it was made from.
      const whole = { ...batch ?? await ask(signal), ...report };
      return await collectBatch(deps, provider, job, whole, doubt);
    },
  };
}
