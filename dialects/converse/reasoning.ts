/** Settings of reasoning, written into Converse's `additionalModelRequestFields`. */
import type { ChatRequest } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { budgetOf, effortOfBudget } from "../efforts.ts";
import { object, quote } from "../raw.ts";
import type { Member } from "../raw.ts";

/** The members of `additionalModelRequestFields` that ask for reasoning. */
export function reasoningFields(
  { reasoning, maxOut }: ChatRequest,
  context: RequestContext,
): readonly Member[] {
  if (!reasoning) return [];
  const { family, thinking, thinkingOff } = context.model.facts;
  if (thinking === "none" || thinking === "level") {
    if (reasoning.mode !== "off") {
      context.dropped(reasoning.at, "the model has no setting for reasoning");
    }
    return [];
  }
  if (family !== "claude") {
    const effort = reasoning.effort ?? effortOfBudget(reasoning.budget?.value);
    if (!reasoning.effort && reasoning.budget) {
      context.approximated(reasoning.budget.at, `an effort (${effort}) in place of a budget`);
    }
    if (family !== "nova") return [["reasoning_effort", quote(effort)]];
    const config = reasoning.mode === "off"
      ? '{"type":"disabled"}'
      : object(["type", '"enabled"'], ["maxReasoningEffort", quote(novaEffort(effort))]);
    return [["reasoningConfig", config]];
  }
  if (reasoning.mode === "off") {
    if (!thinkingOff) context.dropped(reasoning.at, "the model always reasons");
    return thinkingOff ? [["thinking", '{"type":"disabled"}']] : [];
  }
  // An effort of these models is written into outputConfig.
  if (thinking === "effort") {
    if (reasoning.budget) {
      context.approximated(
        reasoning.budget.at,
        "adaptive in place of a budget, as the model wants",
      );
    }
    return [["thinking", '{"type":"adaptive"}']];
  }
  const budget = budgetOf(reasoning, maxOut?.value, context);
  if (budget === undefined) return [];
  return [["thinking", object(["type", '"enabled"'], ["budget_tokens", budget])]];
}

function novaEffort(effort: string): string {
  if (effort === "low" || effort === "minimal" || effort === "none") return "low";
  return effort === "medium" ? "medium" : "high";
}
