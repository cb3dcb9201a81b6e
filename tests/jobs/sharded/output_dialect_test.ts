import assert from "node:assert/strict";
import { startTestGateway } from "../../gateway.ts";
import { holds } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const models = { openai: "gpt-4o-mini", anthropic: "claude-3-5-haiku-20241022" } as const;

/** Where each dialect has its answer's text, and a record its id. */
const readers: Readonly<Record<string, (line: ReturnType<typeof JSON.parse>) => unknown[]>> = {
  "openai-chat": ({ custom_id, response }) => [
    custom_id,
    typeof response.body.choices[0].message.content,
  ],
  "bedrock-anthropic": ({ recordId, modelOutput }) => [
    recordId,
    typeof modelOutput.content[0].text,
  ],
  "gemini": ({ key, response }) => [
    key,
    typeof response.candidates[0].content.parts[0].text,
  ],
};

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`${provider}: results are written in the dialect that batchway:output-dialect names`, async () => {
    const gateway = await startTestGateway({ sandbox: { batchSeconds: 0.1 } });
    try {
      const client = createClient(gateway.url);
      const lines = ["one", "two"].map((text) => converse(text, text)).join("\n");
      await client.put(provider, "bucket/in.jsonl", lines);
      for (const [dialect, read] of Object.entries(readers)) {
        const tags = { "batchway:output-dialect": dialect };
        const id = await client.create(provider, model, "s3://bucket/in.jsonl", tags);
        const job = await client.ended(provider, id);
        assert.equal(job.status, "Completed", JSON.stringify([dialect, job]));
        const results = await client.read(provider, `results/out/${id}/in.jsonl.out`);
        const found = results.trimEnd().split("\n").map((line) => read(JSON.parse(line)));
        assert.deepEqual(found, [["one", "string"], ["two", "string"]], dialect);
      }
    } finally {
      await gateway.stop();
    }
  });

  for (const [what, text] of [["empty", ""], ["of blank lines only", "\n \n\n"]] as const) {
    Deno.test(`${provider}: an input that is ${what} is refused at create, and nothing is made`, async () => {
      const gateway = await startTestGateway();
      try {
        const client = createClient(gateway.url);
        await client.put(provider, "bucket/in.jsonl", text);
        const tags = { "batchway:dialect": "bedrock-converse" };
        const said = await client.create(provider, model, "s3://bucket/in.jsonl", tags);
        assert.match(said, /The job's input holds no record/);
        assert.equal(await holds(gateway.sandbox, provider, "batches"), 0);
      } finally {
        await gateway.stop();
      }
    });
  }
}
