/** Where a record of a sharded job ran. Pure. */
import type { RanAt } from "../../accounts/tally.ts";
import type { ShardedPlan } from "../../catalog/plan.ts";
import type { Json } from "../../dialects/json.ts";
import { mayMixModels } from "../../dialects/names.ts";
import { isOtherModel } from "../requested_model.ts";

/** A longer name is not a model's. */
const longestName = 256;

/**
 * Returns where an answer is from. The lines of a job may be sent as they are, and those of one batch
 * may name several models; the answers say which one ran.
 *
 * @param body The answer, as the provider wrote it.
 */
export function ranAt(
  { from, to, target }: Pick<ShardedPlan, "from" | "to" | "target">,
  body: Json,
): RanAt {
  const named = from === to && mayMixModels(to) ? body.get("model")?.text : undefined;
  const isOther = named !== undefined && named.length <= longestName &&
    isOtherModel(target.modelId, named);
  return isOther ? { ...target, modelId: named } : target;
}
