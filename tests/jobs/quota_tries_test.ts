/** Costs of jobs whose records may run more than once. */
import assert from "node:assert/strict";
import { signing, withKeys } from "../keys.ts";
import { converse } from "./sharded/client.ts";
import { createClient, until } from "./wire.ts";

/** USD per million output tokens; input is free. */
const configuration = JSON.stringify({
  prices: { "gpt-4o-mini": { input: 0, output: 1 }, "gemini-*": { input: 0, output: 5 } },
});

const record = (id: string, maxTokens: number) =>
  converse(id, "hello", { inferenceConfig: { maxTokens } });

/** What may run again, and what three records of 100 tokens then cost at the most. */
const table = [
  { tags: {}, most: 0.0003 },
  { tags: { "batchway:retries": "2" }, most: 0.0009 },
  { tags: { "batchway:fallback": "gemini/gemini-2.5-flash" }, most: 0.0018 },
  {
    tags: { "batchway:retries": "3", "batchway:fallback": "gemini/gemini-2.5-flash" },
    most: 0.0027,
  },
] as const;

Deno.test("each try that a record may have is in the cost of its job, at the create and as it is read", () =>
  withKeys(async ({ url }, keys) => {
    for (const { tags, most } of table) {
      const clientOf = async (maxCost: number) =>
        createClient(url, "openai", signing(await keys.add({ maxCost })));
      const more = {
        modelId: "gpt-4o-mini",
        tags: Object.entries({ "batchway:dialect": "bedrock-converse", ...tags })
          .map(([key, value]) => ({ key, value })),
      };
      const poor = await clientOf(most - 0.0001);
      const even = ["a", "b", "c"].map((id) => record(id, 100)).join("\n");
      await poor.upload("inputs/even.jsonl", even);
      const refused = await poor.createRaw("inputs/even.jsonl", more);
      assert.match(await refused.text(), new RegExp(`this job adds USD ${most}\\.`));
      const rich = await clientOf(most);
      await rich.create("inputs/even.jsonl", more);
      // The first record alone is looked at before: the others say that they may be longer.
      const late = [record("a", 1), record("b", 149), record("c", 150)].join("\n");
      await poor.upload("inputs/late.jsonl", late);
      const arn = await poor.create("inputs/late.jsonl", more);
      const job = await until("it has failed", async () => {
        const seen = await poor.get(arn);
        return seen.status === "Failed" && seen;
      });
      assert.match(
        `${job["message"]}`,
        new RegExp(`this job adds USD ${most}\\. .*Nothing was sent`),
      );
    }
  }, { configuration }));
