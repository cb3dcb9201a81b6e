import assert from "node:assert/strict";
import Anthropic from "../sdks/anthropic.ts";
import { GoogleGenAI } from "../sdks/genai.ts";
import OpenAI from "../sdks/openai.ts";
import { sandboxKeys } from "../../sandbox/context.ts";
import { type Sandbox, startSandbox } from "../../sandbox/server.ts";
import { temporaryFolder } from "../catalog/memory.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import {
  asked,
  type Client,
  createClient,
  fault,
  geminiLines,
  holds,
  mend,
  openaiLines,
  until,
} from "./wire.ts";

async function withGateway(
  work: (client: Client, gateway: TestGateway) => Promise<void>,
  options?: TestGatewayOptions,
): Promise<void> {
  const gateway = await startTestGateway(options);
  try {
    await work(createClient(gateway.url), gateway);
  } finally {
    await gateway.stop();
  }
}

Deno.test("fifty pollers of one job are few questions to the provider, and none once it is over", async () => {
  await withGateway(async (client, { sandbox }) => {
    await client.upload("openai-files/in.jsonl");
    const arn = await client.create("openai-files/in.jsonl");
    await fault(sandbox, {
      provider: "openai",
      method: "GET",
      path: "/batches/",
      latencySeconds: 0.3,
    });
    const jobs = await Promise.all(Array.from({ length: 50 }, () => client.get(arn)));
    assert.equal(new Set(jobs.map(({ jobArn }) => jobArn)).size, 1);
    // One while the first is slow; those that came after it share another.
    assert.ok(await asked(sandbox, "GET", /^\/batches\/./) <= 2);
    await until("the job completes", async () => (await client.get(arn)).status === "Completed");
    const before = await asked(sandbox, "GET", /^\/batches/);
    const done = await client.get(arn);
    assert.deepEqual(
      [done.totalRecordCount, done.successRecordCount, done.errorRecordCount],
      [3, 3, 0],
    );
    assert.equal(await asked(sandbox, "GET", /^\/batches/), before);
    assert.equal(await client.stop(arn), "ConflictException");
  });
});

for (
  const [provider, part, path] of [
    ["openai", "openai", "/batches"],
    ["gemini", "gemini", ":batchGenerateContent"],
  ] as const
) {
  Deno.test(`${provider}: a create whose answer is lost is one batch, and its caller gets the job`, async () => {
    await withGateway(async (_, { url, sandbox }) => {
      const client = createClient(url, provider);
      const key = `${provider}-files/in.jsonl`;
      await client.upload(key, ...(provider === "gemini" ? [geminiLines] : []));
      await fault(sandbox, { provider, method: "POST", path: `.*${path}$`, cut: "after" });
      const token = { clientRequestToken: "token" };
      const arn = await client.create(key, token);
      assert.equal(await client.create(key, token), arn);
      assert.equal(await holds(sandbox, part, "batches"), 1);
      const job = await until("the job completes", async () => {
        const job = await client.get(arn);
        return job.status === "Completed" && job;
      });
      assert.equal(job.successRecordCount, 3);
    });
  });

  Deno.test(`${provider}: an upload whose answer is lost leaves no stray file`, async () => {
    await withGateway(async (_, { url, sandbox }) => {
      const client = createClient(url, provider);
      const lines = provider === "gemini" ? [geminiLines] : [];
      await client.upload(`${provider}-files/old.jsonl`, ...lines);
      const path = provider === "gemini" ? "/upload/.*" : "/files$";
      await fault(sandbox, { provider, method: "POST", path, cut: "after", times: 1 });
      const answer = await client.put(`${provider}-files/new.jsonl`, lines[0] ?? openaiLines);
      await answer.body?.cancel();
      // Where a request that was lost may be sent again, the upload goes well.
      const expected = answer.status === 200 ? 2 : 1;
      if (expected === 1) assert.equal(answer.status, 503);
      await until("no stray file", async () => await holds(sandbox, part, "files") === expected);
    });
  });
}

/**
 * One record, which Deno.serve reads together with the head of its request: after larger bodies it
 * does not see that the client goes away.
 */
const oneLine = `${openaiLines.split("\n")[0]}\n`;

Deno.test("an upload that is seen to be given up while the provider is at it leaves no stray file", async () => {
  await withGateway(async (client, { sandbox }) => {
    await fault(sandbox, {
      provider: "openai",
      method: "POST",
      path: "/files$",
      delayAfterSeconds: 20,
    });
    const gone = new AbortController();
    const put = client.put("openai-files/in.jsonl", oneLine, gone.signal);
    await until(
      "the provider has the file",
      async () => await holds(sandbox, "openai", "files") === 1,
    );
    gone.abort();
    await assert.rejects(put);
    await until("the file is gone", async () => await holds(sandbox, "openai", "files") === 0);
  });
});

for (
  const [what, lines] of [
    ["one record", oneLine],
    ["three records", openaiLines],
    ["more than 64 KiB", `${openaiLines}\n`.repeat(200)],
  ] as const
) {
  Deno.test(`an upload of ${what} whose client goes away is an object or leaves no file`, async () => {
    assert.equal(lines.length > 64 * 1024, what === "more than 64 KiB");
    await withGateway(async (client, { sandbox }) => {
      const path = "/files$";
      await fault(sandbox, { provider: "openai", method: "POST", path, delayAfterSeconds: 0.7 });
      const gone = new AbortController();
      const put = client.put("openai-files/in.jsonl", lines, gone.signal);
      const files = () => holds(sandbox, "openai", "files");
      await until("the provider has the file", async () => await files() === 1);
      gone.abort();
      // On a busy machine the answer may have come before: what must hold is the same.
      await put.then((answer) => answer.body?.cancel()).catch(() => {});
      const read = async () => {
        const answer = await client.send("/bedrock/files/openai-files/in.jsonl");
        const text = await answer.text();
        return answer.ok ? text : undefined;
      };
      const object = await until("the file has its name or is gone", async () => {
        const text = await read();
        return await files() === (text === undefined ? 0 : 1) && { text };
      });
      if (object.text !== undefined) assert.equal(object.text, lines);
      // Put again, as a client does that had no answer: one file, whatever became of the first put.
      await mend(sandbox);
      await client.upload("openai-files/in.jsonl", lines);
      assert.equal(await read(), lines);
      await until("one file is left", async () => await files() === 1);
    });
  });
}

Deno.test("two gateways on one catalog: the same create at both, many times, is one batch", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.2 });
  const options = { providers: sandbox, catalogPath: `${folder.path}/catalog.kv` };
  const gateways = [await startTestGateway(options), await startTestGateway(options)];
  try {
    const clients = gateways.map(({ url }) => createClient(url));
    const [one, two] = clients;
    assert.ok(one && two);
    await one.upload("openai-files/in.jsonl");
    await fault(sandbox, {
      provider: "openai",
      path: "/batches$",
      method: "POST",
      latencySeconds: 0.3,
    });
    const token = { clientRequestToken: "token" };
    const arns = await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) => (n % 2 ? one : two).create("openai-files/in.jsonl", token),
      ),
    );
    assert.equal(new Set(arns).size, 1);
    assert.equal(await holds(sandbox, "openai", "batches"), 1);
    const arn = arns[0] ?? "";
    await until("it completes", async () => (await two.get(arn)).status === "Completed");
    assert.equal((await one.get(arn)).status, "Completed");
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await sandbox.close();
  }
});

async function nativeBatch(provider: string, sandbox: Sandbox): Promise<string> {
  if (provider === "anthropic") {
    const sdk = new Anthropic({ apiKey: sandboxKeys.anthropic, baseURL: sandbox.anthropicUrl });
    const params = {
      model: "claude-haiku-4-5",
      max_tokens: 10,
      messages: [{ role: "user" as const, content: "Hello" }],
    };
    const requests = [1, 2, 3].map((n) => ({ custom_id: `r-${n}`, params }));
    return (await sdk.messages.batches.create({ requests })).id;
  }
  if (provider === "gemini") {
    const sdk = new GoogleGenAI({
      apiKey: sandboxKeys.gemini,
      httpOptions: { baseUrl: sandbox.geminiUrl },
    });
    const src = [1, 2, 3].map(() => ({ contents: [{ parts: [{ text: "Hello" }] }] }));
    return (await sdk.batches.create({ model: "gemini-2.5-flash", src })).name ?? "";
  }
  const sdk = new OpenAI({ apiKey: sandboxKeys.openai, baseURL: sandbox.openaiUrl });
  const lines =
    '{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model":"m",' +
    '"messages":[{"role":"user","content":"Hello"}]}}\n';
  const file = await sdk.files.create({
    file: new File([lines], "native.jsonl"),
    purpose: "batch",
  });
  const batch = await sdk.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
  return batch.id;
}

for (const provider of ["openai", "gemini", "anthropic"]) {
  Deno.test(`${provider}: a batch made with its own SDK is listed, shown and stopped here`, async () => {
    await withGateway(async (_, { url, sandbox }) => {
      const client = createClient(url, provider);
      const id = await nativeBatch(provider, sandbox);
      const stopped = await nativeBatch(provider, sandbox);
      const byId = await client.get(id);
      const list = await client.list();
      assert.equal(list.length, 2);
      assert.ok(list.some(({ jobArn }) => jobArn === byId.jobArn));
      assert.match(
        byId.jobArn,
        /^arn:aws:bedrock:us-west-2:000000000000:model-invocation-job\/[a-z0-9]{12}$/,
      );
      assert.equal(byId.roleArn, "arn:aws:iam::000000000000:role/batchway-native");
      assert.deepEqual(byId.outputDataConfig, {
        s3OutputDataConfig: { s3Uri: `s3://${provider}/` },
      });
      const { s3InputDataConfig: { s3Uri } } = byId.inputDataConfig as {
        s3InputDataConfig: { s3Uri: string };
      };
      assert.ok(
        s3Uri.startsWith(`s3://${provider}/${provider === "openai" ? "file-" : id}`),
        s3Uri,
      );
      assert.equal(await client.stop(stopped), "");
      const ends = ["Stopping", "Stopped"];
      assert.ok(ends.includes((await client.get(stopped)).status));
      await until("it stops", async () => (await client.get(stopped)).status === "Stopped");
      const done = await until("the other completes", async () => {
        const job = await client.get(byId.jobArn.slice(-12));
        return job.status === "Completed" && job;
      });
      assert.equal(done.successRecordCount, provider === "openai" ? 1 : 3);
      assert.equal(await client.stop(byId.jobArn), "ConflictException");
    }, { sandbox: { batchSeconds: 0.6 } });
  });
}

Deno.test("a replaced input is kept while its job runs, and deleted at its end", async () => {
  await withGateway(async (client, { sandbox }) => {
    const old = await client.upload("openai-files/in.jsonl");
    const arn = await client.create("openai-files/in.jsonl");
    await client.upload("openai-files/in.jsonl");
    const files = async () => {
      const list = await client.send("/bedrock/files/openai-files?list-type=2");
      return await list.text();
    };
    assert.ok(!(await files()).includes(old));
    await until("it completes", async () => (await client.get(arn)).status === "Completed");
    assert.equal((await client.get(arn)).successRecordCount, 3);
    const sdk = new OpenAI({ apiKey: sandboxKeys.openai, baseURL: sandbox.openaiUrl });
    await assert.rejects(sdk.files.retrieve(old), { status: 404 });
  }, { sandbox: { batchSeconds: 0.5 } });
});
