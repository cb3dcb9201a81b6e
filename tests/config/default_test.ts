/** Which provider a configuration makes the default. */
import assert from "node:assert/strict";
import { parseConfig } from "../../config/config.ts";

Deno.test("the only provider is the default; of several it is bedrock, and that is noted", async () => {
  const of = async (env: Record<string, string>, file: unknown = {}) => {
    const { defaultProvider, defaultIsImplied } = await parseConfig(
      env,
      JSON.stringify(file),
      "batchway.jsonc",
    );
    return [defaultProvider, defaultIsImplied];
  };
  const [openai, gemini] = [{ OPENAI_API_KEY: "a" }, { GEMINI_API_KEY: "b" }];
  assert.deepEqual(await of(openai), ["openai", undefined]);
  assert.deepEqual(await of(gemini), ["gemini", undefined]);
  const groq = {
    providers: { groq: { kind: "openai", baseUrl: "https://a.example", apiKey: "c" } },
  };
  assert.deepEqual(await of({}, groq), ["groq", undefined]);
  assert.deepEqual(await of({ ...openai, ...gemini }), ["bedrock", true]);
  assert.deepEqual(await of(openai, { ...groq, defaultProvider: "groq" }), ["groq", undefined]);
});
