import assert from "node:assert/strict";
import { ConfigurationError, parseConfig } from "../../config/config.ts";

const parse = (file: unknown) => parseConfig({}, JSON.stringify(file), "batchway.jsonc");

async function errorsOf(file: unknown): Promise<string[]> {
  try {
    await parse(file);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.errors.map(({ place, message }) => `${place}: ${message}`).sort();
  }
  return [];
}

Deno.test("a service's own completion window and purpose are settings of its provider", async () => {
  const provider = { kind: "openai", baseUrl: "https://api.example/v1", apiKey: "k" };
  for (
    const batch of [
      { completionWindow: "7d", purpose: "batch-api" },
      { completionWindow: "1 hour" },
      { completionWindow: "PT24H" },
      { purpose: "batch_input" },
      {},
    ]
  ) {
    const { providers } = await parse({ providers: { service: { ...provider, batch } } });
    assert.deepEqual(providers[0]?.batch, batch);
  }
  const { providers } = await parse({ providers: { service: provider } });
  assert.equal(providers[0]?.batch, undefined);
});

Deno.test("an unknown completion window or purpose is an error, with its place", async () => {
  const wrong = (batch: unknown, kind = "openai") =>
    errorsOf({ providers: { service: { kind, apiKey: "k", batch } } });
  assert.deepEqual(await wrong({ completionWindow: 24, purpose: "two words" }), [
    "providers.service.batch.completionWindow: must be text in quotes",
    "providers.service.batch.purpose: must be one word, such as batch or batch-api",
  ]);
  for (const completionWindow of ["", "soon", "h24", "24h\r\n", `${"9".repeat(9)}h`]) {
    assert.deepEqual(await wrong({ completionWindow }), [
      "providers.service.batch.completionWindow: must be a number and its unit, such as 24h or 7d",
    ]);
  }
  assert.match((await wrong({ completionwindow: "24h" })).join(), /completionWindow/);
  assert.deepEqual(await wrong({ purpose: "batch" }, "gemini"), [
    "providers.service.batch: is for providers of kind openai, and this one is of kind gemini",
  ]);
});

Deno.test("limits of a batch are the provider's own, or smaller ones", async () => {
  const batchLimits = { records: 1_000, bytes: 1_000_000, running: 2 };
  const { providers } = await parse({
    providers: { service: { kind: "openai", apiKey: "k", batchLimits } },
  });
  assert.deepEqual(providers[0]?.batchLimits, batchLimits);
  const wrong = (limits: unknown, kind = "openai") =>
    errorsOf({ providers: { service: { kind, apiKey: "k", batchLimits: limits } } });
  assert.deepEqual(await wrong({ records: 50_001, bytes: 209_715_201 }), [
    "providers.service.batchLimits.bytes: must be at most 209715200, which is what a batch of " +
    "openai takes",
    "providers.service.batchLimits.records: must be at most 50000, which is what a batch of " +
    "openai takes",
  ]);
  assert.deepEqual(await wrong({ running: 0 }), [
    "providers.service.batchLimits.running: must be 1 or more",
  ]);
  assert.match((await wrong({ record: 5 })).join(), /nearest is records/);
});
