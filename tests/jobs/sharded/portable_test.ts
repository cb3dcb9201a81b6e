import assert from "node:assert/strict";
import { startTestGateway } from "../../gateway.ts";
import { converse, createClient } from "./client.ts";

const claude = (id: string, text: string) =>
  JSON.stringify({
    recordId: id,
    modelInput: {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 50,
      messages: [{ role: "user", content: text }],
    },
  });

const own = (id: string, text: string) =>
  JSON.stringify({
    custom_id: id,
    params: {
      model: "claude-3-5-haiku-20241022",
      max_tokens: 50,
      messages: [{ role: "user", content: text }],
    },
  });

const models = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "anthropic.claude-3-5-haiku-20241022-v1:0",
} as const;

Deno.test("one file of Bedrock lines is put and run at each provider, without a tag", async () => {
  const gateway = await startTestGateway({
    sandbox: { batchSeconds: 0.3 },
    configuration: '{ "objects": { "keep": "needed" } }',
  });
  try {
    const client = createClient(gateway.url);
    const files = {
      "converse.jsonl": [converse("a", "one"), converse("b", "two")],
      "claude.jsonl": [claude("a", "one"), claude("b", "two")],
    };
    await Promise.all(
      Object.entries(models).map(async ([provider, model]) => {
        for (const [name, lines] of Object.entries(files)) {
          await client.put(provider, `bucket/${name}`, lines.join("\n"));
          assert.equal(await client.read(provider, `bucket/${name}`), lines.join("\n"));
          const id = await client.create(provider, model, `s3://bucket/${name}`);
          const job = await client.ended(provider, id);
          assert.equal(job.status, "Completed", JSON.stringify([provider, name, job]));
          const results = (await client.read(provider, `results/out/${id}/${name}.out`)).trimEnd()
            .split("\n").map((line) => JSON.parse(line));
          assert.deepEqual(results.map(({ recordId }) => recordId), ["a", "b"]);
          for (const { modelOutput } of results) {
            if (name === "claude.jsonl") assert.equal(modelOutput.content[0].type, "text");
            else assert.equal(typeof modelOutput.output.message.content[0].text, "string");
          }
        }
      }),
    );
  } finally {
    await gateway.stop();
  }
});

Deno.test("records in the dialect of a provider without files run as they are, with ids of any form", async () => {
  const gateway = await startTestGateway({
    sandbox: { batchSeconds: 0.3 },
    configuration: '{ "objects": { "keep": "needed" } }',
  });
  try {
    const client = createClient(gateway.url);
    const ids = ["an id of any form: ä", "x".repeat(100), "an id of any form: ä"];
    await client.put("anthropic", "bucket/own.jsonl", ids.map((id) => own(id, "hello")).join("\n"));
    const id = await client.create(
      "anthropic",
      "claude-3-5-haiku-20241022",
      "s3://bucket/own.jsonl",
    );
    const job = await client.ended("anthropic", id);
    assert.equal(job.status, "Completed", JSON.stringify(job));
    const results = (await client.read("anthropic", `results/out/${id}/own.jsonl.out`)).trimEnd()
      .split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(results.map(({ custom_id }) => custom_id), ids);
    for (const { result } of results) {
      assert.equal(result.type, "succeeded");
      assert.equal(result.message.role, "assistant");
    }
  } finally {
    await gateway.stop();
  }
});

Deno.test("an input that is replaced while its job runs is read to the end", async () => {
  const gateway = await startTestGateway({
    sandbox: { batchSeconds: 1 },
    configuration: '{ "objects": { "keep": "needed" } }',
  });
  try {
    const client = createClient(gateway.url);
    const lines = ["one", "two", "three"].map((text) => converse(text, text));
    await client.put("gemini", "bucket/in.jsonl", lines.join("\n"));
    const id = await client.create("gemini", models.gemini, "s3://bucket/in.jsonl");
    await client.put("gemini", "bucket/in.jsonl", converse("other", "text"));
    const job = await client.ended("gemini", id);
    assert.equal(job.status, "Completed", JSON.stringify(job));
    const results = (await client.read("gemini", `results/out/${id}/in.jsonl.out`)).trimEnd()
      .split("\n").map((line) => JSON.parse(line).recordId);
    assert.deepEqual(results, ["one", "two", "three"]);
  } finally {
    await gateway.stop();
  }
});
