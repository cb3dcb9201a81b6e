/** A job that one batch runs: a native batch, or one whose input is a provider file. */
import type { SingleJob } from "../../catalog/entries.ts";
import { inputOf, isNative } from "../../catalog/plans.ts";
import { Failure } from "../../codecs/failure.ts";
import { boundTo } from "../../reach/accounts.ts";
import { accountOf } from "../../reach/reach.ts";
import type { Batch, StoringProvider } from "../../providers/provider.ts";
import { isOtherModel, requestedModel } from "../requested_model.ts";
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
  job: SingleJob,
  seen?: Batch,
): Run {
  const { account, batch: id } = job.plan;
  let batch = seen;
  const batches = () => accountOf(provider, account).batches;
  const ask = async (signal: AbortSignal): Promise<Batch> => {
    try {
      return batch = await batches().get(id, signal);
    } catch (error) {
      // Where one account of several has trouble, the message says which one.
      if (error instanceof Failure && error.kind === "not-found") throw error;
      throw boundTo(provider, account, error, {
        what: "The job",
        advice: "The batch goes on there; ask again when the account is well",
      });
    }
  };
  return {
    name: `batch ${id}`,
    report: ask,
    stop: (signal) => batches().stop(id, signal),
    async release(signal) {
      const input = inputOf(job);
      if (input !== undefined && !isNative(job)) {
        await deps.objects.release(provider, input, signal);
      }
    },
    async collect(report, doubt, signal) {
      // The report has less than the batch that it was made from.
      const whole = { ...batch ?? await ask(signal), ...report };
      const modelId = requestedModel(deps, provider, job.modelId);
      if (job.plan.kind === "direct" && isOtherModel(modelId, whole.modelId)) {
        const { id } = job;
        const fields = { job: id, provider: provider.name, modelId, model: whole.modelId };
        deps.warn("A job ran on the model that its lines name, and not on its modelId", fields);
      }
      return await collectBatch(deps, provider, job, whole, doubt);
    },
  };
}
