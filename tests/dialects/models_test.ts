/** Names of models: what runs in the place of a model, and what is known of it. */
import assert from "node:assert/strict";
import { modelFacts } from "../../dialects/families.ts";
import { anthropicId, findModel, isBedrockId } from "../../dialects/models.ts";
import type { ModelTable } from "../../dialects/models.ts";

const haiku = "anthropic.claude-3-5-haiku-20241022-v1:0";

for (
  const [id, expected] of [
    ["us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"],
    ["anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5-20251001"],
    ["global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"],
    ["us-gov.anthropic.claude-sonnet-4-6", "claude-sonnet-4-6"],
    ["anthropic.claude-opus-5", "claude-opus-5"],
    ["anthropic.claude-3-sonnet-20240229-v1:0:200k", "claude-3-sonnet-20240229"],
    [`arn:aws:bedrock:us-east-1::foundation-model/${haiku}`, "claude-3-5-haiku-20241022"],
    [
      `arn:aws:bedrock:us-east-1:111122223333:inference-profile/eu.${haiku}`,
      "claude-3-5-haiku-20241022",
    ],
    ["arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc", undefined],
    ["arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc", undefined],
    ["arn:aws:bedrock:us-east-1:111122223333:imported-model/anthropic.claude-x", undefined],
    ["anthropic.claude-v2:1", undefined],
    ["anthropic.claude-instant-v1", undefined],
    ["amazon.nova-lite-v1:0", undefined],
    ["claude-haiku-4-5", undefined],
  ] as const
) {
  Deno.test(`${id} is ${expected ?? "no model"} at Anthropic`, () => {
    assert.equal(anthropicId(id), expected);
  });
}

Deno.test("Ids of Bedrock's form are distinguished from others", () => {
  const bedrock = [haiku, `apac.${haiku}`, "amazon.titan-embed-text-v2:0", "arn:aws:bedrock:x"];
  const others = [
    "gpt-4.1-mini",
    "gemini-2.5-flash",
    "models/gemini-2.5-pro",
    "ft:gpt-4o:org",
    "o3",
  ];
  assert.deepEqual(bedrock.map(isBedrockId), bedrock.map(() => true));
  assert.deepEqual(others.map(isBedrockId), others.map(() => false));
});

const table: ModelTable = {
  [haiku]: { openai: { id: "exact" } },
  "anthropic.claude-*": { openai: { id: "long" }, gemini: { id: "g" } },
  "anthropic.*": { openai: { id: "short" } },
  fast: { openai: { id: "named", facts: { sampling: "none", maxOutput: 7 } } },
  "*": { azure: { id: "rest" } },
};

function found(modelId: string, provider: string, kind = provider): string {
  const answer = findModel({ modelId, provider, kind }, table);
  return "model" in answer ? answer.model.id : answer.missing;
}

for (
  const [modelId, provider, expected] of [
    [haiku, "openai", "exact"],
    [`us.${haiku}`, "openai", "exact"],
    [`arn:aws:bedrock:us-east-1::foundation-model/${haiku}`, "openai", "exact"],
    [haiku, "gemini", "g"],
    ["anthropic.claude-opus-5", "openai", "long"],
    ["anthropic.other", "openai", "short"],
    ["fast", "openai", "named"],
    ["anything", "azure", "rest"],
    ["gpt-4o", "openai", "gpt-4o"],
    [`eu.${haiku}`, "anthropic", "claude-3-5-haiku-20241022"],
    ["toString", "openai", "toString"],
    ["__proto__", "openai", "__proto__"],
  ] as const
) {
  Deno.test(`${modelId} runs as ${expected} at ${provider}`, () => {
    assert.equal(found(modelId, provider), expected);
  });
}

Deno.test("A model of Bedrock without an entry says which setting is missing", () => {
  const missing = found("us.amazon.nova-lite-v1:0", "openai");
  assert.match(missing, /"models": \{ "amazon\.nova-lite-v1:0": \{ "openai": "…" \} \}/);
  const opaque = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc";
  assert(found(opaque, "anthropic").includes(JSON.stringify(opaque)));
});

Deno.test("An entry says more than the table of families knows", () => {
  const answer = findModel({ modelId: "fast", provider: "openai", kind: "openai" }, table);
  assert("model" in answer);
  assert.equal(answer.model.facts.sampling, "none");
  assert.equal(answer.model.facts.maxOutput, 7);
});

for (
  const [id, facts] of [
    ["claude-3-haiku-20240307", { family: "claude", maxOutput: 4096, thinking: "none" }],
    ["claude-3-7-sonnet-20250219", { thinking: "budget", structured: false, prefill: true }],
    ["claude-opus-4-1-20250805", { maxOutput: 32_000, sampling: "all" }],
    ["claude-opus-4-20250514", { maxOutput: 32_000 }],
    ["claude-sonnet-4-20250514", { maxOutput: 64_000, structured: false }],
    ["claude-haiku-4-5", { maxOutput: 64_000, sampling: "one", prefill: true, structured: true }],
    ["claude-sonnet-4-6", { maxOutput: 128_000, sampling: "one", prefill: false }],
    ["claude-opus-4-7", { sampling: "none", thinking: "effort", thinkingOff: true }],
    ["claude-fable-5", { thinkingOff: false }],
    ["claude-unheard-9", { maxOutput: 128_000, sampling: "none", thinking: "effort" }],
    ["gpt-4.1-mini", { family: "gpt", sampling: "all", thinking: "none" }],
    ["ft:gpt-4o-mini:org::id", { family: "gpt", sampling: "all" }],
    ["gpt-5.2", { sampling: "none", thinking: "effort" }],
    ["gpt-5-chat-latest", { sampling: "all", thinking: "none" }],
    ["gpt-9", { sampling: "none" }],
    ["o3", { stop: false, sampling: "none" }],
    ["o1", { stop: true, sampling: "none" }],
    ["openai.gpt-oss-20b-1:0", { family: "gpt-oss", thinking: "effort", sampling: "all" }],
    ["gemini-2.5-flash", { thinking: "budget", thinkingOff: true, penalties: true }],
    ["gemini-2.5-pro", { thinking: "budget", thinkingOff: false }],
    ["gemini-3.5-flash", { thinking: "level", penalties: false }],
    ["gemini-9", { thinking: "level" }],
    ["amazon.nova-2-lite-v1:0", { family: "nova", thinking: "effort" }],
    ["mistral.mistral-large-2402-v1:0", { family: "other", sampling: "all" }],
  ] as const
) {
  Deno.test(`What is known of ${id}`, () => {
    const known = modelFacts(id);
    for (const [name, value] of Object.entries(facts)) {
      assert.equal(Object.entries(known).find(([fact]) => fact === name)?.[1], value, name);
    }
  });
}
