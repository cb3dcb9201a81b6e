/** The model that a batch of lines in the provider's own dialect is asked for with. */
import { findModel } from "../dialects/models.ts";
import type { StoringProvider } from "../providers/provider.ts";
import type { JobTools } from "./deps.ts";

/**
 * Returns the model that the configuration puts in the place of a job's, or the job's own: what the
 * provider does not run, it refuses itself.
 */
export function askedModel(
  { models }: Pick<JobTools, "models">,
  { name: provider, target }: Pick<StoringProvider, "name" | "target">,
  modelId: string,
): string {
  if (!target) return modelId;
  const found = findModel({ modelId, provider, kind: target.kind }, models);
  return "model" in found ? found.model.id : modelId;
}
