/** Records that are right at their own provider, and full of what others refuse. */
import type { DialectName } from "../../dialects/names.ts";

/** A record of a dialect. */
export interface HardRecord {
  readonly title: string;
  readonly from: DialectName;
  readonly record: string;
}

const png = "iVBORw0KGgo=";

/** Everything in a JSON schema that some provider does not take. */
const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    n: { type: ["integer", "null"], enum: [1, 2, null] },
    s: { enum: ["", "x"] },
    c: { const: "k" },
    o: { type: "object" },
    l: { type: "array" },
    t: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] },
    one: { oneOf: [{ type: "string", format: "uuid" }, { type: "integer", minimum: 1 }] },
    all: { allOf: [{ $ref: "#/$defs/node" }, { required: ["kids"] }], description: "a node" },
    map: { type: "object", patternProperties: { "^x": { type: "string" } } },
    free: {},
    yes: true,
  },
  required: ["n", "missing"],
  $defs: {
    node: {
      type: "object",
      properties: { kids: { type: "array", items: { $ref: "#/$defs/node" } } },
    },
  },
};

/** A record of its dialect. */
export const chat = (title: string, body: object): HardRecord => ({
  title,
  from: "openai-chat",
  record: JSON.stringify({
    custom_id: "a",
    method: "POST",
    url: "/v1/chat/completions",
    body: { model: "gpt-4.1", ...body },
  }),
});

/** A record of its dialect. */
export const converse = (title: string, modelInput: object): HardRecord => ({
  title,
  from: "bedrock-converse",
  record: JSON.stringify({ recordId: "a", modelInput }),
});

/** A record of its dialect. */
export const claude = (title: string, params: object): HardRecord => ({
  title,
  from: "anthropic",
  record: JSON.stringify({
    custom_id: "a",
    params: { model: "claude-haiku-4-5", max_tokens: 2000, ...params },
  }),
});

/** A record of its dialect. */
export const gemini = (title: string, request: object): HardRecord => ({
  title,
  from: "gemini",
  record: JSON.stringify({ key: "a", request }),
});

const call = (id: string, name: string, args = "{}") => ({
  id,
  type: "function",
  function: { name, arguments: args },
});
/** A turn of the user. */
export const user = { role: "user", content: "Hello." };
/** The same as contents of Gemini. */
export const asked = [{ role: "user", parts: [{ text: "Hello." }] }];

/** The records. */
export const hardRecords: readonly HardRecord[] = [
  chat("a schema of a tool", {
    messages: [user],
    tools: [{ type: "function", function: { name: "f", parameters: schema } }],
    tool_choice: "required",
    reasoning_effort: undefined,
  }),
  chat("a schema of the answer", {
    messages: [user],
    response_format: { type: "json_schema", json_schema: { name: "r", schema } },
  }),
  chat("blank texts, no user, and a system message at the end", {
    messages: [
      { role: "assistant", content: "  " },
      { role: "user", content: " " },
      { role: "system", content: "" },
    ],
  }),
  chat("no turn but the system's", { messages: [{ role: "system", content: "Say hello." }] }),
  chat("an answer that is begun", {
    messages: [user, { role: "assistant", content: "It is " }],
    stop: [" ", "\n", "x", "y"],
    temperature: 1.7,
    top_p: 0.3,
    n: 1,
  }),
  chat("calls with odd ids, arguments and results, without tools", {
    messages: [
      user,
      {
        role: "assistant",
        content: null,
        tool_calls: [
          call(`call|${"x".repeat(80)}`, "get-weather"),
          call("same", "add", ""),
          call("b", "add", "[1]"),
        ],
      },
      { role: "tool", tool_call_id: "b", content: "[1,2]" },
      { role: "tool", tool_call_id: `call|${"x".repeat(80)}`, content: "" },
      { role: "tool", tool_call_id: "same", content: '{"$ref":"x"}' },
    ],
  }),
  chat("an image whose label lies, and a document without text", {
    messages: [{
      role: "user",
      content: [
        { type: "image_url", image_url: { url: `data:image/jpg;base64,${png}` } },
        {
          type: "file",
          file: { filename: "q3_report.v2.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
        },
      ],
    }],
    parallel_tool_calls: true,
    logit_bias: { "1": 2 },
    presence_penalty: 1,
    seed: 1,
  }),
  converse("six stop sequences, sampling and a result that is an error", {
    messages: [
      { role: "user", content: [{ text: "x" }] },
      {
        role: "assistant",
        content: [{ toolUse: { toolUseId: "a.b:c", name: "f", input: { x: 1 } } }],
      },
      {
        role: "user",
        content: [
          { text: "first" },
          {
            toolResult: {
              toolUseId: "a.b:c",
              content: [{ image: { format: "png", source: { bytes: png } } }, { json: {} }],
              status: "error",
            },
          },
        ],
      },
    ],
    toolConfig: {
      tools: [{ toolSpec: { name: "f", inputSchema: { json: { type: "object" } } } }],
      toolChoice: { tool: { name: "f" } },
    },
    inferenceConfig: {
      maxTokens: 8,
      temperature: 0.1,
      topP: 0.2,
      stopSequences: ["a", "b", "c", "d", "e", "f"],
    },
  }),
  claude("thinking, a forced tool afterwards, and redacted history", {
    thinking: { type: "enabled", budget_tokens: 1024 },
    tools: [{ name: "f", input_schema: { type: "object", properties: {} } }],
    tool_choice: { type: "auto", disable_parallel_tool_use: true },
    messages: [
      { role: "user", content: "x" },
      {
        role: "assistant",
        content: [
          { type: "redacted_thinking", data: "EmwK" },
          { type: "thinking", thinking: "", signature: "Eq" },
          { type: "tool_use", id: "toolu_1", name: "f", input: {} },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1" }] },
    ],
  }),
  gemini("parallel calls without ids, names with dots, eight candidates' setting left out", {
    contents: [
      ...asked,
      {
        role: "model",
        parts: [
          { text: "thought", thought: true },
          { functionCall: { name: "a.b", args: {} }, thoughtSignature: "cw==" },
          { functionCall: { name: "a.b", args: {} } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "a.b", response: { output: "x" } } },
          { functionResponse: { name: "a.b", response: {} } },
        ],
      },
    ],
    tools: [{ functionDeclarations: [{ name: "a.b", description: "" }] }],
    generationConfig: {
      stopSequences: ["a", "b", "c", "d", "e"],
      temperature: 1.9,
      topK: 3,
      thinkingConfig: { thinkingBudget: 100, includeThoughts: true },
    },
  }),
  gemini("JSON without a schema", {
    contents: asked,
    generationConfig: { responseMimeType: "application/json", maxOutputTokens: 3 },
  }),
  chat("effort, sampling and a forced tool at once", {
    model: "gpt-5.2",
    messages: [user],
    reasoning_effort: "high",
    tools: [{
      type: "function",
      function: { name: "9 lives/é", strict: true, parameters: { ...schema, $defs: {} } },
    }],
    tool_choice: { type: "function", function: { name: "9 lives/é" } },
    max_completion_tokens: 100,
    response_format: { type: "json_object" },
    verbosity: "low",
  }),
  chat("old functions, several texts in a result, and an empty question", {
    messages: [
      user,
      { role: "assistant", content: null, function_call: { name: "f", arguments: "not json" } },
      { role: "function", name: "f", content: " " },
      { role: "assistant", content: "", refusal: "No." },
      { role: "user", content: [{ type: "text", text: "" }] },
    ],
    functions: [{ name: "f" }],
    max_tokens: 1000,
  }),
  {
    title: "items in another order, and a limit under 16",
    from: "openai-responses",
    record: JSON.stringify({
      custom_id: "a",
      method: "POST",
      url: "/v1/responses",
      body: {
        model: "gpt-5",
        input: [
          { role: "developer", content: "x" },
          { role: "user", content: [{ type: "input_text", text: "y" }] },
          { type: "reasoning", summary: [], encrypted_content: "gAAA" },
          { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
          { type: "function_call", call_id: "c2", name: "f", arguments: '{"a":1}' },
          { type: "function_call_output", call_id: "c2", output: "" },
          {
            type: "function_call_output",
            call_id: "c1",
            output: [{ type: "input_image", image_url: `data:image/png;base64,${png}` }],
          },
          { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
          { role: "user", content: "z" },
        ],
        tools: [{ type: "function", name: "f", parameters: null, strict: false }],
        reasoning: { effort: "xhigh", summary: "auto" },
        include: ["reasoning.encrypted_content"],
        max_output_tokens: 16,
      },
    }),
  },
  {
    title: "documents of one name, a cache point in a text, top k",
    from: "bedrock-nova",
    record: JSON.stringify({
      recordId: "a",
      modelInput: {
        schemaVersion: "messages-v1",
        system: [{ text: "x", cachePoint: { type: "default" } }],
        messages: [{
          role: "user",
          content: [
            { document: { name: "a", format: "pdf", source: { bytes: "JVBERi0=" } } },
            { document: { name: "a", format: "pdf", source: { bytes: "JVBERi0=" } } },
          ],
        }],
        inferenceConfig: { topK: 5, topP: 0.2, temperature: 0.3, stopSequences: ["\n"] },
      },
    }),
  },
  claude("documents, citations and cache points in every place", {
    system: [{ type: "text", text: "x", cache_control: { type: "ephemeral", ttl: "1h" } }],
    messages: [
      {
        role: "user",
        content: [
          {
            type: "document",
            source: { type: "text", media_type: "text/plain", data: "words" },
            title: "a.b",
            context: "c",
            citations: { enabled: true },
            cache_control: { type: "ephemeral" },
          },
          { type: "text", text: "y" },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "z" }] },
      { role: "user", content: "again" },
    ],
    top_k: 7,
    temperature: 0,
    metadata: { user_id: "u" },
    service_tier: "auto",
    output_config: {
      effort: "low",
      format: {
        type: "json_schema",
        schema: {
          type: "object",
          properties: { a: { type: "array", items: { type: "string", enum: ["p", "q"] } } },
          required: [],
          additionalProperties: false,
        },
      },
    },
  }),
];
