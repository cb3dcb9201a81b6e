import assert from "node:assert/strict";
import { sandboxKeys } from "../../sandbox/context.ts";
import { startTestGateway, type TestGateway } from "../gateway.ts";
import OpenAI from "../sdks/openai.ts";
import { asked, type Client, createClient, fault, openaiLines } from "./wire.ts";

/** An account of the configuration file. */
interface AccountEntry {
  readonly name: string;
  readonly apiKey: string;
  readonly weight?: number;
}

const good = (name: string, weight = 1): AccountEntry => ({
  name,
  apiKey: sandboxKeys.openai,
  weight,
});
const bad = (name: string, weight = 1): AccountEntry => ({
  name,
  apiKey: `sk-revoked-${name}`,
  weight,
});

async function withAccounts(
  accounts: readonly AccountEntry[],
  work: (client: Client, gateway: TestGateway) => Promise<void>,
): Promise<void> {
  const configuration = JSON.stringify({ providers: { openai: { kind: "openai", accounts } } });
  const gateway = await startTestGateway({ configuration, sandbox: { batchSeconds: 0.2 } });
  try {
    await work(createClient(gateway.url), gateway);
  } finally {
    await gateway.stop();
  }
}

/** What `/readyz` tells of OpenAI. */
async function ready({ url }: TestGateway) {
  const response = await fetch(`${url}/readyz`);
  const { status, providers } = await response.json();
  const openai = providers.find(({ name }: { name: string }) => name === "openai");
  return { http: response.status, ready: status, ...openai };
}

const count = (logged: readonly string[], text: string) =>
  logged.filter((line) => line.includes(text)).length;

/** Puts an object as an SDK does: a 503 is tried again. */
async function put(client: Client, key: string): Promise<number> {
  for (let attempt = 1;; attempt++) {
    const response = await client.put(key, openaiLines);
    const text = await response.text();
    if (response.status !== 503 || attempt === 3) {
      assert.equal(response.status, 200, text);
      return attempt;
    }
  }
}

Deno.test("with one bad key among two, uploads, lists, look-ups and jobs go on, and the log names it once", async () => {
  await withAccounts([bad("revoked", 1_000_000), good("fine")], async (client, gateway) => {
    const sdk = new OpenAI({ apiKey: sandboxKeys.openai, baseURL: gateway.sandbox.openaiUrl });
    const file = new File([openaiLines], "native.jsonl");
    const native = await sdk.files.create({ file, purpose: "batch" });
    const nativeBatch = await sdk.batches.create({
      input_file_id: native.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    assert.equal((await client.list()).length, 1);
    assert.equal((await client.get(nativeBatch.id)).jobName, nativeBatch.id);
    const listed = await client.send("/bedrock/files/openai-files?list-type=2");
    assert.match(await listed.text(), new RegExp(native.id));
    const head = await client.send(`/bedrock/files/openai-files/${native.id}`, { method: "HEAD" });
    assert.equal(head.status, 200);
    for (let n = 0; n < 5; n++) await put(client, `bucket/${n}.jsonl`);
    await client.create("bucket/0.jsonl");
    assert.equal((await client.list()).length, 2);
    assert.equal(count(gateway.logged, "An account is set aside"), 1);
    const told = await ready(gateway);
    assert.deepEqual([told.http, told.ready, told.status], [200, "ready", "ok"]);
    assert.deepEqual(told.accounts, ["revoked", "fine"]);
    assert.equal(told.states.fine, "ok");
    assert.match(
      told.states.revoked,
      /^set aside until \d{4}-.*Z because the provider refuses its key$/,
    );
    const all = gateway.logged.join("\n") + JSON.stringify(told);
    assert.ok(!all.includes("sk-revoked") && !all.includes(sandboxKeys.openai), "a key was told");
  });
});

Deno.test("an upload that meets the bad key first is asked to come again, and then goes well", async () => {
  await withAccounts([bad("revoked", 1_000_000), good("fine")], async (client, gateway) => {
    assert.equal(await put(client, "bucket/in.jsonl"), 2);
    assert.equal(await put(client, "bucket/in.jsonl"), 1);
    assert.equal(count(gateway.logged, "An account is set aside"), 1);
  });
});

Deno.test("with every key bad the provider's own refusal is passed on, and the gateway says so and serves", async () => {
  await withAccounts([bad("one"), bad("two")], async (client, gateway) => {
    for (let n = 0; n < 3; n++) {
      const response = await client.put("bucket/in.jsonl", openaiLines);
      const text = await response.text();
      // The first meets a bad key while the other may still be well.
      const expected = n === 0 ? 503 : 403;
      assert.equal(response.status, expected, text);
      if (n > 0) assert.match(text, /AccessDenied.*openai denied/);
    }
    const list = await client.send("/bedrock/model-invocation-jobs");
    await list.body?.cancel();
    assert.deepEqual(
      [list.status, list.headers.get("x-amzn-errortype")],
      [403, "AccessDeniedException"],
    );
    const objects = await client.send("/bedrock/files/openai-files?list-type=2");
    assert.equal(objects.status, 403);
    await objects.body?.cancel();
    const told = await ready(gateway);
    assert.deepEqual(
      [told.http, told.ready, told.status],
      [200, "ready", "every account is set aside"],
    );
    assert.equal(count(gateway.logged, "An account is set aside"), 2);
  });
});

Deno.test("a running job whose account's key is refused says which account it is on", async () => {
  await withAccounts([good("revoked", 1_000_000), good("fine")], async (client, gateway) => {
    await put(client, "bucket/in.jsonl");
    const arn = await client.create("bucket/in.jsonl");
    const refusal = {
      provider: "openai",
      method: "GET",
      path: "/batches/",
      status: 401,
      body: JSON.stringify({ error: { message: "Revoked", code: "invalid_api_key" } }),
    } as const;
    await fault(gateway.sandbox, { ...refusal, times: 1 });
    const path = `/bedrock/model-invocation-job/${encodeURIComponent(arn)}`;
    const refused = await client.send(path);
    assert.equal(refused.headers.get("x-amzn-errortype"), "AccessDeniedException");
    assert.match((await refused.json()).message, /The job is on the account revoked of openai/);
    // The key works again, and so does all else.
    assert.ok((await client.get(arn)).status);
    assert.equal((await ready(gateway)).states.revoked, "ok");
  });
});

Deno.test("a create on an account without quota says which account holds its input, and new files go to the other", async () => {
  await withAccounts([good("poor", 1_000_000), good("rich")], async (client, gateway) => {
    await put(client, "bucket/old.jsonl");
    await fault(gateway.sandbox, {
      provider: "openai",
      method: "POST",
      path: "/batches$",
      status: 429,
      body: JSON.stringify({
        error: {
          message: "You exceeded your quota",
          type: "insufficient_quota",
          code: "insufficient_quota",
        },
      }),
      times: 1,
    });
    const refused = await client.createRaw("bucket/old.jsonl", { clientRequestToken: "t" });
    assert.equal(refused.headers.get("x-amzn-errortype"), "ServiceQuotaExceededException");
    const { message } = await refused.json();
    assert.match(message, /The job's input is on the account poor of openai, which is set aside/);
    assert.match(message, /no credit or quota left/);
    assert.equal(await asked(gateway.sandbox, "POST", /^\/batches$/), 1);
    const told = await ready(gateway);
    assert.match(told.states.poor, /^set aside until .* no credit or quota left$/);
    assert.equal(told.states.rich, "ok");
    // Its token is free; and what is put now is on the other account.
    await put(client, "bucket/new.jsonl");
    await client.create("bucket/new.jsonl", { clientRequestToken: "t" });
    assert.match((await ready(gateway)).states.poor, /^set aside/);
    // The old file's account is asked all the same, and its answer tells that it is well.
    await client.create("bucket/old.jsonl", { clientRequestToken: "u" });
    assert.equal((await ready(gateway)).states.poor, "ok");
    assert.equal(count(gateway.logged, "well again"), 1);
  });
});
