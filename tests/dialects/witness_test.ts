/** One prompt, written for two providers by the AI SDK: our translation of the one is the other. */
import assert from "node:assert/strict";
import { spoken, written } from "./ai.ts";
import type { Asked, Spoken } from "./ai.ts";
import { normal, without } from "./normal.ts";
import type { Value } from "./normal.ts";
import { sent } from "./records.ts";

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const pdf = new TextEncoder().encode("%PDF-1.4\n");
const weather = {
  type: "function" as const,
  name: "get_weather",
  description: "Weather of a city",
  inputSchema: {
    type: "object" as const,
    properties: { city: { type: "string" as const } },
    required: ["city"],
    additionalProperties: false,
  },
};
const time = { ...weather, name: "get_time", description: "Time of a city" };

const talk: Asked["prompt"] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "Weather in Oslo and Rome?" }] },
  {
    role: "assistant",
    content: [
      { type: "text", text: "Calling." },
      { type: "tool-call", toolCallId: "call_a", toolName: "get_weather", input: { city: "Oslo" } },
      { type: "tool-call", toolCallId: "call_b", toolName: "get_weather", input: { city: "Rome" } },
    ],
  },
  {
    role: "tool",
    content: [
      {
        type: "tool-result",
        toolCallId: "call_a",
        toolName: "get_weather",
        output: { type: "text", value: "cold" },
      },
      {
        type: "tool-result",
        toolCallId: "call_b",
        toolName: "get_weather",
        output: { type: "text", value: "warm" },
      },
    ],
  },
  { role: "user", content: [{ type: "text", text: "So?" }] },
];

interface Scene {
  readonly title: string;
  readonly asked: Asked;
  /** The APIs in which it can be said; all where absent. */
  readonly among?: readonly Spoken[];
  /** What a source cannot say: members of targets that are left out of both bodies. */
  readonly unsaid?: Partial<Readonly<Record<Spoken, readonly string[]>>>;
}

const look: Asked["prompt"] = [{
  role: "user",
  content: [
    { type: "text", text: "Look." },
    { type: "file", mediaType: "image/png", data: { type: "data", data: png } },
    {
      type: "file",
      mediaType: "application/pdf",
      data: { type: "data", data: pdf },
      filename: "q3 report.pdf",
    },
  ],
}];

const hello: Asked["prompt"] = [
  { role: "system", content: "One." },
  { role: "user", content: [{ type: "text", text: "Hi" }, { type: "text", text: "there" }] },
];

const answerSchema = {
  type: "object" as const,
  properties: { ok: { type: "boolean" as const }, tag: { type: "string" as const } },
  required: ["ok", "tag"],
  additionalProperties: false,
};

const scenes: readonly Scene[] = [
  { title: "texts and a system prompt", asked: { prompt: hello, maxOutputTokens: 200 } },
  {
    title: "an image and a PDF",
    asked: { prompt: look, maxOutputTokens: 200 },
    unsaid: { gemini: ["filename", "title", "name"] },
  },
  {
    title: "parallel calls with results",
    asked: { prompt: talk, tools: [weather], maxOutputTokens: 200 },
    // The SDK writes each result as an object of its own for Gemini.
    unsaid: { gemini: ["content", "output"] },
  },
  ...(["auto", "required", "none"] as const).map((type) => ({
    title: `the choice ${type}`,
    asked: {
      prompt: hello,
      tools: [weather, time],
      toolChoice: { type },
      maxOutputTokens: 200,
    },
    // The SDK declares no tools there where none may be called.
    ...(type === "none"
      ? { unsaid: { "bedrock-converse": ["tools", "tool_choice", "toolConfig"] } }
      : {}),
  })),
  {
    title: "a choice by name",
    asked: {
      prompt: hello,
      // For Bedrock, the SDK declares the chosen tool and no other.
      tools: [time],
      toolChoice: { type: "tool", toolName: "get_time" },
      maxOutputTokens: 200,
    },
  },
  {
    title: "sampling and stops",
    asked: {
      prompt: hello,
      temperature: 0.5,
      stopSequences: ["END", "STOP"],
      maxOutputTokens: 200,
    },
    unsaid: { "openai-responses": ["stop", "stop_sequences", "stopSequences"] },
  },
  {
    title: "a schema of the answer",
    asked: {
      prompt: hello,
      responseFormat: { type: "json", schema: answerSchema, name: "verdict" },
      maxOutputTokens: 200,
    },
    // For Bedrock, the SDK makes a tool of it that has to be called.
    among: ["openai-chat", "openai-responses", "gemini", "anthropic"],
    unsaid: { gemini: ["name"], anthropic: ["name"] },
  },
  {
    title: "JSON without a schema",
    asked: { prompt: hello, responseFormat: { type: "json" }, maxOutputTokens: 200 },
    among: ["openai-chat", "openai-responses", "gemini"],
  },
  {
    title: "a seed and top-p",
    asked: {
      prompt: hello,
      seed: 7,
      topP: 0.9,
      maxOutputTokens: 200,
    },
    among: ["openai-chat", "gemini"],
  },
  {
    title: "top-k",
    asked: { prompt: hello, topK: 5, maxOutputTokens: 200 },
    among: ["anthropic", "gemini", "bedrock-converse"],
  },
  {
    title: "a budget of reasoning",
    asked: {
      prompt: hello,
      maxOutputTokens: 4000,
      providerOptions: {
        anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } },
        bedrock: { reasoningConfig: { type: "enabled", budgetTokens: 2048 } },
        google: { thinkingConfig: { thinkingBudget: 2048, includeThoughts: true } },
      },
    },
    among: ["anthropic", "gemini", "bedrock-converse"],
    // The SDK adds the budget to the limit, but for Gemini.
    unsaid: {
      anthropic: ["maxOutputTokens"],
      "bedrock-converse": ["maxOutputTokens"],
      gemini: ["max_tokens", "maxTokens"],
    },
  },
  {
    title: "signed reasoning",
    asked: {
      prompt: [
        ...hello,
        {
          role: "assistant",
          content: [
            {
              type: "reasoning",
              text: "Let me see.",
              providerOptions: {
                anthropic: { signature: "EqQBCkYIBx" },
                bedrock: { signature: "EqQBCkYIBx" },
              },
            },
            { type: "text", text: "Hello." },
          ],
        },
        { role: "user", content: [{ type: "text", text: "And?" }] },
      ],
      maxOutputTokens: 200,
    },
    among: ["anthropic", "bedrock-converse"],
  },
  {
    title: "one call at a time",
    asked: {
      prompt: hello,
      tools: [weather],
      maxOutputTokens: 200,
      providerOptions: {
        openai: { parallelToolCalls: false },
        anthropic: { disableParallelToolUse: true },
      },
    },
    among: ["openai-chat", "openai-responses", "anthropic"],
  },
];

for (const { title, asked, unsaid, among = spoken } of scenes) {
  for (const from of among) {
    Deno.test(`The AI SDK's request of ${from} with ${title} becomes its request of each other API`, async () => {
      const source = await written(from, asked);
      for (const to of among) {
        if (to === from) continue;
        const { body, refused } = sent(source, { from, to });
        assert(body !== undefined, `${to}: ${refused}`);
        const theirs: Value = JSON.parse(await written(to, asked));
        const ours: Value = JSON.parse(body);
        const names = unsaid?.[from] ?? [];
        assert.deepEqual(
          without(names, normal(to, ours)),
          without(names, normal(to, theirs)),
          `${from} to ${to}\n${body}\n${JSON.stringify(theirs)}`,
        );
      }
    });
  }
}
