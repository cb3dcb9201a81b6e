/** Usage of jobs that Bedrock runs. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import { sleep, temporaryFolder } from "../catalog/memory.ts";
import { signing, withKeys } from "../keys.ts";
import { createClient, until } from "../jobs/wire.ts";
import { runPython } from "../python.ts";

const script = fileURLToPath(new URL("forwarded.py", import.meta.url));
const configuration = JSON.stringify({
  prices: { "anthropic.claude-3-5-*": { input: 400, output: 2000 } },
});

Deno.test("a job at Bedrock is counted once, from AWS's own manifest, at its key's tenant", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({
      tenant: "team",
      providers: ["bedrock"],
      defaultProvider: "bedrock",
    });
    const { code, stdout, stderr } = await runPython(script, [url, JSON.stringify(key)]);
    assert.equal(code, 0, stderr);
    const manifest = JSON.parse(stdout.trimEnd());
    const usage = async () => {
      const headers = { authorization: `Bearer ${key.bearerToken}` };
      return (await (await fetch(`${url}/usage?by=tenant,key,provider,model`, { headers })).json())
        .rows;
    };
    await until("it is counted", async () => (await usage()).length > 0);
    const [row, ...others] = await usage();
    assert.deepEqual(others, []);
    assert.ok(manifest.inputTokenCount > 0);
    assert.deepEqual(row, {
      tenant: "team",
      key: key.accessKeyId,
      provider: "bedrock",
      model: "us.anthropic.claude-3-5-haiku-20241022-v1:0",
      jobs: 1,
      records: 5,
      succeeded: manifest.successRecordCount,
      failed: manifest.errorRecordCount,
      inputTokens: manifest.inputTokenCount,
      cachedInputTokens: 0,
      outputTokens: manifest.outputTokenCount,
      cost: (manifest.inputTokenCount * 400 + manifest.outputTokenCount * 2000) / 1e6,
    });
  }, { configuration, env: { BATCHWAY_SWEEP_SECONDS: "0.1" } }));

Deno.test("a forwarded job is forgotten in the step that counts it, and a late sweep adds nothing", async () => {
  await using folder = await temporaryFolder();
  const kv = await openKv(`${folder.path}/catalog.kv`);
  const { usage } = createCatalog(kv, sleep);
  const arn = "arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abcdefghijkl";
  const name = { provider: "aws", arn };
  const entry = { tenant: "t", model: "m", output: "", createdAt: 0, nextAt: 0, tries: 0 };
  const tokens = { inputTokens: 7, cachedInputTokens: 0, outputTokens: 5 };
  const row = {
    model: "m",
    runs: [{ provider: "aws", model: "m", succeeded: 1, failed: 0, ...tokens }],
  };
  const ended = { id: "abcdefghijkl" as Parameters<typeof usage.count>[1]["id"], endedAt: 5 };
  try {
    await usage.remember("aws", arn, entry);
    await usage.remember("aws", arn, { ...entry, tenant: "another" });
    await Promise.all([usage.count(name, ended, row), usage.count(name, ended, row)]);
    await usage.count(name, ended, { ...row, runs: [] });
    await usage.postpone(name, { nextAt: 9, tries: 1 });
    const left = await Array.fromAsync(usage.forwarded());
    assert.deepEqual(left, []);
    const rows = await Array.fromAsync(usage.rows({ from: "1970-01-01", to: "1970-01-01" }));
    assert.deepEqual(rows, [
      { day: "1970-01-01", tenant: "t", provider: "aws", job: "abcdefghijkl", entry: row },
    ]);
  } finally {
    kv.close();
  }
});

Deno.test("a job at Bedrock, and puts there, count against the limits of their key, once", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({
      tenant: "team",
      providers: ["bedrock"],
      defaultProvider: "bedrock",
      maxJobs: 1,
      maxCost: 100,
      maxBytes: 60_000,
    });
    const program = [url, JSON.stringify({ ...key, limited: true })];
    const { code, stdout, stderr } = await runPython(script, program);
    assert.equal(code, 0, stderr);
    const [first = "", last = ""] = stdout.trimEnd().split("\n").slice(-2);
    const manifest = JSON.parse(first);
    const [codes, bytes] = JSON.parse(last);
    assert.deepEqual(codes, [
      "ServiceQuotaExceededException",
      "AccessDenied",
      "PreconditionFailed",
      "ok",
    ]);
    const month = async () => (await keys.list())[0]?.month;
    await until("it is counted", async () => (await month())?.used.jobs === 1);
    const found = await month();
    assert.deepEqual(found?.reserved, { jobs: 0, records: 0, bytes: 0, cost: 0 });
    const cost = (manifest.inputTokenCount * 400 + manifest.outputTokenCount * 2000) / 1e6;
    assert.deepEqual({ ...found.used, cost: 0 }, {
      jobs: 1,
      records: 5,
      bytes: bytes + 50_000,
      cost: 0,
    });
    assert.equal(found.used.cost.toFixed(8), cost.toFixed(8));
  }, { configuration, env: { BATCHWAY_SWEEP_SECONDS: "0.1" } }));

const endless = { configuration, env: { BATCHWAY_SWEEP_SECONDS: "600" } };

Deno.test("a forwarded job is held to its key's limits of records and cost by what its input holds", () =>
  withKeys(async ({ url }, keys) => {
    const limited = { tenant: "team", providers: ["bedrock"], defaultProvider: "bedrock" };
    const record = (n: number, maxTokens: number) =>
      JSON.stringify({
        recordId: `record-${n}`,
        modelInput: {
          max_tokens: maxTokens,
          messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
        },
      });
    const lines = (count: number, maxTokens = 1_000) =>
      Array.from({ length: count }, (_, n) => record(n, maxTokens)).join("\n");
    const model = "us.anthropic.claude-3-5-haiku-20241022-v1:0";
    /** USD for an output token. */
    const price = 2_000 / 1e6;
    const cases = [
      { limits: { maxRecords: 5 }, fits: lines(3), is: /--max-records\): 0 records used and 3 / },
      { limits: { maxCost: 8 * price * 1_000 }, fits: lines(5), is: /--max-cost\): USD 0 used/ },
      // The first record alone says little of the others.
      {
        limits: { maxCost: 3_000 * price },
        fits: [record(0, 1), record(1, 1_500)].join("\n"),
        is: /--max-cost/,
      },
    ];
    for (const [n, { limits, fits, is }] of cases.entries()) {
      const key = await keys.add({ ...limited, ...limits });
      const client = createClient(url, "bedrock", signing(key));
      const bucket = `inputs-${n}`;
      const made = await client.send(`/bedrock/files/${bucket}`, { method: "PUT" });
      await made.body?.cancel();
      await client.upload(`${bucket}/in.jsonl`, fits);
      const create = (token: string) =>
        client.createRaw(`${bucket}/in.jsonl`, {
          modelId: model,
          roleArn: "arn:aws:iam::123456789012:role/batch",
          clientRequestToken: `${token}${n}`.repeat(17),
          outputDataConfig: { s3OutputDataConfig: { s3Uri: `s3://${bucket}/out/` } },
        });
      const first = await create("a");
      assert.equal(first.status, 200, await first.text());
      // The same create again reserves nothing more.
      const same = await create("a");
      assert.equal(same.status, 200, await same.text());
      const refused = await create("b");
      const text = await refused.text();
      assert.equal(refused.headers.get("x-amzn-errortype"), "ServiceQuotaExceededException", text);
      assert.match(text, is);
    }
    const few = await keys.add({ ...limited, maxRecords: 1 });
    const client = createClient(url, "bedrock", signing(few));
    const missing = await client.createRaw("inputs-0/none.jsonl", { modelId: model });
    // AWS says what is wrong with it.
    assert.equal(missing.headers.get("x-amzn-errortype"), "ValidationException");
    await missing.body?.cancel();
  }, endless));

Deno.test("copies that S3 makes count their bytes, by the size of their source or their range", () =>
  withKeys(async ({ url }, keys) => {
    const key = await keys.add({ providers: ["bedrock"], maxBytes: 70_000 });
    const client = createClient(url, "bedrock", signing(key));
    const used = async () => {
      const month = (await keys.list())[0]?.month;
      return [month?.used.bytes, month?.reserved.bytes];
    };
    const copy = async (to: string, source: string, headers: Record<string, string> = {}) => {
      const answer = await client.send(`/bedrock/files/bucket/${to}`, {
        method: "PUT",
        headers: { ...headers, "x-amz-copy-source": source },
      });
      const text = await answer.text();
      return answer.ok ? "ok" : /<Code>(\w+)/.exec(text)?.[1];
    };
    const made = await client.send("/bedrock/files/bucket", { method: "PUT" });
    await made.body?.cancel();
    await client.upload("bucket/a b.txt", "x".repeat(30_000));
    assert.equal(await copy("copy", "bucket/a%20b.txt"), "ok");
    assert.deepEqual(await used(), [60_000, 0]);
    assert.equal(await copy("second", "/bucket/a+b.txt"), "AccessDenied");
    // What S3 refuses counts nothing, and the range of a part only itself.
    assert.equal(await copy("none", "bucket/none"), "NoSuchKey");
    const begun = await client.send("/bedrock/files/bucket/parts?uploads", { method: "POST" });
    const id = /<UploadId>(.*?)</.exec(await begun.text())?.[1] ?? "";
    const range = { "x-amz-copy-source-range": "bytes=0-9999" };
    const part = `parts?partNumber=1&uploadId=${encodeURIComponent(id)}`;
    assert.equal(await copy(part, "bucket/a%20b.txt", range), "ok");
    assert.deepEqual(await used(), [70_000, 0]);
    assert.equal(await copy(part, "bucket/a%20b.txt", range), "AccessDenied");
    const arn = "arn:aws:s3:us-west-2:123456789012:accesspoint/a/object/b";
    assert.equal(await copy("third", arn), "InvalidRequest");
  }, endless));
