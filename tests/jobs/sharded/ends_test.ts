import assert from "node:assert/strict";
import { startTestGateway, type TestGateway } from "../../gateway.ts";
import { asked, fault, holds, ledger, until } from "../wire.ts";
import { converse, createClient } from "./client.ts";

const declared = { "batchway:dialect": "bedrock-converse" };
const model = "gpt-4o-mini";

type Work = (client: ReturnType<typeof createClient>, gateway: TestGateway) => Promise<void>;

async function withGateway(work: Work, batchSeconds = 0.3): Promise<void> {
  const gateway = await startTestGateway({ sandbox: { batchSeconds } });
  try {
    await work(createClient(gateway.url), gateway);
  } finally {
    await gateway.stop();
  }
}

const broken: readonly [what: string, lines: readonly string[], message: RegExp][] = [
  [
    "a line that is not JSON",
    [converse("a", "one"), "", "{nonsense", converse("b", "two"), "[1]"],
    /Line 3 of the input is .*Line 5 of the input is .*Nothing was sent/,
  ],
  [
    "a line of another envelope",
    [converse("a", "one"), '{"custom_id":"b","params":{}}'],
    /Line 2 of the input is not a record of bedrock-converse/,
  ],
  [
    "a line that is cut short",
    [converse("a", "one"), converse("b", "two").slice(0, -5)],
    /Line 2 of the input is/,
  ],
];

for (const [what, lines, message] of broken) {
  Deno.test(`${what} ends the job Failed, and nothing is made at the provider`, () =>
    withGateway(async (client, { sandbox }) => {
      await client.put("openai", "bucket/in.jsonl", lines.join("\n"));
      const files = await holds(sandbox, "openai", "files");
      const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
      const job = await client.ended("openai", id);
      assert.equal(job.status, "Failed");
      assert.match(job.message ?? "", message);
      assert.equal(await holds(sandbox, "openai", "batches"), 0);
      assert.equal(await holds(sandbox, "openai", "files"), files);
    }));
}

Deno.test("a loss is reported by line and path, or ends the job where it asks for that", () =>
  withGateway(async (client, { sandbox }) => {
    const topK = { additionalModelRequestFields: { top_k: 5 } };
    const lines = [
      converse("a", "one"),
      converse("b", "two", topK),
      converse(undefined, "x", topK),
    ];
    await client.put("openai", "bucket/in.jsonl", lines.join("\n"));
    const reported = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    const failed = await client.create("openai", model, "s3://bucket/in.jsonl", {
      ...declared,
      "batchway:on-loss": "fail",
    });
    const job = await client.ended("openai", reported);
    assert.equal(job.status, "Completed");
    assert.match(job.message ?? "", /2 of 3 records lost something in translation/);
    const path = `out/_batchway/${reported}/translation.ndjson`;
    const losses = (await client.read("openai", `results/${path}`)).trimEnd().split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(losses.map(({ recordId, line, path, loss }) => [recordId, line, path, loss]), [
      ["b", 2, "modelInput.additionalModelRequestFields.top_k", "dropped"],
      ["CALL0000003", 3, "modelInput.additionalModelRequestFields.top_k", "dropped"],
    ]);
    assert.ok((await client.keys("openai", "results")).includes(path));
    const ended = await client.ended("openai", failed);
    assert.equal(ended.status, "Failed");
    assert.match(
      ended.message ?? "",
      /Line 2 of the input loses .*top_k.*Line 3 of the input loses/,
    );
    assert.equal(await holds(sandbox, "openai", "batches"), 1);
  }));

Deno.test("a record that the target cannot take has an error line in its place, and the others run", () =>
  withGateway(async (client, { sandbox }) => {
    const video = {
      messages: [{
        role: "user",
        content: [{ video: { format: "mp4", source: { bytes: "AAAA" } } }, { text: "see" }],
      }],
    };
    const lines = [converse("a", "one"), converse("v", "", video), converse("c", "three")];
    await client.put("openai", "bucket/in.jsonl", lines.join("\n"));
    const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed");
    assert.deepEqual(
      [job.totalRecordCount, job.successRecordCount, job.errorRecordCount],
      [3, 2, 1],
    );
    assert.match(job.message ?? "", /1 of 3 records could not be translated/);
    const results = (await client.read("openai", `results/out/${id}/in.jsonl.out`)).trimEnd()
      .split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(results.map(({ recordId }) => recordId), ["a", "v", "c"]);
    assert.equal(results[1].error.errorCode, 400);
    assert.match(results[1].error.errorMessage, /video/);
    assert.deepEqual(results[1].modelInput, JSON.parse(lines[1] ?? "").modelInput);
    const batches = (await ledger(sandbox)).holdings["openai"]?.["batches"];
    assert.equal(batches?.count, 1);
  }));

Deno.test("a job without a record that can be sent ends with its error lines, and no batch", () =>
  withGateway(async (client, { sandbox }) => {
    const video = {
      messages: [{
        role: "user",
        content: [{ video: { format: "mp4", source: { bytes: "AAAA" } } }],
      }],
    };
    await client.put("openai", "bucket/in.jsonl", converse("v", "", video));
    const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed");
    assert.equal(job.errorRecordCount, 1);
    assert.equal(await holds(sandbox, "openai", "batches"), 0);
  }));

Deno.test("a job that is stopped has an error line 499 for each record that was not run", () =>
  withGateway(async (client) => {
    await client.put(
      "openai",
      "bucket/in.jsonl",
      [converse("a", "1"), converse("b", "2")].join("\n"),
    );
    const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    await until(
      "the batch runs",
      async () => ["Scheduled", "InProgress"].includes((await client.get("openai", id)).status),
    );
    assert.equal(await client.stop("openai", id), 200);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Stopped");
    assert.deepEqual([job.totalRecordCount, job.errorRecordCount], [2, 0]);
    const results = (await client.read("openai", `results/out/${id}/in.jsonl.out`)).trimEnd()
      .split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(results.map(({ recordId, error }) => [recordId, error.errorCode]), [
      ["a", 499],
      ["b", 499],
    ]);
  }, 4));

Deno.test("a stop while a batch is in doubt ends the job, and its batch is not asked for again", async () => {
  const gateway = await startTestGateway({ longestCreateMilliseconds: 1_000 });
  const { sandbox } = gateway;
  try {
    const client = createClient(gateway.url);
    await client.put("openai", "bucket/in.jsonl", converse("a", "1"));
    await fault(sandbox, { provider: "openai", method: "POST", path: "/batches$", cut: "before" });
    const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    await until(
      "the batch is asked for",
      async () => await asked(sandbox, "POST", /^\/batches$/) === 1,
    );
    assert.equal(await client.stop("openai", id), 200);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Stopped");
    assert.equal(await asked(sandbox, "POST", /^\/batches$/), 1);
    assert.equal(await holds(sandbox, "openai", "batches"), 0);
  } finally {
    await gateway.stop();
  }
});

Deno.test("an outage while the job is prepared delays it, and makes one batch in the end", () =>
  withGateway(async (client, { sandbox }) => {
    await client.put("openai", "bucket/in.jsonl", converse("a", "1"));
    await fault(sandbox, {
      provider: "openai",
      method: "POST",
      path: "/files$",
      status: 503,
      times: 2,
    });
    await fault(sandbox, { provider: "openai", method: "POST", path: "/batches$", cut: "after" });
    const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Completed", JSON.stringify(job));
    assert.equal(await holds(sandbox, "openai", "batches"), 1);
    assert.equal(await asked(sandbox, "POST", /^\/batches$/), 1);
  }));

Deno.test("a batch that the provider refuses ends the job Failed, with its reason", () =>
  withGateway(async (client, { sandbox }) => {
    await client.put("openai", "bucket/in.jsonl", converse("a", "1"));
    await fault(sandbox, {
      provider: "openai",
      method: "POST",
      path: "/batches$",
      status: 400,
      times: 99,
      body: '{"error":{"message":"the reason of the refusal","type":"invalid_request_error"}}',
    });
    const id = await client.create("openai", model, "s3://bucket/in.jsonl", declared);
    const job = await client.ended("openai", id);
    assert.equal(job.status, "Failed");
    assert.match(job.message ?? "", /the reason of the refusal/);
  }));

const refused: readonly [tags: Record<string, string>, modelId: string, message: RegExp][] = [
  [{ "batchway:dialect": "converse" }, model, /batchway:dialect must be one of bedrock-converse/],
  [{ "batchway:dialects": "gemini" }, model, /The tag batchway:dialects is not known/],
  [{ ...declared, "batchway:on-loss": "ignore" }, model, /must be report or fail/],
  [{ ...declared, "batchway:output-dialect": "openai-embeddings" }, model, /cannot be written as/],
  [{ "batchway:dialect": "gemini" }, model, /is not of that form/],
  [declared, "anthropic.claude-3-5-haiku-20241022-v1:0", /set "models"/],
  [{ ...declared, "batchway:input-provider": "nowhere" }, model, /must name a configured provider/],
];

Deno.test("what cannot be run is refused at create, by a sentence that says what to change", () =>
  withGateway(async (client) => {
    await client.put("openai", "bucket/in.jsonl", converse("a", "1"));
    for (const [tags, modelId, message] of refused) {
      const answer = await client.create("openai", modelId, "s3://bucket/in.jsonl", tags);
      assert.match(answer, message);
    }
  }));
