/**
 * What two writers of one request may do differently without meaning anything else, taken out of a
 * body: each rule is spelled out here, and nothing else is.
 */
import type { Spoken } from "./ai.ts";

/** JSON as a program sees it. */
export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };
type Members = { [name: string]: Value };

/** A body without what may differ. */
export function normal(dialect: Spoken, body: Value): Value {
  return rules[dialect](withoutDefaults(members(body)));
}

/** Tools are the model's choice unless something else is said; no system prompt may be an empty one. */
function withoutDefaults(body: Members): Members {
  const defaults: Readonly<Record<string, string>> = {
    tool_choice: '"auto" {"type":"auto"}',
    toolConfig: '{"functionCallingConfig":{"mode":"AUTO"}}',
    system: "[]",
  };
  const kept = Object.entries(body).filter(([name, value]) =>
    !defaults[name]?.includes(JSON.stringify(value))
  );
  const { toolConfig, ...rest } = Object.fromEntries(kept);
  if (toolConfig === undefined) return rest;
  const { toolChoice, ...config } = members(toolConfig);
  const isAuto = toolChoice === undefined || members(toolChoice).auto !== undefined;
  return { ...rest, toolConfig: isAuto ? config : { ...config, toolChoice } };
}

/** Takes members out of a body, wherever they stand. */
export function without(names: readonly string[], value: Value): Value {
  if (Array.isArray(value)) return value.map((one) => without(names, one));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([name]) => !names.includes(name))
      .map(([name, one]) => [name, without(names, one)]),
  );
}

const rules: Readonly<Record<Spoken, (body: Members) => Value>> = {
  // One text as text or as a part of its own is the same; max_tokens is the older name.
  "openai-chat": ({ model: _, max_tokens, ...body }) => ({
    ...body,
    ...(max_tokens === undefined ? {} : { max_completion_tokens: max_tokens }),
    messages: list(body.messages).map((message) => ({
      ...members(message),
      content: simple(members(message).content ?? null),
    })),
  }),
  // Instructions are a first system message; a message may say its type and hold its text bare.
  "openai-responses": ({ model: _, store: __, instructions, ...body }) => ({
    ...body,
    input: [
      ...(instructions === undefined ? [] : [{ role: "system", content: instructions }]),
      ...list(body.input),
    ].map(item),
    ...(body.tools === undefined ? {} : {
      tools: list(body.tools).map((tool) => ({ strict: false, ...members(tool) })),
    }),
  }),
  // Ids are not needed; neighbours of one role are one; there are two fields for schemas.
  gemini: (body) => ({
    ...body,
    contents: list(body.contents).map(members).reduce<Members[]>((merged, content) => {
      const parts = list(content.parts).map(part);
      const last = merged.at(-1);
      if (last === undefined || last.role !== content.role) {
        return [...merged, { ...content, parts }];
      }
      return [...merged.slice(0, -1), { ...last, parts: [...list(last.parts), ...parts] }];
    }, []),
    ...(body.tools === undefined ? {} : { tools: list(body.tools).map(declarations) }),
    ...(body.generationConfig === undefined
      ? {}
      : { generationConfig: oneSchema(members(body.generationConfig)) }),
  }),
  // A result of one text may be bare.
  anthropic: ({ model: _, ...body }) => ({
    ...body,
    messages: list(body.messages).map(members).map((message) => ({
      ...message,
      content: list(message.content).map(members).map((block) =>
        typeof block.content === "string"
          ? { ...block, content: [{ type: "text", text: block.content }] }
          : block.type === "document"
          ? { ...block, title: bareName(block.title) }
          : block
      ),
    })),
  }),
  // What is to come back beside the answer. The SDK writes top-k where botocore knows no such member.
  "bedrock-converse": ({ additionalModelResponseFieldPaths: _, ...body }) => {
    const { topK, ...inferenceConfig } = members(body.inferenceConfig);
    if (topK === undefined) return body;
    const fields = { ...members(body.additionalModelRequestFields), top_k: topK };
    return { ...body, inferenceConfig, additionalModelRequestFields: fields };
  },
};

/** An object, or nothing's members. */
export function members(value: Value | undefined): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function list(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}

function simple(content: Value): Value {
  const [only, ...others] = list(content);
  const text = members(only).text;
  if (others.length === 0 && typeof text === "string") return text;
  return Array.isArray(content) ? content.map(named) : content;
}

/** A file's name without its ending. */
function named(value: Value): Value {
  const file = members(members(value).file);
  if (file.filename !== undefined) {
    return { ...members(value), file: { ...file, filename: bareName(file.filename) } };
  }
  const { filename, detail, ...rest } = members(value);
  return {
    ...rest,
    ...(filename === undefined ? {} : { filename: bareName(filename) }),
    ...(detail === undefined || detail === "auto" ? {} : { detail }),
  };
}

function bareName(name: Value | undefined): Value {
  return typeof name === "string" ? name.replace(/\.[a-z]+$/, "") : "";
}

function item(value: Value): Value {
  const { type: given, ...rest } = members(value);
  const type = given ?? "message";
  if (type !== "message") return { type, ...rest };
  const textType = rest.role === "assistant" ? "output_text" : "input_text";
  const content = typeof rest.content === "string"
    ? [{ type: textType, text: rest.content }]
    : list(rest.content).map(named);
  return { type, ...rest, content };
}

function part(value: Value): Value {
  const { functionCall, functionResponse, ...rest } = members(value);
  if (functionCall !== undefined) {
    const { id: _, ...call } = members(functionCall);
    return { ...rest, functionCall: call };
  }
  if (functionResponse === undefined) return rest;
  const { id: _, response, ...result } = members(functionResponse);
  const { name: __, content, ...own } = members(response);
  // The SDK writes the name once more, and `content` where Gemini reads `output`.
  const output = content === undefined ? own : { output: content };
  return { ...rest, functionResponse: { ...result, response: output } };
}

function declarations(tool: Value): Value {
  return {
    functionDeclarations: list(members(tool).functionDeclarations).map((declared) => {
      const { parameters, parametersJsonSchema, ...rest } = members(declared);
      return { ...rest, parameters: openapi(parameters ?? parametersJsonSchema ?? null) };
    }),
  };
}

function oneSchema(config: Members): Members {
  const { responseSchema, responseJsonSchema, ...rest } = config;
  const schema = responseSchema ?? responseJsonSchema;
  return schema === undefined ? rest : { ...rest, responseSchema: openapi(schema) };
}

/** Types in lower case, and objects closed without saying so: Gemini closes them by itself. */
function openapi(schema: Value): Value {
  if (Array.isArray(schema)) return schema.map(openapi);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).filter(([name]) => name !== "additionalProperties")
      .map(([name, value]) => [
        name,
        name === "type" && typeof value === "string" ? value.toLowerCase() : openapi(value),
      ]),
  );
}
