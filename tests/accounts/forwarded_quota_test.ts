/** Creates that Bedrock takes for new jobs, each of which must count against its key's limits. */
import assert from "node:assert/strict";
import { signing, withKeys } from "../keys.ts";
import { createClient, fault, until } from "../jobs/wire.ts";
import { AwsClient } from "../sdks/aws4fetch.ts";

const limited = { tenant: "team", providers: ["bedrock"], defaultProvider: "bedrock" };
const job = {
  modelId: "us.anthropic.claude-3-5-haiku-20241022-v1:0",
  roleArn: "arn:aws:iam::123456789012:role/batch",
  outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://inputs/out/" } },
};
const record = JSON.stringify({
  recordId: "record-1",
  modelInput: { max_tokens: 9, messages: [{ role: "user", content: "Hello" }] },
});
const endless = { env: { BATCHWAY_SWEEP_SECONDS: "600" } };

async function answerOf(sent: Promise<Response>): Promise<string> {
  const response = await sent;
  const text = await response.text();
  return response.ok ? "ok" : response.headers.get("x-amzn-errortype") ?? text;
}

type Client = ReturnType<typeof createClient>;

async function putInput(client: Client): Promise<void> {
  const made = await client.send("/bedrock/files/inputs", { method: "PUT" });
  assert.equal(made.status, 200, await made.text());
  await client.upload("inputs/in.jsonl", record);
}

Deno.test("creates without a token are jobs of their own, also where their bodies are the same", () =>
  withKeys(async ({ url }, keys) => {
    const client = createClient(
      url,
      "bedrock",
      signing(await keys.add({ ...limited, maxJobs: 2 })),
    );
    await putInput(client);
    const create = (more: object) =>
      answerOf(client.createRaw("inputs/in.jsonl", { ...job, ...more }));
    const token = { clientRequestToken: "a".repeat(36) };
    assert.equal(await create(token), "ok");
    assert.equal(await create(token), "ok");
    assert.equal(await create({}), "ok");
    for (const more of [{}, { clientRequestToken: null }, { ClientRequestToken: "b" }]) {
      assert.equal(await create(more), "ServiceQuotaExceededException", JSON.stringify(more));
    }
    const [{ month } = {}] = await keys.list();
    assert.equal(month?.reserved.jobs, 2);
  }, endless));

Deno.test("a token that comes to another region is another job", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ ...limited, maxJobs: 1 });
    await putInput(createClient(url, "bedrock", signing(key)));
    const create = (region: string) => {
      const signer = new AwsClient({ ...key, region, service: "bedrock" });
      const from = createClient(
        url,
        "bedrock",
        async (to, init) => fetch(await signer.sign(to, init)),
      );
      return answerOf(
        from.createRaw("inputs/in.jsonl", { ...job, clientRequestToken: "a".repeat(36) }),
      );
    };
    assert.equal(await create("us-west-2"), "ok");
    assert.equal(await create("us-west-2"), "ok");
    assert.equal(await create("eu-west-1"), "ServiceQuotaExceededException");
  }, endless));

Deno.test("a create whose client does not wait for the answer counts all the same", () =>
  withKeys(async ({ url, sandbox }, keys) => {
    const client = createClient(
      url,
      "bedrock",
      signing(await keys.add({ ...limited, maxJobs: 1 })),
    );
    await putInput(client);
    const path = "/model-invocation-job";
    await fault(sandbox, { provider: "bedrock", method: "POST", path, delayAfterSeconds: 0.6 });
    const gone = new AbortController();
    const sent = client.createRaw("inputs/in.jsonl", job, gone.signal);
    const rejected = assert.rejects(sent);
    const creates = async () => (await client.list()).length;
    await until("AWS has the job", async () => await creates() === 1);
    gone.abort();
    await rejected;
    const reserved = async () => (await keys.list())[0]?.month?.reserved.jobs;
    assert.equal(await reserved(), 1);
    await until("it is counted", async () => {
      const usage = await client.send("/usage?by=key");
      return (await usage.json()).rows.length === 1;
    });
    const [{ month } = {}] = await keys.list();
    assert.deepEqual([month?.used.jobs, month?.reserved.jobs], [1, 0]);
  }, { env: { BATCHWAY_SWEEP_SECONDS: "0.1" } }));
