/** Usage and limits of cost where the lines of a job name other models than the job. */
import assert from "node:assert/strict";
import { isOtherModel } from "../../jobs/requested_model.ts";
import { createClient, holds, until } from "../jobs/wire.ts";
import { signing, withKeys } from "../keys.ts";

const configuration = JSON.stringify({
  prices: {
    "claude-haiku-4-5": { input: 1, output: 1 },
    "claude-opus-4-5": { input: 1_000, output: 1_000 },
    "gpt-4o-mini": { input: 1, output: 1 },
    "gpt-4o": { input: 1_000, output: 1_000 },
  },
});

const anthropic = (...models: string[]) =>
  models.map((model, n) =>
    JSON.stringify({
      custom_id: `record-${n}`,
      params: { model, max_tokens: 100, messages: [{ role: "user", content: "Hello there" }] },
    })
  ).join("\n");

const openai = (...models: string[]) =>
  models.map((model, n) =>
    JSON.stringify({
      custom_id: `record-${n}`,
      method: "POST",
      url: "/v1/chat/completions",
      body: { model, max_tokens: 100, messages: [{ role: "user", content: "Hello there" }] },
    })
  ).join("\n");

const lines = { anthropic, openai } as const;

/** Rows of usage: model, jobs, records, input and output tokens, cost. */
async function rowsOf(
  provider: keyof typeof lines,
  modelId: string,
  ...models: string[]
): Promise<unknown[]> {
  let found: unknown[] = [];
  await withKeys(async ({ url }, keys) => {
    const key = await keys.add({ providers: [provider], defaultProvider: provider });
    const client = createClient(url, provider, signing(key));
    await client.upload("bucket/in.jsonl", lines[provider](...models));
    const arn = await client.create("bucket/in.jsonl", { modelId });
    await until("it is over", async () => (await client.get(arn)).status === "Completed");
    const { rows } = await (await client.send("/usage?by=model")).json();
    found = rows.map((row: Record<string, unknown>) => [
      ...["model", "jobs", "records", "inputTokens", "outputTokens"].map((name) => row[name]),
      row["cost"] === null ? null : Math.round(Number(row["cost"]) * 1e6),
    ]);
  }, { configuration });
  return found;
}

Deno.test("records of one batch count at the models that ran them, at their own prices", async () => {
  const models = ["claude-opus-4-5", "claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"];
  const rows = await rowsOf("anthropic", "claude-haiku-4-5", ...models);
  assert.deepEqual(rows, [
    ["claude-haiku-4-5", 1, 1, 3, 7, 10],
    ["claude-opus-4-5", 0, 2, 6, 14, 20_000],
    ["claude-sonnet-4-5", 0, 1, 3, 7, null],
  ]);
});

Deno.test("a job of which no record ran on its own model counts once, where they ran", async () => {
  assert.deepEqual(await rowsOf("anthropic", "claude-haiku-4-5", "claude-opus-4-5"), [
    ["claude-opus-4-5", 1, 1, 3, 7, 10_000],
  ]);
  // The price of the job's own model is not that of another one.
  assert.deepEqual(await rowsOf("openai", "gpt-4o-mini", "gpt-4.1"), [
    ["gpt-4.1", 1, 1, 3, 7, null],
  ]);
});

Deno.test("the cost of a create is that of the model that its first record names", () =>
  withKeys(async ({ url }, keys) => {
    const cases = [
      ["openai", "gpt-4o-mini", "gpt-4o", "ServiceQuotaExceededException"],
      ["openai", "gpt-4o-mini", "gpt-4.1", "ValidationException"],
      ["openai", "gpt-4o", "gpt-4o-mini", "ok"],
      ["anthropic", "claude-haiku-4-5", "claude-opus-4-5", "ServiceQuotaExceededException"],
      ["anthropic", "claude-haiku-4-5", "claude-sonnet-4-5", "ValidationException"],
      ["anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", "ok"],
    ] as const;
    for (const [provider, modelId, model, expected] of cases) {
      const key = await keys.add({ providers: [provider], maxCost: 0.01 });
      const client = createClient(url, provider, signing(key));
      await client.upload("bucket/in.jsonl", lines[provider](model));
      const response = await client.createRaw("bucket/in.jsonl", { modelId });
      const text = await response.text();
      const got = response.ok ? "ok" : response.headers.get("x-amzn-errortype");
      assert.equal(got, expected, `${modelId} ${model}: ${text}`);
      if (expected === "ValidationException") assert.ok(text.includes(model), text);
    }
  }, { configuration }));

Deno.test("a job whose later records name models that its key has no money for, or no price, is not sent", () =>
  withKeys(async ({ url, sandbox }, keys) => {
    for (
      const [model, said] of [
        ["claude-opus-4-5", /--max-cost\): USD 0 used/],
        ["claude-sonnet-4-5", /no price of claude-sonnet-4-5 at anthropic/],
      ] as const
    ) {
      const key = await keys.add({ providers: ["anthropic"], maxCost: 0.01 });
      const client = createClient(url, "anthropic", signing(key));
      await client.upload("bucket/in.jsonl", anthropic("claude-haiku-4-5", model));
      const arn = await client.create("bucket/in.jsonl", { modelId: "claude-haiku-4-5" });
      await until("it failed", async () => (await client.get(arn)).status === "Failed");
      assert.match(String((await client.get(arn))["message"]), said);
    }
    const batches = () => holds(sandbox, "anthropic", "batches");
    assert.equal(await batches(), 0);
    const client = createClient(url, "anthropic", signing(await keys.add({ maxCost: 0.01 })));
    await client.upload("bucket/in.jsonl", anthropic("claude-haiku-4-5", "claude-haiku-4-5"));
    const arn = await client.create("bucket/in.jsonl", { modelId: "claude-haiku-4-5" });
    await until("one was sent", async () => await client.get(arn) && await batches() === 1);
  }, { configuration }));

Deno.test("a name that moves from snapshot to snapshot is not another model than its snapshots", () => {
  for (
    const [named, ran, isOther] of [
      ["claude-3-5-haiku-latest", "claude-3-5-haiku-20241022", false],
      ["claude-opus-4-0", "claude-opus-4-20250514", false],
      ["claude-haiku-4-5", "claude-haiku-4-5-20251001", false],
      ["claude-3-5-haiku-latest", "claude-3-5-sonnet-20241022", true],
      ["claude-opus-4-1", "claude-opus-4-20250514", true],
      ["gpt-4o-mini", undefined, false],
    ] as const
  ) assert.equal(isOtherModel(named, ran), isOther, `${named} ${ran}`);
});
