import { equal, match } from "node:assert/strict";
import type { JsonObject } from "../../../sandbox/json.ts";
import { bodyFault } from "../../../sandbox/openai/fault.ts";

const user = { role: "user", content: "Hello." };
const call = (id = "call_1") => ({
  id,
  type: "function",
  function: { name: "add", arguments: "{}" },
});
const assistant = (...tool_calls: JsonObject[]) => ({
  role: "assistant",
  content: null,
  tool_calls,
});
const tool = (tool_call_id = "call_1") => ({ role: "tool", tool_call_id, content: "1" });
const image = (url: string) => ({
  role: "user",
  content: [{ type: "image_url", image_url: { url } }],
});
const add = (more: JsonObject = {}) => ({
  type: "function",
  function: { name: "add", parameters: { type: "object" }, ...more },
});
const closed = { type: "object", properties: {}, required: [], additionalProperties: false };
const strict = (schema: JsonObject) => ({
  response_format: { type: "json_schema", json_schema: { name: "x", schema, strict: true } },
});

/** Why a chat completion is refused; every row is one mistake. */
const chat: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  "an unknown member": [{ top_k: 5 }, /Unrecognized request argument supplied: top_k/],
  "an unknown member further in": [
    { messages: [{ ...user, cache_control: {} }] },
    /'messages\[0\].cache_control'/,
  ],
  "a role": [{ messages: [{ role: "model", content: "x" }] }, /messages\[0\].role/],
  "a part of Claude's": [
    { messages: [{ role: "user", content: [{ type: "image", source: {} }] }] },
    /content\[0\].type/,
  ],
  "a temperature over 2": [{ temperature: 2.1 }, /temperature/],
  "five stop sequences": [{ stop: ["a", "b", "c", "d", "e"] }, /'stop'/],
  "too many answers": [{ n: 129 }, /'n'/],
  "a call without an answer": [
    { messages: [user, assistant(call(), call("call_2")), tool(), user] },
    /did not have response messages: call_2/,
  ],
  "a call at the end without an answer": [
    { messages: [user, assistant(call())] },
    /did not have response messages: call_1/,
  ],
  "an answer without a call": [{ messages: [user, tool()] }, /must be a response/],
  "an assistant that says nothing": [
    { messages: [user, { role: "assistant", content: null }] },
    /got null/,
  ],
  "a tool's name": [{ tools: [add({ name: "a.b" })] }, /function.name/],
  "a tool without an object": [{ tools: [add({ parameters: { type: "string" } })] }, /got 'type/],
  "an open strict tool": [{ tools: [add({ strict: true })] }, /additionalProperties/],
  "a choice without tools": [{ tool_choice: "auto" }, /only allowed when 'tools'/],
  "a choice of a tool that is not there": [
    { tools: [add()], tool_choice: { type: "function", function: { name: "sub" } } },
    /'sub' not found/,
  ],
  "an optional property": [
    strict({ ...closed, properties: { a: { type: "string" } } }),
    /Missing 'a'/,
  ],
  "a choice at the root": [strict({ anyOf: [closed] }), /got 'type/],
  "oneOf": [
    strict({ ...closed, properties: { a: { oneOf: [] } }, required: ["a"] }),
    /\('properties', 'a'\), 'oneOf' is not permitted/,
  ],
  "neighbours of a reference": [
    strict({
      ...closed,
      properties: { a: { $ref: "#/$defs/b", description: "x" } },
      required: ["a"],
      $defs: { b: { type: "null" } },
    }),
    /cannot have keywords/,
  ],
  "an image that is none": [
    { messages: [image("data:image/png;base64,aGVsbG8=")] },
    /unsupported image/,
  ],
  "an image that is not base64": [{ messages: [image("data:image/png,abc")] }, /Invalid base64/],
  "a temperature at a reasoning model": [
    { model: "gpt-5-mini", temperature: 0.5 },
    /'temperature' does not support 0.5/,
  ],
  "max_tokens at a reasoning model": [{ model: "o3", max_tokens: 5 }, /'max_tokens' is not/],
  "stop at o3": [{ model: "o3", stop: "x" }, /'stop' is not/],
  "an effort at a model that does not reason": [{ reasoning_effort: "low" }, /reasoning_effort/],
};

const responses: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  "stop": [{ stop: ["x"] }, /Unrecognized request argument supplied: stop/],
  "a small limit": [{ max_output_tokens: 15 }, /at least 16/],
  "a part of an answer in a question": [
    { input: [{ role: "user", content: [{ type: "output_text", text: "x" }] }] },
    /input\[0\].content\[0\].type/,
  ],
  "a part of a question in an answer": [
    { input: [{ role: "assistant", content: [{ type: "input_text", text: "x" }] }] },
    /'output_text', 'refusal'/,
  ],
  "a call without an output": [
    { input: [{ type: "function_call", call_id: "c1", name: "a", arguments: "{}" }] },
    /No tool output found for function call c1/,
  ],
  "an output without a call": [
    { input: [{ type: "function_call_output", call_id: "c1", output: "x" }] },
    /No tool call found/,
  ],
  "reasoning without a summary": [
    { input: [{ type: "reasoning", encrypted_content: "x" }] },
    /input\[0\].summary/,
  ],
  "an open strict schema": [
    {
      text: {
        format: { type: "json_schema", name: "x", schema: { type: "object" }, strict: true },
      },
    },
    /additionalProperties/,
  ],
};

const embeddings: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
  "an empty text": [{ input: "" }, /'input'/],
  "dimensions of an old model": [
    { model: "text-embedding-ada-002", dimensions: 5 },
    /does not support/,
  ],
};

const endpoints: readonly (readonly [string, JsonObject, typeof chat])[] = [
  ["/v1/chat/completions", { model: "gpt-4o", messages: [user] }, chat],
  ["/v1/responses", { model: "gpt-5", input: "Hello." }, responses],
  ["/v1/embeddings", { model: "text-embedding-3-small", input: "Hello." }, embeddings],
];

for (const [endpoint, plain, rows] of endpoints) {
  for (const [name, [changes, words]] of Object.entries(rows)) {
    Deno.test(`OpenAI refuses ${name} (${endpoint})`, () => {
      const error = bodyFault(endpoint, { ...plain, ...changes });
      match(error?.message ?? "nothing", words);
      equal(error?.status, 400);
    });
  }
}

Deno.test("OpenAI takes what is right", () => {
  const right: readonly [string, JsonObject][] = [
    ["/v1/chat/completions", {
      model: "gpt-4.1",
      messages: [
        { role: "system", content: "" },
        image("data:image/jpeg;base64,iVBORw0KGgo="),
        assistant(call(), call("call_2")),
        tool("call_2"),
        tool(),
      ],
      tools: [add({ parameters: closed, strict: true })],
      tool_choice: "required",
      stop: ["a", "b", "c", "d"],
      temperature: 2,
      max_tokens: null,
      ...strict(closed),
    }],
    ["/v1/chat/completions", {
      model: "gpt-5.2",
      messages: [user],
      reasoning_effort: "none",
      temperature: 0.1,
    }],
    ["/v1/responses", {
      model: "gpt-5",
      input: [
        { role: "user", content: "x" },
        { type: "reasoning", summary: [], encrypted_content: "x" },
        { type: "function_call", call_id: "c", name: "a", arguments: "" },
        { type: "function_call_output", call_id: "c", output: [{ type: "input_text", text: "x" }] },
      ],
    }],
    ["/v1/embeddings", { model: "text-embedding-3-small", input: [[1, 2]], dimensions: 5 }],
  ];
  for (const [endpoint, body] of right) equal(bodyFault(endpoint, body)?.message, undefined);
});
