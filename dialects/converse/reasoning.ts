/** Settings of reasoning, written into Converse's `additionalModelRequestFields`. */
import type { ChatRequest } from "../chat.ts";
import { claudeThinking } from "../claude/thinking.ts";
import type { RequestContext } from "../dialect.ts";
import { effortOfBudget } from "../efforts.ts";
import { object, quote } from "../raw.ts";
import type { Member } from "../raw.ts";
import type { ConverseForm } from "./write_blocks.ts";

/**
 * The members of `additionalModelRequestFields` that ask for reasoning; none in Nova's own form,
 * which has no such member.
 */
export function reasoningFields(
  request: ChatRequest,
  context: RequestContext,
  form: ConverseForm,
): readonly Member[] {
  const { reasoning } = request;
  if (!reasoning) return [];
  const { family, thinking } = context.model.facts;
  if (form === "nova" || thinking === "none" || thinking === "level") {
    if (reasoning.mode !== "off") {
      context.dropped(reasoning.at, "the model has no setting for reasoning");
    }
    return [];
  }
  if (family === "claude") return [["thinking", claudeThinking(request, context)]];
  const effort = reasoning.effort ?? effortOfBudget(reasoning.budget?.value);
  if (!reasoning.effort && reasoning.budget) {
    context.approximated(reasoning.budget.at, `an effort (${effort}) in place of a budget`);
  }
  if (family === "gpt") return [["reasoning", object(["effort", quote(effort)])]];
  if (family !== "nova") return [["reasoning_effort", quote(effort)]];
  const config = reasoning.mode === "off"
    ? '{"type":"disabled"}'
    : object(["type", '"enabled"'], ["maxReasoningEffort", quote(novaEffort(effort))]);
  return [["reasoningConfig", config]];
}

function novaEffort(effort: string): string {
  if (effort === "low" || effort === "minimal" || effort === "none") return "low";
  return effort === "medium" ? "medium" : "high";
}
