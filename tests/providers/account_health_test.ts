import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { createHealth } from "../../providers/account_health.ts";
import { createAnthropic } from "../../providers/anthropic.ts";
import { createGemini } from "../../providers/gemini/mod.ts";
import { createOpenAI } from "../../providers/openai/mod.ts";
import { batchId } from "../../codecs/ids.ts";
import type { Account } from "../../providers/provider.ts";
import type { ProviderDeps } from "../../providers/settings.ts";
import { quiet, serve, world } from "./harness.ts";

const minute = 60_000;

function watched() {
  const state = { time: 0, told: [] as string[] };
  const health = createHealth("cloud", "a", {
    now: () => new Date(state.time),
    warn: (message) => state.told.push(message),
  });
  return { state, health };
}

Deno.test("an account stays aside for its time, whatever the clock is set to", () => {
  const state = { time: 10 * 60 * minute, uptime: 0 };
  const health = createHealth("cloud", "a", {
    now: () => new Date(state.time),
    uptime: () => state.uptime,
  });
  health.refused("quota", undefined);
  for (const time of [48 * 60 * minute, 0]) {
    state.time = time;
    assert.equal(health.setAside()?.until.getTime(), time + minute);
  }
  state.uptime = minute;
  assert.equal(health.setAside(), undefined);
});

Deno.test("an account that is refused is set aside for longer each time, within a bound, and logged once", () => {
  const { state, health } = watched();
  assert.equal(health.setAside(), undefined);
  const waits: number[] = [];
  for (let n = 0; n < 8; n++) {
    health.refused("key", undefined);
    const { until, because, trouble } = health.setAside() ?? assert.fail("it is not set aside");
    assert.deepEqual([trouble, because], ["key", "the provider refuses its key"]);
    waits.push(until.getTime() - state.time);
    state.time = until.getTime();
    assert.equal(health.setAside(), undefined);
  }
  assert.deepEqual(waits, [0.5, 1, 2, 4, 8, 15, 15, 15].map((n) => n * minute));
  assert.deepEqual(state.told, ["An account is set aside"]);
  health.answered(false);
  assert.deepEqual(state.told.slice(1), ["An account that was set aside is well again"]);
  health.refused("key", undefined);
  assert.equal((health.setAside()?.until.getTime() ?? 0) - state.time, minute / 2);
  assert.equal(state.told.length, 3);
});

Deno.test("operators see an account's trouble until its provider, or a new key, ends it", () => {
  let [time, apiKey] = [0, "old"];
  const health = createHealth("cloud", "a", { now: () => new Date(time), apiKey: () => apiKey });
  assert.equal(health.trouble(), undefined);
  health.refused("key", undefined);
  time = 24 * 60 * minute;
  assert.deepEqual([health.setAside(), health.trouble()], [undefined, "key"]);
  health.answered(false);
  assert.equal(health.trouble(), undefined);
  health.refused("quota", undefined);
  time *= 2;
  // What costs nothing says nothing of the quota.
  health.answered(false);
  assert.equal(health.trouble(), "quota");
  health.answered(true);
  assert.equal(health.trouble(), undefined);
  health.refused("key", undefined);
  apiKey = "new";
  assert.equal(health.trouble(), undefined);
});

Deno.test("refusals that come at once count as one", () => {
  const { state, health } = watched();
  for (let n = 0; n < 20; n++) health.refused("key", undefined);
  assert.equal(health.setAside()?.until.getTime(), minute / 2);
  assert.equal(state.told.length, 1);
});

Deno.test("an account without credit is not well because it answers what costs nothing", () => {
  const { health } = watched();
  health.refused("quota", 5 * minute);
  assert.equal(health.setAside()?.until.getTime(), 5 * minute);
  health.answered(false);
  assert.equal(health.setAside()?.trouble, "quota");
  health.answered(true);
  assert.equal(health.setAside(), undefined);
  // What the provider asks for is kept within bounds as well.
  health.refused("quota", 24 * 60 * minute);
  assert.equal(health.setAside()?.until.getTime(), 15 * minute);
});

Deno.test("an account that a list goes without is logged once, until it answers", () => {
  const { state, health } = watched();
  for (let n = 0; n < 3; n++) health.leftOut(new Error("no"));
  assert.equal(state.told.length, 1);
  health.answered(false);
  health.leftOut(new Error("no"));
  assert.equal(state.told.length, 2);
});

/** What a call to a provider makes of an account, given the provider's answer. */
interface Case {
  readonly what: string;
  readonly make: (baseUrl: string, deps: ProviderDeps) => readonly Account[];
  readonly status: number;
  readonly body: object;
  readonly expected: "key" | "quota" | undefined;
}

const accounts = [{ name: "a", apiKey: "sk-test", weight: 1 }];
const openai: Case["make"] = (baseUrl, deps) =>
  createOpenAI({ name: "openai", kind: "openai", baseUrl, accounts }, deps).accounts;
const gemini: Case["make"] = (baseUrl, deps) =>
  createGemini({ name: "gemini", kind: "gemini", baseUrl, accounts }, deps).accounts;
const anthropic: Case["make"] = (baseUrl, deps) =>
  createAnthropic({ name: "anthropic", kind: "anthropic", baseUrl, accounts }, deps).accounts;
const google = (status: string, details: object[] = []) => ({
  error: { code: 1, status, message: "m", details },
});
const quotaFailure = (quotaId: string) => ({
  "@type": "type.googleapis.com/google.rpc.QuotaFailure",
  violations: [{ quotaMetric: "x", quotaId }],
});

const cases: readonly Case[] = [
  {
    what: "OpenAI's 401",
    make: openai,
    status: 401,
    body: { error: { message: "no" } },
    expected: "key",
  },
  {
    what: "OpenAI's word for a bad key",
    make: openai,
    status: 403,
    body: { error: { code: "account_deactivated" } },
    expected: "key",
  },
  {
    what: "OpenAI's insufficient_quota",
    make: openai,
    status: 429,
    body: { error: { code: "insufficient_quota" } },
    expected: "quota",
  },
  {
    what: "OpenAI's rate limit",
    make: openai,
    status: 429,
    body: { error: { code: "rate_limit_exceeded" } },
    expected: undefined,
  },
  {
    what: "OpenAI's 403 without a word",
    make: openai,
    status: 403,
    body: { error: { message: "not this project" } },
    expected: undefined,
  },
  {
    what: "Gemini's bad key, a 400",
    make: gemini,
    status: 400,
    body: google("INVALID_ARGUMENT", [{ reason: "API_KEY_INVALID" }]),
    expected: "key",
  },
  {
    what: "Gemini's quota of the day",
    make: gemini,
    status: 429,
    body: google("RESOURCE_EXHAUSTED", [quotaFailure("BatchTokensPerDayPerProjectPerModel")]),
    expected: "quota",
  },
  {
    what: "Gemini's quota of the minute",
    make: gemini,
    status: 429,
    body: google("RESOURCE_EXHAUSTED", [quotaFailure("GenerateRequestsPerMinutePerProject")]),
    expected: undefined,
  },
  {
    what: "Gemini's 403, which may stand for a file that is not there",
    make: gemini,
    status: 403,
    body: google("PERMISSION_DENIED"),
    expected: undefined,
  },
  {
    what: "Anthropic's bad key",
    make: anthropic,
    status: 401,
    body: { type: "error", error: { type: "authentication_error" } },
    expected: "key",
  },
  {
    what: "Anthropic's bill",
    make: anthropic,
    status: 402,
    body: { type: "error", error: { type: "billing_error" } },
    expected: "quota",
  },
  {
    what: "an outage",
    make: openai,
    status: 503,
    body: { error: { message: "later" } },
    expected: undefined,
  },
];

for (const { what, make, status, body, expected } of cases) {
  Deno.test(`${what} ${expected ? "sets the account aside" : "says nothing of the account"}`, async () => {
    await using server = serve(() => Response.json(body, { status }));
    await using one = world();
    const [account] = make(server.url, one.deps);
    assert.ok(account);
    await assert.rejects(account.batches.list(undefined, quiet()), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.details.account, expected);
      return true;
    });
    assert.equal(account.health?.setAside()?.trouble, expected);
    assert.doesNotMatch(JSON.stringify(account.health?.setAside() ?? {}), /sk-test/);
  });
}

Deno.test("an account is well again once its provider answers", async () => {
  let status = 401;
  await using server = serve(() =>
    status === 200
      ? Response.json({ object: "list", data: [], has_more: false })
      : Response.json({ error: { code: "invalid_api_key" } }, { status })
  );
  await using one = world();
  const [account] = openai(server.url, one.deps);
  assert.ok(account?.files);
  await assert.rejects(account.files.head(fileId("file-a"), quiet()));
  assert.equal(account.health?.setAside()?.trouble, "key");
  await assert.rejects(account.batches.get(batchId("batch_a"), quiet()));
  status = 200;
  await account.files.list(undefined, quiet());
  assert.equal(account.health?.setAside(), undefined);
});
