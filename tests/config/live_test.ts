import assert from "node:assert/strict";
import { parseConfig } from "../../config/config.ts";
import { createLiveConfig } from "../../config/live.ts";
import { limitsOf } from "../../providers/limits.ts";
import { createPool, withOwnShare } from "../../runtime/pool.ts";
import { liveRateLimit } from "../../access/rate_limit.ts";

const configOf = (more: Readonly<Record<string, unknown>>, provider = {}) => {
  const providers = {
    a: { kind: "openai", baseUrl: "http://127.0.0.1:1", apiKey: "k", ...provider },
  };
  return parseConfig({}, JSON.stringify({ providers, ...more }), "batchway.jsonc");
};

Deno.test("what was handed on at the start shows the newest models and limits of batches", async () => {
  const live = createLiveConfig(await configOf({ models: { x: { a: "one" } } }));
  const { models, providers: [provider] } = live.config;
  assert.equal(limitsOf("openai", provider?.batchLimits).records, 50_000);
  const next = await configOf({ models: { y: { a: "two" } } }, { batchLimits: { records: 7 } });
  assert.deepEqual(live.replace(next), {
    changed: ["models", "providers.a.batchLimits"],
    needRestart: [],
  });
  assert.deepEqual(Object.keys(models), ["y"]);
  assert.equal(limitsOf("openai", provider?.batchLimits).records, 7);
  assert.deepEqual(live.replace(next), { changed: [], needRestart: [] });
});

Deno.test("nothing of a file is taken over that needs a provider of the next start", async () => {
  const live = createLiveConfig(await configOf({ models: { x: { a: "one" } } }));
  const next = await configOf(
    { models: { y: { a: "two" } }, limits: { requestsPerSecond: 1 } },
    { baseUrl: "http://127.0.0.1:2", batchLimits: { records: 7 } },
  );
  assert.deepEqual(live.replace(next), {
    changed: [],
    needRestart: ["providers", "models", "limits"],
  });
  assert.deepEqual(Object.keys(live.config.models), ["x"]);
  assert.equal(live.config.limits.requestsPerSecond, null);
});

Deno.test("a pool and a rate follow their limits, and what was taken stays taken", () => {
  let most = 1;
  const pool = createPool(() => withOwnShare(most, 4));
  const holder = { tenant: "t", account: "a" };
  assert.ok(pool.take(holder));
  assert.equal(pool.fits(holder), false);
  most = 3;
  assert.ok(pool.take(holder));
  most = 1;
  assert.equal(pool.fits(holder), false);
  assert.equal(pool.taken(), 2);
  let rate: number | null = 1;
  const limit = liveRateLimit(() => rate, () => 0);
  assert.equal(limit.take("k"), undefined);
  assert.equal(limit.take("k"), 1);
  rate = null;
  assert.equal(limit.take("k"), undefined);
});

for (
  const [what, text] of [
    ["is gone", undefined],
    ["is empty", ""],
    ["holds only blank lines", " \n\n"],
  ] as const
) {
  Deno.test(`a file that ${what} takes nothing back, though the environment names a provider`, async () => {
    const prices = { "*": { input: 1, output: 2 } };
    const live = createLiveConfig(await configOf({ prices }));
    const next = await parseConfig({ OPENAI_API_KEY: "sk-any" }, text, "batchway.jsonc");
    assert.throws(() => live.replace(next), /^Error: batchway\.jsonc is gone, or empty\. Write it/);
    assert.deepEqual(live.config.prices, prices);
  });
}

Deno.test("a gateway that began without a file takes one over", async () => {
  const live = createLiveConfig(await parseConfig({ OPENAI_API_KEY: "k" }, undefined, "f"));
  const next = await parseConfig({ OPENAI_API_KEY: "k" }, '{"defaultProvider":"openai"}', "f");
  assert.deepEqual(live.replace(next).needRestart, []);
  assert.deepEqual(live.replace(await parseConfig({ OPENAI_API_KEY: "k" }, "", "f")).changed, []);
});
