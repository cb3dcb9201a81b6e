import assert from "node:assert/strict";
import { costOf, priceOf } from "../../accounts/prices.ts";
import { parseConfig } from "../../config/config.ts";
import { ConfigurationError } from "../../config/config.ts";

const of = (input: number) => ({ input, output: 0 });
const table = {
  "*": of(1),
  "gpt-*": of(2),
  "gpt-4o-*": of(3),
  "gpt-4o-mini": of(4),
  "anthropic.claude-3-haiku-20240307-v1:0": of(5),
};

Deno.test("the exact name of a model wins, then the longest pattern, also within an ARN", () => {
  const price = (...models: string[]) => priceOf(table, models)?.input;
  assert.equal(price("gpt-4o-mini"), 4);
  assert.equal(price("gpt-4o-mini-2024-07-18"), 3);
  assert.equal(price("gpt-5"), 2);
  assert.equal(price("else"), 1);
  const haiku = "anthropic.claude-3-haiku-20240307-v1:0";
  const without = { [haiku]: of(5), "gpt-4o-mini": of(4) };
  assert.equal(priceOf(without, [`us.${haiku}`])?.input, 5);
  assert.equal(
    priceOf(without, [`arn:aws:bedrock:us-east-1::foundation-model/${haiku}`])?.input,
    5,
  );
  assert.equal(priceOf(without, ["unknown", "gpt-4o-mini"])?.input, 4);
  assert.equal(priceOf(without, ["constructor"]), undefined);
});

Deno.test("cached tokens have their own price, or that of the others", () => {
  const tokens = { inputTokens: 1_000_000, cachedInputTokens: 400_000, outputTokens: 500_000 };
  assert.equal(costOf(tokens, { input: 10, output: 20 }), 20);
  assert.equal(costOf(tokens, { input: 10, output: 20, cachedInput: 1 }), 16.4);
  assert.equal(costOf(tokens, undefined), undefined);
});

Deno.test("wrong prices are refused with their places, and the right ones stay right", async () => {
  const prices = {
    "good": { input: 1, output: 2 },
    "a*b": { input: 1, output: 2 },
    "below": { input: -1, output: 2 },
    "misspelt": { input: 1, output: 2, cachedinput: 1 },
    "half": { input: 1 },
  };
  const wrong = await parseConfig({}, JSON.stringify({ prices }), "batchway.jsonc").then(
    () => [],
    (error) => error instanceof ConfigurationError ? error.errors : [],
  );
  assert.deepEqual(
    wrong.map(({ place }) => place).toSorted(),
    ["prices.a*b", "prices.below.input", "prices.half.output", "prices.misspelt.cachedinput"],
  );
  assert.match(wrong.find(({ place }) => place.includes("misspelt"))?.message ?? "", /cachedInput/);
});
