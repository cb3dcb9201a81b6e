/** Every end of a job leaves its row, also where no result can be read. */
import assert from "node:assert/strict";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import { createClient, until } from "../jobs/wire.ts";
import { converse, createClient as createTranslating } from "../jobs/sharded/client.ts";
import { ranAt, usageAt, type UsageRow } from "./simulators.ts";

const terminal = ["Completed", "Failed", "Stopped", "Expired", "PartiallyCompleted"];

async function withGateway(
  work: (gateway: TestGateway) => Promise<void>,
  options: TestGatewayOptions,
): Promise<void> {
  const gateway = await startTestGateway(options);
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

async function endOf(client: ReturnType<typeof createClient>, arn: string): Promise<string> {
  let status = "";
  await until(
    "the job is over",
    async () => terminal.includes(status = (await client.get(arn)).status),
  );
  return status;
}

Deno.test("a job that fails in preparation, is stopped, or whose batch fails has one row", () =>
  withGateway(async ({ url }) => {
    const client = createClient(url);
    const tags = [{ key: "batchway:dialect", value: "bedrock-converse" }];
    const model = { modelId: "gpt-4o-mini" };
    const put = await client.put(
      "bucket/broken.jsonl",
      `${converse("a", "fine")}\n{"recordId": broken\n`,
    );
    await put.body?.cancel();
    const failed = await client.create("bucket/broken.jsonl", { ...model, tags });
    assert.equal(await endOf(client, failed), "Failed");
    assert.deepEqual((await usageAt(url, "provider,model")).map(jobsOf), [[
      "openai",
      "gpt-4o-mini",
      1,
      0,
      0,
    ]]);

    await client.upload("bucket/in.jsonl");
    const stopped = await client.create("bucket/in.jsonl", model);
    assert.equal(await client.stop(stopped), "");
    assert.equal(await endOf(client, stopped), "Stopped");
    const [row, ...others] = await usageAt(url, "provider,model");
    assert.deepEqual(others, []);
    assert.equal(row?.jobs, 2);
  }, { sandbox: { batchSeconds: 2 } }));

function jobsOf({ provider, model, jobs, records, inputTokens }: UsageRow) {
  return [provider, model, jobs, records, inputTokens];
}

Deno.test("a job whose time runs out has one row, on the day of its end", () =>
  withGateway(async ({ url }) => {
    const client = createClient(url);
    await client.upload("bucket/in.jsonl");
    const arn = await client.create("bucket/in.jsonl", { modelId: "gpt-4o-mini" });
    assert.equal(await endOf(client, arn), "Expired");
    const rows = await usageAt(url, "model,day");
    assert.deepEqual(rows.map(({ jobs, records }) => [jobs, records]), [[1, 0]]);
  }, { sandbox: { batchSeconds: 30, windowSeconds: 0.3 } }));

Deno.test("records of a fallback count where they ran, and the job where it was created", () =>
  withGateway(async ({ url, sandbox }) => {
    const client = createTranslating(url);
    const lines = ["one", "two", "three"].map((text) => converse(text, text)).join("\n");
    await client.put("openai", "bucket/in.jsonl", lines);
    const tags = {
      "batchway:dialect": "bedrock-converse",
      "batchway:retries": "1",
      "batchway:fallback": "anthropic/claude-3-5-haiku-20241022",
    };
    const id = await client.create("openai", "fail-always", "s3://bucket/in.jsonl", tags);
    assert.equal((await client.ended("openai", id)).status, "Completed");
    const { input, output } = await ranAt(sandbox, "anthropic");
    assert.ok(input > 0 && output > 0);
    const rows = await usageAt(url, "provider,model");
    assert.deepEqual(
      rows.map((row) => [...jobsOf(row), row.outputTokens]),
      [
        ["anthropic", "claude-3-5-haiku-20241022", 0, 3, input, output],
        ["openai", "fail-always", 1, 0, 0, 0],
      ],
    );
  }, { sandbox: { batchSeconds: 0.2 } }));
