/** Requests without `x-model-provider`: where they go, and what their errors say about it. */
import assert from "node:assert/strict";
import { startTestGateway, type TestGateway } from "../gateway.ts";

const line = JSON.stringify({
  custom_id: "a",
  method: "POST",
  url: "/v1/chat/completions",
  body: { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] },
});

const createOf = (bucket: string) => ({
  jobName: "job",
  modelId: "gpt-4o-mini",
  roleArn: "any",
  inputDataConfig: { s3InputDataConfig: { s3Uri: `s3://${bucket}/input.jsonl` } },
  outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/output/` } },
});

async function onGateway(
  work: (gateway: TestGateway) => Promise<void>,
  options: Parameters<typeof startTestGateway>[0] = {},
): Promise<void> {
  const gateway = await startTestGateway(options);
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

async function send(gateway: TestGateway, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${gateway.url}/bedrock${path}`, {
    method,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, headers: answer.headers };
}

Deno.test("a job goes where its input's bucket is bound to, and is found there without a header", () =>
  onGateway(async (gateway) => {
    for (const [bucket, provider] of [["team-a-1", "openai"], ["exact", "openai"]] as const) {
      assert.equal((await send(gateway, "PUT", `/files/${bucket}/input.jsonl`, line)).status, 200);
      const created = await send(gateway, "POST", "/model-invocation-job", createOf(bucket));
      assert.equal(created.status, 200, created.text);
      const { jobArn } = JSON.parse(created.text);
      const path = `/model-invocation-job/${encodeURIComponent(jobArn)}`;
      const got = await send(gateway, "GET", path);
      assert.equal(got.status, 200, got.text);
      const bare = await send(gateway, "GET", `/model-invocation-job/${jobArn.slice(-12)}`);
      assert.equal(JSON.parse(bare.text).jobArn, jobArn);
      const tags = [{ key: "team", value: "a" }];
      const tagged = await send(gateway, "POST", "/tagResource", { resourceARN: jobArn, tags });
      assert.equal(tagged.status, 200, tagged.text);
      const listed = await send(gateway, "POST", "/listTagsForResource", { resourceARN: jobArn });
      assert.deepEqual(JSON.parse(listed.text).tags, tags);
      assert.equal((await send(gateway, "POST", `${path}/stop`)).status, 200);
      const audited = gateway.logged.map((one) => JSON.parse(one))
        .filter((one) => one.job === jobArn.slice(-12));
      assert.deepEqual(new Set(audited.map((one) => one.provider)), new Set([provider]));
    }
  }, {
    configuration: JSON.stringify({
      buckets: { "team-a-*": { provider: "openai" }, "exact": { provider: "openai" } },
    }),
  }));

Deno.test("an error of a default that nothing chose says so, with the header to send", () =>
  onGateway(async (gateway) => {
    const hint =
      "The request names no provider, so Batchway sent it to bedrock. For another, send " +
      "x-model-provider (openai, gemini, anthropic), or set defaultProvider";
    const object = await send(gateway, "GET", "/files/no-such-bucket/input.jsonl");
    assert.equal(object.status, 404);
    assert.match(object.text, /<Code>NoSuch(?:Bucket|Key)<\/Code>/);
    assert.ok(object.text.includes(`. ${hint}</Message>`), object.text);
    const job = await send(gateway, "POST", "/model-invocation-job", createOf("no-such-bucket"));
    assert.equal(job.status, 400, job.text);
    assert.ok(JSON.parse(job.text).message.endsWith(`. ${hint}`), job.text);
    const chosen = await fetch(`${gateway.url}/bedrock/files/no-such-bucket/input.jsonl`, {
      headers: { "x-model-provider": "bedrock" },
    });
    assert.doesNotMatch(await chosen.text(), /names no provider/);
  }));

Deno.test("with a default that was chosen, its errors are passed on as they are", () =>
  onGateway(async (gateway) => {
    const object = await send(gateway, "GET", "/files/no-such-bucket/input.jsonl");
    assert.equal(object.status, 404);
    assert.doesNotMatch(object.text, /names no provider/);
  }, { configuration: JSON.stringify({ defaultProvider: "bedrock" }) }));
