/** The official clients read rich answers of the simulated models as those of the real ones. */
import { deepEqual, equal, ok } from "node:assert/strict";
import Anthropic from "../../sdks/anthropic.ts";
import { GoogleGenAI } from "../../sdks/genai.ts";
import OpenAI from "../../sdks/openai.ts";
import { anthropicReply } from "../../../sandbox/anthropic/reply.ts";
import { converseReply } from "../../../sandbox/bedrock/converse.ts";
import { converseFault } from "../../../sandbox/bedrock/converse_fault.ts";
import { geminiReply } from "../../../sandbox/gemini/reply.ts";
import type { JsonObject } from "../../../sandbox/json.ts";
import { openaiReply } from "../../../sandbox/openai/replies.ts";
import { runPython } from "../../python.ts";

const facts = { id: "x1", createdAt: new Date("2026-11-23T12:00:00Z") };
const schema = { type: "object", properties: { city: { type: "string" } } };

/** A fetch that answers every request by a simulated model. */
function answering(reply: (body: JsonObject, path: string) => JsonObject): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body: JsonObject = await request.json();
    return Response.json(reply(body, new URL(request.url).pathname));
  };
}

Deno.test("OpenAI's SDK finds calls, text and refusals", async () => {
  const client = new OpenAI({
    apiKey: "x",
    baseURL: "http://localhost/v1",
    fetch: answering((body, path) => openaiReply(path, body, facts) ?? {}),
  });
  const { choices } = await client.chat.completions.create({
    model: "gpt-4.1",
    messages: [{ role: "user", content: "use weather twice" }],
    tools: [{ type: "function", function: { name: "weather", parameters: schema } }],
    n: 2,
  });
  const calls = choices.flatMap(({ message }) => message.tool_calls ?? []);
  equal(new Set(calls.map(({ id }) => id)).size, 4);
  equal(calls[0]?.type === "function" && calls[0].function.arguments, '{"city":"text"}');

  const reasoned = await client.responses.create({
    model: "gpt-5",
    input: "What is 1 + 1?",
    reasoning: { effort: "low", summary: "auto" },
  });
  equal(reasoned.output_text, "1 + 1 = 2");
  equal(reasoned.output[0]?.type, "reasoning");
  const parsed = await client.chat.completions.parse({
    model: "gpt-4.1",
    messages: [{ role: "user", content: "refuse this" }],
    response_format: { type: "json_schema", json_schema: { name: "a", schema } },
  });
  equal(parsed.choices[0]?.message.refusal, "I cannot help with that.");
  equal(parsed.choices[0]?.message.parsed, null);
});

Deno.test("Anthropic's SDK finds thinking, calls and why Claude declines", async () => {
  const client = new Anthropic({
    apiKey: "x",
    baseURL: "http://localhost",
    fetch: answering((body) => anthropicReply(body, "claude-haiku-4-5", facts)),
  });
  const ask = (content: string) =>
    client.messages.create({
      model: "claude-haiku-4-5",
      max_tokens: 2000,
      thinking: { type: "enabled", budget_tokens: 1024 },
      tools: [{ name: "weather", input_schema: { type: "object", properties: {} } }],
      messages: [{ role: "user", content }],
    });
  const { content, stop_reason } = await ask("use weather and think secretly");
  deepEqual(content.map(({ type }) => type), ["redacted_thinking", "tool_use"]);
  equal(stop_reason, "tool_use");
  const refused = await ask("refuse this");
  equal(refused.stop_details?.type, "refusal");
});

Deno.test("Google's SDK finds thoughts, calls, and the reason of a block", async () => {
  const client = new GoogleGenAI({
    apiKey: "x",
    httpOptions: {
      baseUrl: "http://localhost",
      fetch: answering((body) => geminiReply(body, "models/gemini-2.5-flash", facts)),
    },
  });
  const ask = (contents: string) =>
    client.models.generateContent({
      model: "gemini-2.5-flash",
      contents,
      config: {
        thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 },
        tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: schema }] }],
      },
    });
  const called = await ask("use weather");
  deepEqual(called.functionCalls, [{ name: "weather", args: { city: "text" } }]);
  const [thought, call] = called.candidates?.[0]?.content?.parts ?? [];
  ok(thought?.thought && call?.thoughtSignature);
  equal((await ask("What is 1 + 1?")).text, "1 + 1 = 2");
  equal((await ask("refuse this")).promptFeedback?.blockReason, "SAFETY");
});

Deno.test("botocore's model takes Converse's requests and answers", async () => {
  const request = (text: string) => ({
    messages: [{
      role: "user",
      content: [{ text }, { image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } }],
    }],
    toolConfig: { tools: [{ toolSpec: { name: "add", inputSchema: { json: schema } } }] },
    inferenceConfig: { stopSequences: ["="] },
    additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } },
    additionalModelResponseFieldPaths: ["/stop_sequence"],
  });
  const texts = [
    "What is 1 + 1?",
    "use add twice",
    "think secretly",
    "refuse this",
    "filter this",
    "from cache",
  ];
  const pairs = texts.map(request).map((each) => ({ request: each, answer: converseReply(each) }));
  for (const each of pairs) equal(converseFault(each.request, "anthropic.claude"), undefined);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, JSON.stringify(pairs));
    const script = new URL("./botocore_check.py", import.meta.url);
    const { code, stdout, stderr } = await runPython(script, [file]);
    equal(code, 0, stderr);
    equal(stdout, "");
  } finally {
    await Deno.remove(file);
  }
});
