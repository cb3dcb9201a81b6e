/** How Claude is asked to think. */
import type { ChatRequest, Effort } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import { budgetOf, effortOfBudget } from "../efforts.ts";
import type { Raw } from "../json.ts";
import { object, quote } from "../raw.ts";

/** The member `thinking`: with a budget, adaptive, or off. */
export function claudeThinking(request: ChatRequest, context: RequestContext): Raw | undefined {
  const { reasoning, maxOut } = request;
  if (!reasoning) return undefined;
  const { thinking, thinkingOff, budgets } = context.model.facts;
  if (thinking === "none" || thinking === "level") {
    if (reasoning.mode !== "off") {
      context.dropped(reasoning.at, "the model has no setting for reasoning");
    }
    return undefined;
  }
  if (reasoning.mode === "off") {
    if (!thinkingOff) context.dropped(reasoning.at, "the model always reasons");
    return thinkingOff ? '{"type":"disabled"}' : undefined;
  }
  if (callsWithoutThinking(request)) {
    context.dropped(reasoning.at, "the last call of a tool stands without its thinking");
    return undefined;
  }
  if (thinking === "effort") return '{"type":"adaptive"}';
  const budget = budgetOf(reasoning, maxOut?.value, budgets, context);
  if (budget === undefined) return undefined;
  return object(["type", '"enabled"'], ["budget_tokens", budget]);
}

/** Returns whether a member `thinking` asks for thinking. */
export function isThinking(thinking: Raw | undefined): boolean {
  return thinking !== undefined && !thinking.includes('"disabled"');
}

/** Claude refuses thinking where the last message of the assistant has calls without it. */
function callsWithoutThinking({ turns }: ChatRequest): boolean {
  const last = turns.findLast(({ role }) => role === "assistant");
  if (!last?.parts.some(({ kind }) => kind === "call")) return false;
  return !last.parts.some((part) =>
    part.kind === "redacted" || part.kind === "thinking" && part.signature?.owner === "claude"
  );
}

/** The member `output_config.effort`. */
export function claudeEffort(
  { reasoning }: ChatRequest,
  context: RequestContext,
): Raw | undefined {
  if (!reasoning || reasoning.mode === "off" || context.model.facts.thinking !== "effort") {
    return undefined;
  }
  if (reasoning.effort) return quote(claudeName(reasoning.effort));
  if (!reasoning.budget) return undefined;
  const effort = effortOfBudget(reasoning.budget.value);
  const reason = `adaptive with an effort (${effort}) in place of a budget`;
  context.approximated(reasoning.budget.at, reason);
  return quote(effort);
}

function claudeName(effort: Effort): string {
  return effort === "minimal" || effort === "none" ? "low" : effort;
}
