import assert from "node:assert/strict";
import { startTestGateway } from "../../gateway.ts";
import { converse, createClient } from "./client.ts";

const models: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-3-5-haiku-20241022",
};

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`a job at ${provider} reads a kept input to its end, also one that was deleted meanwhile`, async () => {
    const gateway = await startTestGateway({ configuration: '{"objects": {}}' });
    try {
      const client = createClient(gateway.url);
      const lines = [converse("a", "first"), converse("b", "second")];
      await client.put(provider, "inputs/in.jsonl", `${lines.join("\n")}\n`);
      const id = await client.create(provider, model, "s3://inputs/in.jsonl");
      const gone = await fetch(`${gateway.url}/bedrock/files/inputs/in.jsonl`, {
        method: "DELETE",
        headers: { "x-model-provider": provider },
      });
      assert.equal(gone.status, 204);
      assert.deepEqual(await client.keys(provider, "inputs"), []);
      const job = await client.ended(provider, id);
      assert.equal(job.status, "Completed", JSON.stringify([job, gateway.logged]));
      const results = await client.read(provider, `results/out/${id}/in.jsonl.out`);
      const records = results.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(records.map(({ recordId }) => recordId), ["a", "b"]);
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("results beside the kept objects are a 503 on a machine without them, and stay with them once results have a store", async () => {
  const data = await Deno.makeTempDir();
  const catalogPath = `${data}/catalog.kv`;
  const start = (folder: string, results: object = {}) =>
    startTestGateway({
      catalogPath,
      configuration: JSON.stringify({
        objects: { store: { folder: `${data}/${folder}` } },
        results,
      }),
    });
  try {
    let gateway = await start("first");
    const client = createClient(gateway.url);
    await client.put("anthropic", "inputs/in.jsonl", `${converse("a", "first")}\n`);
    const id = await client.create("anthropic", models.anthropic ?? "", "s3://inputs/in.jsonl");
    assert.equal((await client.ended("anthropic", id)).status, "Completed");
    await gateway.stop();
    const path = `results/out/${id}/in.jsonl.out`;
    gateway = await start("second");
    const answer = await fetch(`${gateway.url}/bedrock/files/${path}`, {
      headers: { "x-model-provider": "anthropic" },
    });
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /disk-id/);
    await gateway.stop();
    gateway = await start("first", { keep: { folder: `${data}/results` } });
    const text = await createClient(gateway.url).read("anthropic", path);
    assert.equal(JSON.parse(text).recordId, "a");
    await gateway.stop();
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
