import assert from "node:assert/strict";
import { startTestGateway } from "../../gateway.ts";
import { converse, createClient } from "./client.ts";

const models: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-3-5-haiku-20241022",
};

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`Converse records run at ${provider}, and come back in their own form and order`, async () => {
    const gateway = await startTestGateway();
    try {
      const client = createClient(gateway.url);
      const lines = [
        converse("a", "first"),
        converse('ä " 2', "second"),
        converse(undefined, "third"),
        converse("a", "the same id again"),
      ];
      await client.put("openai", "inputs/day/in.jsonl", `${lines.join("\n")}\n`);
      const id = await client.create(provider, model, "s3://inputs/day/in.jsonl", {
        "batchway:dialect": "bedrock-converse",
        ...(provider !== "openai" && { "batchway:input-provider": "openai" }),
      });
      const job = await client.ended(provider, id);
      assert.equal(job.status, "Completed", JSON.stringify([job, gateway.logged]));
      assert.equal(job.totalRecordCount, 4);
      assert.equal(job.successRecordCount, 4);

      const results = await client.read(provider, `results/out/${id}/in.jsonl.out`);
      const records = results.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(
        records.map(({ recordId }) => recordId),
        ["a", 'ä " 2', "CALL0000003", "a"],
      );
      for (const [at, { modelInput, modelOutput }] of records.entries()) {
        assert.equal(
          JSON.stringify(modelInput),
          JSON.stringify(JSON.parse(lines[at] ?? "").modelInput),
        );
        assert.equal(modelOutput.output.message.role, "assistant");
        assert.ok(modelOutput.usage.outputTokens > 0);
      }
      const manifest = JSON.parse(
        await client.read(provider, `results/out/${id}/manifest.json.out`),
      );
      assert.equal(manifest.successRecordCount, 4);
      assert.ok(manifest.inputTokenCount > 0 && manifest.outputTokenCount > 0);
      assert.deepEqual(await client.keys(provider, "results"), [
        `out/${id}/in.jsonl.out`,
        `out/${id}/manifest.json.out`,
      ]);
    } finally {
      await gateway.stop();
    }
  });
}
