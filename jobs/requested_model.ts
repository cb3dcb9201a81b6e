/** The model that a batch of lines in the provider's own dialect is asked for with. */
import type { JobEntry } from "../catalog/entries.ts";
import { findModel } from "../dialects/models.ts";
import type { Batch, StoringProvider } from "../providers/provider.ts";
import type { JobTools } from "./deps.ts";

/**
 * Returns the model that the configuration puts in the place of a job's, or the job's own: what the
 * provider does not run, it refuses itself.
 */
export function requestedModel(
  { models }: Pick<JobTools, "models">,
  { name: provider, target }: Pick<StoringProvider, "name" | "target">,
  modelId: string,
): string {
  if (!target) return modelId;
  const found = findModel({ modelId, provider, kind: target.kind }, models);
  return "model" in found ? found.model.id : modelId;
}

/** The model that a job is to run with at its own provider. */
export function ownModel(
  deps: Pick<JobTools, "models" | "providers">,
  provider: string,
  { plan, modelId }: Pick<JobEntry, "plan" | "modelId">,
): string {
  if (plan.kind === "sharded") return plan.target.modelId;
  if (plan.kind === "native") return bare(modelId);
  const stores = deps.providers.get(provider)?.stores;
  return stores ? requestedModel(deps, stores, modelId) : modelId;
}

/**
 * The model that ran a job of one batch: the one that was asked for, unless its provider reports
 * another one than a snapshot of it.
 */
export function ranModel(
  deps: Pick<JobTools, "models" | "providers">,
  provider: string,
  job: Pick<JobEntry, "plan" | "modelId">,
  { modelId: reported }: Pick<Batch, "modelId">,
): string {
  const own = ownModel(deps, provider, job);
  return reported !== undefined && isOtherModel(own, reported) ? bare(reported) : own;
}

/** The date, or the number, of a snapshot. */
const snapshot = /-(?:\d{4}-\d\d-\d\d|\d{3,8})$/;
/** What stands in its place in a name that moves from one snapshot to the next. */
const moving = /-(?:latest|0)$/;

/**
 * Returns whether a batch ran on another model than its job names. A provider may name the snapshot
 * that `gpt-4o-mini` stands for, and Gemini's collection is not part of the name.
 */
export function isOtherModel(named: string, ran: string | undefined): boolean {
  return ran !== undefined && bare(ran) !== bare(named) &&
    bare(ran).replace(snapshot, "") !== bare(named).replace(moving, "");
}

function bare(name: string): string {
  return name.replace(/^models\//, "");
}
