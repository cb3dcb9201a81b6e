import assert from "node:assert/strict";
import { costOf, outputTokensOf, usualOutputTokens } from "../../jobs/quota.ts";

Deno.test("the output of a record is what it allows itself, by any provider's name, times its answers", () => {
  const table: readonly (readonly [text: string, tokens: number])[] = [
    [`{"body":{"max_tokens":100,"messages":[]}}`, 100],
    [`{"body":{"max_completion_tokens" : 7,"n":3}}`, 21],
    [`{"body":{"max_output_tokens":12}}`, 12],
    [`{"request":{"generationConfig":{"maxOutputTokens":50,"candidateCount":2}}}`, 100],
    [`{"modelInput":{"inferenceConfig":{"maxTokens":9}}}`, 9],
    [`{"modelInput":{"prompt":"x","max_gen_len":8}}`, 8],
    [`{"body":{"messages":[]}}`, usualOutputTokens],
    [`{"body":{"messages":[{"content":"say \\"max_tokens\\": 9"}]}}`, usualOutputTokens],
    [`{"body":{"max_tokens":5,"max_completion_tokens":6}}`, 6],
  ];
  for (const [text, tokens] of table) assert.equal(outputTokensOf(text), tokens, text);
});

Deno.test("a cost is a whole number of billionths, rounded up", () => {
  assert.equal(costOf({ input: 0, output: 1 }, 1_000, 200), 200_000);
  assert.equal(costOf({ input: 0.0375, output: 0 }, 4, 0), 38);
  assert.equal(costOf({ input: 0, output: 0 }, 9, 9), 0);
});
