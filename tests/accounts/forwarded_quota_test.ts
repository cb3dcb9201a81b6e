/** Creates that Bedrock takes for new jobs, each of which must count against its key's limits. */
import assert from "node:assert/strict";
import { signing, withKeys } from "../keys.ts";
import { createClient, fault, until } from "../jobs/wire.ts";
import { sleep } from "../catalog/memory.ts";
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

Deno.test("bytes of a put, a part and a copy count where the client does not wait for the answer", () =>
  withKeys(async ({ url, sandbox }, keys) => {
    const client = createClient(
      url,
      "bedrock",
      signing(await keys.add({ ...limited, maxBytes: 9_000 })),
    );
    await putInput(client);
    const first = record.length;
    const month = async () => {
      const [{ month } = {}] = await keys.list();
      return [month?.used.bytes, month?.reserved.bytes];
    };
    const begun = await client.send("/bedrock/files/inputs/parts?uploads", { method: "POST" });
    const id = /<UploadId>(.*?)</.exec(await begun.text())?.[1] ?? "";
    const copy = { "x-amz-copy-source": "inputs/in.jsonl" };
    const puts: readonly [path: string, RequestInit][] = [
      ["left", { body: "x".repeat(1_000) }],
      [`parts?partNumber=1&uploadId=${encodeURIComponent(id)}`, { body: "x".repeat(2_000) }],
      ["copy", { headers: copy }],
    ];
    let used = first;
    for (const [path, init] of puts) {
      const at = `/inputs/${path.split("?")[0]}`;
      await fault(sandbox, {
        provider: "s3",
        method: "PUT",
        path: at,
        delayAfterSeconds: 0.6,
      });
      const gone = new AbortController();
      const sent = client.send(`/bedrock/files/inputs/${path}`, {
        method: "PUT",
        ...init,
        signal: gone.signal,
      });
      const rejected = assert.rejects(sent);
      await until("it is reserved", async () => (await month())[1] !== 0);
      await sleep(200);
      gone.abort();
      await rejected;
      used += typeof init.body === "string" ? init.body.length : first;
      await until("it is over", async () => (await month())[1] === 0);
      assert.deepEqual(await month(), [used, 0], path);
    }
  }, endless));

Deno.test("a put whose client leaves in its midst gives its bytes back", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ ...limited, maxBytes: 9_000_000 });
    await putInput(createClient(url, "bedrock", signing(key)));
    const month = async () => {
      const [{ month } = {}] = await keys.list();
      return [month?.used.bytes, month?.reserved.bytes];
    };
    const signer = new AwsClient({ ...key, region: "us-west-2", service: "s3" });
    const signed = await signer.sign(`${url}/bedrock/files/inputs/half`, {
      method: "PUT",
      headers: { "x-model-provider": "bedrock", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    });
    const { hostname, port, pathname } = new URL(signed.url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const headers = [...signed.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const head = `PUT ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${headers}` +
      `content-length: 4000000\r\n\r\n${"x".repeat(10_000)}`;
    await connection.write(new TextEncoder().encode(head));
    await until("it is reserved", async () => (await month())[1] === 4_000_000);
    connection.close();
    await until("it is given back", async () => (await month())[1] === 0);
    assert.deepEqual(await month(), [record.length, 0]);
  }, endless));
