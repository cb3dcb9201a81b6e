/** Effort and budget of reasoning, where one API has the one and the next the other. */
import { efforts } from "./chat.ts";
import type { Effort, Reasoning } from "./chat.ts";
import type { ModelFacts } from "./families.ts";
import type { Raw } from "./json.ts";
import type { LossLog } from "./loss.ts";

/** Tokens for each effort; peers of this gateway differ by factors of two to four. */
const budgets: Readonly<Record<Exclude<Effort, "none">, number>> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16384,
  xhigh: 32768,
  max: 32768,
};

/** An effort by its name; undefined for one that is not known. */
export function effortOf(text: string | undefined): Effort | undefined {
  return efforts.find((effort) => effort === text);
}

/** The effort that comes nearest to a budget of tokens; medium where there is none. */
export function effortOfBudget(budget: number | undefined): Exclude<Effort, "none"> {
  if (budget === undefined) return "medium";
  if (budget <= 2048) return "low";
  if (budget <= 8192) return "medium";
  return budget <= 24576 ? "high" : "max";
}

/**
 * A budget of tokens that the model takes, below the limit of the answer: as it was asked for, else by
 * the effort. Undefined, and reported, where none fits below the limit.
 *
 * @param range The least and the most budget that the model takes.
 */
export function budgetOf(
  { budget, effort, at }: Reasoning,
  maxOut: number | undefined,
  [least, most]: ModelFacts["budgets"],
  log: LossLog,
): Raw | undefined {
  const wanted = budget?.value ??
    budgets[effort === undefined || effort === "none" ? "medium" : effort];
  const taken = Math.min(Math.max(wanted, least), most);
  const fits = maxOut === undefined || taken < maxOut;
  if (budget && fits && taken === wanted) return budget.raw;
  const below = Object.values(budgets)
    .filter((tokens) => tokens <= taken && (maxOut === undefined || tokens < maxOut));
  const tokens = fits ? taken : below.at(-1);
  if (tokens === undefined || tokens < least) {
    log.dropped(at, "no budget for reasoning fits below the limit of the answer");
    return undefined;
  }
  log.approximated(budget && fits ? budget.at : at, `a budget of ${tokens} tokens`);
  return String(tokens);
}
