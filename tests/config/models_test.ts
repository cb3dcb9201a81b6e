import assert from "node:assert/strict";
import { ConfigurationError, parseConfig } from "../../config/config.ts";

const keys = { OPENAI_API_KEY: "k", GEMINI_API_KEY: "k", ANTHROPIC_API_KEY: "k" };

async function configOf(models: unknown, environment: Record<string, string> = keys) {
  return await parseConfig(environment, JSON.stringify({ models }), "batchway.jsonc");
}

/** The errors of a table: `place: message`, in order of their places. */
async function errorsOf(models: unknown): Promise<string[]> {
  try {
    await configOf(models);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.errors.map(({ place, message }) => `${place}: ${message}`).sort();
  }
  return [];
}

Deno.test("models name a provider's model by an id, or by an id with facts", async () => {
  const { models, notes } = await configOf({
    "anthropic.claude-3-5-haiku-20241022-v1:0": {
      openai: "gpt-4o-mini",
      gemini: "gemini-2.5-flash",
    },
    "fast": { anthropic: { id: "claude-haiku-4-5", maxOutput: 4096, sampling: "none" } },
    "meta.*": { openai: { id: "local" } },
  });
  assert.deepEqual(models, {
    "anthropic.claude-3-5-haiku-20241022-v1:0": {
      openai: { id: "gpt-4o-mini" },
      gemini: { id: "gemini-2.5-flash" },
    },
    "fast": {
      anthropic: { id: "claude-haiku-4-5", facts: { maxOutput: 4096, sampling: "none" } },
    },
    "meta.*": { openai: { id: "local" } },
  });
  assert.deepEqual(notes, []);
});

Deno.test("models can say every fact that the table of families holds", async () => {
  const facts = {
    sampling: "one",
    maxOutput: 1,
    thinking: "level",
    thinkingOff: false,
    prefill: true,
    structured: false,
    stop: false,
    penalties: true,
  };
  const { models } = await configOf({ "*": { gemini: { id: "g", ...facts } } });
  assert.deepEqual(models["*"]?.["gemini"], { id: "g", facts });
});

Deno.test("every error in models has its place, and the others are found too", async () => {
  assert.deepEqual(
    await errorsOf({
      "a": { opnai: "x" },
      "b.c": { openai: "" },
      "d": { openai: 5, gemini: null },
      "e": { openai: { maxOutput: 0 } },
      "f": { openai: { id: "x", maxOutputs: 5 } },
      "g": { openai: { id: "x", thinking: "much", stop: "no" } },
      "h": "gpt-4o",
      "": { openai: "x" },
      "i*j": { openai: "x" },
      "k**": { openai: "x" },
    }),
    [
      "models.: must not be empty",
      "models.a.opnai: names the provider opnai, which is not configured; configured are openai, gemini, anthropic",
      "models.b.c.openai: must not be empty",
      'models.d.gemini: must be a model id in quotes, or an object with its "id"',
      'models.d.openai: must be a model id in quotes, or an object with its "id"',
      "models.e.openai.id: is missing",
      "models.e.openai.maxOutput: must be 1 or more",
      "models.f.openai.maxOutputs: is not a known name; the nearest is maxOutput",
      "models.g.openai.stop: must be true or false",
      'models.g.openai.thinking: must be "budget" or "effort" or "level" or "none"',
      "models.h: must be an object, { … }",
      "models.i*j: can have a * only at its end",
      "models.k**: can have a * only at its end",
    ],
  );
});

Deno.test("a list where many names can stand is an error", async () => {
  for (const name of ["providers", "buckets"]) {
    await assert.rejects(
      parseConfig(keys, JSON.stringify({ [name]: [] }), "batchway.jsonc"),
      { errors: [{ place: name, message: "must be an object, { … }" }] },
    );
  }
  assert.deepEqual(await errorsOf([]), ["models: must be an object, { … }"]);
  assert.deepEqual(await errorsOf({ a: [] }), ["models.a: must be an object, { … }"]);
  assert.deepEqual(await errorsOf({ a: { openai: ["x"] } }), [
    "models.a.openai: must be an object, { … }",
  ]);
});

Deno.test("an entry for a provider that forwards is noted: it has no effect", async () => {
  const { notes } = await configOf({ fast: { bedrock: "amazon.nova-lite-v1:0" } }, {
    AWS_REGION: "us-west-2",
  });
  assert.deepEqual(notes, [
    "models.fast.bedrock has no effect: a job at bedrock runs the model that it names",
  ]);
});

Deno.test("models take values from the environment", async () => {
  const { models } = await configOf({ fast: { openai: "${FAST}" } }, { ...keys, FAST: "gpt-5" });
  assert.deepEqual(models["fast"]?.["openai"], { id: "gpt-5" });
});
