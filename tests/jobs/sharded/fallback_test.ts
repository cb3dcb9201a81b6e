import assert from "node:assert/strict";
import { startTestGateway } from "../../gateway.ts";
import { geminiLines } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const models: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-3-5-haiku-20241022",
};

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`records without an answer at openai run at ${provider}, and come back in their own form`, async () => {
    const gateway = await startTestGateway({ configuration: '{"objects": {}}' });
    try {
      const client = createClient(gateway.url);
      const lines = [converse("a", "first"), converse("ä 2", "second")];
      await client.put("openai", "inputs/in.jsonl", lines.join("\n"));
      const id = await client.create("openai", "fail-always", "s3://inputs/in.jsonl", {
        "batchway:dialect": "bedrock-converse",
        "batchway:fallback": `${provider}/${model}`,
      });
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify([job, gateway.logged]));
      assert.equal(job.successRecordCount, 2);
      const results = await client.read("openai", `results/out/${id}/in.jsonl.out`);
      const records = results.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(records.map(({ recordId }) => recordId), ["a", "ä 2"]);
      for (const { modelOutput } of records) {
        assert.equal(modelOutput.output.message.role, "assistant");
      }
      const report = await client.read("openai", `results/out/_batchway/${id}/translation.ndjson`);
      assert.equal(report.match(/"path":"modelId","loss":"approximated"/g)?.length, 2);
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("a file that its provider gives to no one cannot run again, and the setting is named", async () => {
  const gateway = await startTestGateway({ configuration: '{"objects": {}}' });
  try {
    const client = createClient(gateway.url);
    await client.put("gemini", "inputs/in.jsonl", geminiLines);
    for (
      const tags of [
        { "batchway:retries": "1" },
        { "batchway:fallback": "openai/gpt-4o-mini" },
        { "batchway:dry-run": "true" },
      ]
    ) {
      const told = await client.create("gemini", "gemini-2.5-flash", "s3://inputs/in.jsonl", tags);
      assert.match(told, /"objects": \{ "keep": "all" \}/, JSON.stringify(tags));
    }
  } finally {
    await gateway.stop();
  }
});

Deno.test("a file of Gemini's that is kept as well runs again and falls back", async () => {
  const gateway = await startTestGateway({ configuration: '{"objects": {"keep": "all"}}' });
  try {
    const client = createClient(gateway.url);
    const lines = ["fine", "fail 400"].map((text, at) =>
      JSON.stringify({
        key: `k${at}`,
        request: { contents: [{ role: "user", parts: [{ text }] }] },
      })
    );
    await client.put("gemini", "inputs/in.jsonl", lines.join("\n"));
    const tags = {
      "batchway:retries": "1",
      "batchway:fallback": "anthropic/claude-3-5-haiku-20241022",
    };
    const id = await client.create("gemini", "gemini-2.5-flash", "s3://inputs/in.jsonl", tags);
    const job = await client.ended("gemini", id);
    assert.equal(job.status, "Completed", JSON.stringify([job, gateway.logged]));
    // The text asks every model to fail.
    assert.deepEqual([job.successRecordCount, job.errorRecordCount], [1, 1]);
    const results = await client.read("gemini", `results/out/${id}/in.jsonl.out`);
    const keys = results.trimEnd().split("\n").map((line) => JSON.parse(line).key);
    assert.deepEqual(keys, ["k0", "k1"]);
  } finally {
    await gateway.stop();
  }
});
