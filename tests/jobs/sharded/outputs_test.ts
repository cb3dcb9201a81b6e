import assert from "node:assert/strict";
import { startTestGateway, type TestGateway } from "../../gateway.ts";
import { until } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const configuration = JSON.stringify({
  defaultProvider: "openai",
  objects: {},
  buckets: { "real-*": { provider: "bedrock" } },
});

const toBucket = {
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://real-results/out/" } },
};

const models: Readonly<Record<string, string>> = {
  openai: "gpt-4o-mini",
  anthropic: "claude-3-5-haiku-20241022",
};

const chat = JSON.stringify({
  custom_id: "own",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] },
});

async function started(): Promise<TestGateway> {
  return await startTestGateway({ configuration, sandbox: { batchSeconds: 0 } });
}

async function fault({ sandbox }: TestGateway, rule: object): Promise<void> {
  const answer = await fetch(`${sandbox.url}/control/faults`, {
    method: "POST",
    body: JSON.stringify([rule]),
  });
  assert.ok(answer.ok, await answer.text());
}

for (const [provider, model] of Object.entries(models)) {
  Deno.test(`results of a job at ${provider} are objects of the bucket that is bound to S3, and are seen under it at the job's provider too`, async () => {
    const gateway = await started();
    try {
      const client = createClient(gateway.url);
      const lines = [converse("a", "x"), converse("b", "y", { stopSequences: ["x"] })].join("\n");
      await client.put("bedrock", "real-inputs/in.jsonl", lines);
      const id = await client.create(provider, model, "s3://real-inputs/in.jsonl", {}, toBucket);
      const job = await client.ended(provider, id);
      assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
      for (const name of ["in.jsonl.out", "manifest.json.out"]) {
        const path = `real-results/out/${id}/${name}`;
        assert.equal(await client.read("bedrock", path), await client.read(provider, path));
      }
      const keys = await client.keys("bedrock", "real-results");
      assert.deepEqual(keys, await client.keys(provider, "real-results"));
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("results of records in the provider's own form are written as the provider words them", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    await client.put("openai", "inputs/own.jsonl", chat);
    const id = await client.create("openai", "gpt-4o-mini", "s3://inputs/own.jsonl", {}, toBucket);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
    const text = await client.read("bedrock", `real-results/out/${id}/own.jsonl.out`);
    assert.equal(JSON.parse(text).custom_id, "own");
    assert.equal(JSON.parse(text).response.status_code, 200);
  } finally {
    await gateway.stop();
  }
});

Deno.test("each file of a folder and the report of losses are written under their own keys", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    const lossy = converse("a", "x", { additionalModelRequestFields: { unknown_field: 1 } });
    await client.put("bedrock", "real-inputs/run/x/a.jsonl", lossy);
    await client.put("bedrock", "real-inputs/run/b.jsonl", converse("b", "x"));
    const input = "s3://real-inputs/run/";
    const id = await client.create("openai", "gpt-4o-mini", input, {}, toBucket);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify([id, job, gateway.logged]));
    assert.deepEqual(await client.keys("bedrock", "real-results"), [
      `out/_batchway/${id}/translation.ndjson`,
      `out/${id}/b.jsonl.out`,
      `out/${id}/manifest.json.out`,
      `out/${id}/x/a.jsonl.out`,
    ]);
  } finally {
    await gateway.stop();
  }
});

for (const status of [403, 503]) {
  Deno.test(`a bucket that answers ${status} keeps the job from ending and says so, until it takes the results`, async () => {
    const gateway = await started();
    try {
      const client = createClient(gateway.url);
      await client.put("bedrock", "real-inputs/in.jsonl", converse("a", "x"));
      const refusal = { provider: "s3", method: "PUT", path: "/real-results/" };
      await fault(gateway, { ...refusal, status, times: 1 });
      const input = "s3://real-inputs/in.jsonl";
      const id = await client.create("openai", "gpt-4o-mini", input, {}, toBucket);
      const seen = await until("the message says why", async () => {
        const job = await client.get("openai", id);
        return job.message === undefined ? undefined : job;
      });
      assert.equal(seen.status, "InProgress");
      assert.match(
        seen.message ?? "",
        new RegExp(`could not be written to s3://real-results/out/: .*answered ${status}`),
      );
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Completed", JSON.stringify(job));
      assert.equal(job.message, undefined);
      assert.equal((await client.keys("bedrock", "real-results")).length, 2);
    } finally {
      await gateway.stop();
    }
  });
}

Deno.test("a job whose input cannot be run has its manifest in the bucket", async () => {
  const gateway = await started();
  try {
    const client = createClient(gateway.url);
    await client.put("bedrock", "real-inputs/in.jsonl", `${converse("a", "x")}\n{"half`);
    const input = "s3://real-inputs/in.jsonl";
    const id = await client.create("openai", "gpt-4o-mini", input, {}, toBucket);
    assert.equal((await client.ended("openai", id)).status, "Failed");
    assert.deepEqual(await client.keys("bedrock", "real-results"), [`out/${id}/manifest.json.out`]);
  } finally {
    await gateway.stop();
  }
});
