import { equal, match } from "node:assert/strict";
import { converseFault } from "../../../sandbox/bedrock/converse_fault.ts";
import { modelFor } from "../../../sandbox/bedrock/models.ts";
import type { JsonObject } from "../../../sandbox/json.ts";

const claude = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const user = (...content: JsonObject[]): JsonObject => ({ role: "user", content });
const assistant = (...content: JsonObject[]): JsonObject => ({ role: "assistant", content });
const call = (toolUseId = "t1") => ({ toolUse: { toolUseId, name: "add", input: {} } });
const result = (toolUseId = "t1", more = {}) => ({
  toolResult: { toolUseId, content: [{ text: "1" }], ...more },
});
const spec = (more: JsonObject = {}) => ({
  toolSpec: { name: "add", inputSchema: { json: { type: "object" } }, ...more },
});
const toolConfig = { tools: [spec()] };
const hello = user({ text: "Hello." });
const pdf = (name: string) => ({
  document: { name, format: "pdf", source: { bytes: "JVBERi0=" } },
});
const turns = (...content: JsonObject[]) => [hello, assistant(...content)];

/** Why Converse refuses a request; every row is one mistake. */
const refused: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  "an unknown member": [{ tools: [] }, /extraneous key \[tools\]/],
  "an unknown member further in": [{ inferenceConfig: { topK: 5 } }, /extraneous key \[topK\]/],
  "a block of two members": [
    { messages: [user({ text: "x", cachePoint: { type: "default" } })] },
    /exactly one member/,
  ],
  "text parts of OpenAI": [{ messages: [user({ type: "text", text: "x" })] }, /\[type\]/],
  "a blank text": [{ messages: [user({ text: " " })] }, /ContentBlock object at .* is blank/],
  "an answer first": [{ messages: [assistant({ text: "x" })] }, /must start with a user message/],
  "an image in an answer": [
    {
      messages: [
        hello,
        assistant({ image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } }),
        hello,
      ],
    },
    /user messages only/,
  ],
  "a format that is not the image's": [
    { messages: [user({ image: { format: "jpeg", source: { bytes: "iVBORw0KGgo=" } } })] },
    /not of the format jpeg/,
  ],
  "a format that is spelled another way": [
    { messages: [user({ image: { format: "jpg", source: { bytes: "/9j/" } } })] },
    /one of 'png', 'jpeg'/,
  ],
  "a document by itself": [{ messages: [user(pdf("a"))] }, /text block is required/],
  "a document's name": [{ messages: [user({ text: "x" }, pdf("a_b.pdf"))] }, /document.name/],
  "two documents of one name": [
    { messages: [user({ text: "x" }, pdf("a"), pdf("a"))] },
    /must be unique/,
  ],
  "a call without a result": [
    { toolConfig, messages: [...turns(call()), hello] },
    /Expected toolResult blocks at messages.2.content for the following Ids: t1/,
  ],
  "a result without a call": [{ toolConfig, messages: [user(result())] }, /exceeds the number/],
  "calls without tools": [
    { messages: [...turns(call()), user(result())] },
    /toolConfig field must be defined/,
  ],
  "characters of an id": [
    { toolConfig, messages: [...turns(call("a|b")), user(result("a|b"))] },
    /toolUseId must be/,
  ],
  "a list as a result's JSON": [
    { toolConfig, messages: [...turns(call()), user(result("t1", { content: [{ json: [1] }] }))] },
    /json must be an object/,
  ],
  "an empty error": [
    {
      toolConfig,
      messages: [...turns(call()), user(result("t1", { content: [], status: "error" }))],
    },
    /must not be empty/,
  ],
  "a tool's name": [{ toolConfig: { tools: [spec({ name: "a.b" })] } }, /toolSpec.name/],
  "an empty description": [
    { toolConfig: { tools: [spec({ description: "" })] } },
    /toolSpec.description/,
  ],
  "a tool without an object": [
    { toolConfig: { tools: [spec({ inputSchema: { json: {} } })] } },
    /inputSchema.json.type/,
  ],
  "no tools": [{ toolConfig: { tools: [] } }, /at least 1 item/],
  "a choice of a tool that is not there": [
    { toolConfig: { ...toolConfig, toolChoice: { tool: { name: "sub" } } } },
    /no tool of the name sub/,
  ],
  "two choices": [
    {
      toolConfig: { ...toolConfig, toolChoice: { auto: {} } },
      additionalModelRequestFields: { tool_choice: { type: "auto" } },
    },
    /toolChoice/,
  ],
  "a blank stop sequence": [{ inferenceConfig: { stopSequences: ["\n"] } }, /non-whitespace/],
  "both of temperature and topP": [
    { inferenceConfig: { temperature: 0.5, topP: 0.5 } },
    /cannot both/,
  ],
  "a temperature over 1": [{ inferenceConfig: { temperature: 1.1 } }, /at most 1/],
  "a schema that is an object": [
    {
      outputConfig: {
        textFormat: { type: "json_schema", structure: { jsonSchema: { schema: {} } } },
      },
    },
    /schema must be a string/,
  ],
};

for (const [name, [changes, words]] of Object.entries(refused)) {
  Deno.test(`Converse refuses ${name}`, () => {
    match(converseFault({ messages: [hello], ...changes }, claude) ?? "nothing", words);
  });
}

Deno.test("Converse takes what is right", () => {
  const request = {
    system: [{ text: "x" }, { cachePoint: { type: "default", ttl: "1h" } }],
    messages: [
      user({ text: "x" }, pdf("a (1) [b]")),
      assistant({ reasoningContent: { reasoningText: { text: "y", signature: "s" } } }, call()),
      user(result("t1", { content: [{ json: { c: 1 } }], status: "error" }), { text: "z" }),
    ],
    toolConfig,
    inferenceConfig: { maxTokens: 2000, stopSequences: ["."], topP: 0.5 },
    additionalModelRequestFields: { top_k: 5 },
  };
  equal(converseFault(request, claude), undefined);
});

Deno.test("Bodies of InvokeModel are refused for their own reasons", () => {
  const facts = { id: "x", createdAt: new Date(0) };
  const rows: readonly [string, JsonObject, RegExp | undefined][] = [
    ["amazon.titan-embed-text-v2:0", { inputText: "x", dimensions: 300 }, /256, 512 or 1024/],
    ["amazon.titan-embed-text-v2:0", { inputText: "" }, /inputText/],
    ["amazon.titan-embed-text-v1", { inputText: "x", dimensions: 256 }, /\[dimensions\]/],
    ["amazon.titan-embed-text-v2:0", { inputText: "x", dimensions: 256 }, undefined],
    ["meta.llama3-8b-instruct-v1:0", { prompt: "x", max_tokens: 5 }, /\[max_tokens\]/],
    ["meta.llama3-8b-instruct-v1:0", { prompt: "x", max_gen_len: 5 }, undefined],
    ["amazon.nova-lite-v1:0", { messages: [hello], max_tokens: 5 }, /\[max_tokens\]/],
    ["amazon.nova-lite-v1:0", { messages: [user({ cachePoint: { type: "default" } })] }, /inside/],
    ["amazon.nova-lite-v1:0", {
      schemaVersion: "messages-v1",
      messages: [user({ text: "x", cachePoint: { type: "default" } })],
      inferenceConfig: { topK: 5, maxTokens: 10 },
    }, undefined],
  ];
  for (const [model, body, words] of rows) {
    const answer = modelFor(model, "InvokeModel")(body, facts);
    const said = "errorMessage" in answer ? answer.errorMessage : undefined;
    if (words === undefined) equal(said, undefined);
    else match(said ?? "nothing", words);
  }
});
