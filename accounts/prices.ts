/** Prices of models. Pure. */
import type { Price, TokenCounts } from "../catalog/usage_entries.ts";
import { namesOfModel } from "../dialects/models.ts";

/** The table `prices` of the configuration: model, or its beginning and `*`. */
export type PriceTable = Readonly<Record<string, Price>>;

/** The price of the first of these models that the table has one for; undefined where it has none. */
export function priceOf(table: PriceTable, models: readonly string[]): Price | undefined {
  for (const name of models.flatMap(namesOfModel)) {
    const found = entryOf(table, name);
    if (found) return found;
  }
  return undefined;
}

/** The entry of exactly this name, else of the longest pattern that fits. */
function entryOf(table: PriceTable, name: string): Price | undefined {
  if (Object.hasOwn(table, name)) return table[name];
  const [pattern] = Object.keys(table)
    .filter((key) => key.endsWith("*") && name.startsWith(key.slice(0, -1)))
    .sort((one, other) => other.length - one.length);
  return pattern === undefined ? undefined : table[pattern];
}

/** Returns what tokens cost, in USD; undefined where their price is not known. */
export function costOf(
  { inputTokens, cachedInputTokens, outputTokens }: TokenCounts,
  price: Price | undefined,
): number | undefined {
  if (!price) return undefined;
  const { input, output, cachedInput = input } = price;
  const fresh = Math.max(0, inputTokens - cachedInputTokens);
  return (fresh * input + cachedInputTokens * cachedInput + outputTokens * output) / 1_000_000;
}
