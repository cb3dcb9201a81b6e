/** The same request and the same answer in the words of each simulated provider. */
import { anthropicReply } from "../../../sandbox/anthropic/reply.ts";
import { converseReply } from "../../../sandbox/bedrock/converse.ts";
import type { Json } from "../../../sandbox/context.ts";
import { geminiReply } from "../../../sandbox/gemini/reply.ts";
import { type JsonObject, list, object } from "../../../sandbox/json.ts";
import { openaiReply } from "../../../sandbox/openai/replies.ts";

/** What is asked, before a form has it. */
export interface Request {
  readonly prompt: string;
  readonly tools?: boolean;
  readonly choice?: "any" | "none" | "add";
  readonly schema?: JsonObject;
  readonly stop?: string;
  readonly limit?: number;
  readonly thinks?: boolean;
  /** A PNG in base64. */
  readonly image?: string;
}

/** What a test looks at of an answer. */
export interface Seen {
  readonly text: string | null;
  readonly calls: readonly { readonly name: string; readonly input: Json }[];
  readonly stop: Json;
  readonly thinking?: Json;
  /** Input without what is cached, cached, output, total. */
  readonly usage: readonly number[];
}

/** A form: asks a model and reads its answer. */
export type Form = (request: Request) => Seen;

const facts = { id: "x1", createdAt: new Date("2026-11-23T12:00:00Z") };
/** The arguments of both tools. */
export const schema: JsonObject = {
  type: "object",
  properties: { a: { type: "integer" }, unit: { type: "string", enum: ["C", "F"] } },
};
const names = ["add", "get_weather"];
const n = (value: Json | undefined): number => typeof value === "number" ? value : 0;
const first = (value: Json | undefined): JsonObject => object(list(value)[0]);
const joined = (texts: (Json | undefined)[]): string | null =>
  texts.length === 0 ? null : texts.join("");

const chat: Form = (asked) => {
  const { prompt, tools, choice, limit, stop, thinks, image } = asked;
  const body = openaiReply("/v1/chat/completions", {
    messages: [{
      role: "user",
      content: [
        { type: "text", text: prompt },
        ...(image === undefined
          ? []
          : [{ type: "image_url", image_url: { url: `data:image/png;base64,${image}` } }]),
      ],
    }],
    ...(tools
      ? {
        tools: names.map((name) => ({ type: "function", function: { name, parameters: schema } })),
      }
      : {}),
    ...(choice === undefined ? {} : {
      tool_choice: choice === "any"
        ? "required"
        : choice === "none"
        ? "none"
        : { type: "function", function: { name: choice } },
    }),
    ...(asked.schema === undefined ? {} : {
      response_format: { type: "json_schema", json_schema: { name: "x", schema: asked.schema } },
    }),
    ...(stop === undefined ? {} : { stop }),
    ...(limit === undefined ? {} : { max_completion_tokens: limit }),
    ...(thinks ? { reasoning_effort: "low" } : {}),
  }, facts) ?? {};
  const { message, finish_reason } = first(body.choices);
  const { content, refusal, tool_calls } = object(message);
  const usage = object(body.usage);
  const cached = n(object(usage.prompt_tokens_details).cached_tokens);
  return {
    text: (content ?? refusal ?? null) as string | null,
    calls: list(tool_calls).map((call) => object(object(call).function)).map((call) => ({
      name: `${call.name}`,
      input: JSON.parse(`${call.arguments}`),
    })),
    stop: refusal === null ? finish_reason ?? null : "refusal",
    thinking: n(object(usage.completion_tokens_details).reasoning_tokens) > 0,
    usage: [
      n(usage.prompt_tokens) - cached,
      cached,
      n(usage.completion_tokens),
      n(usage.total_tokens),
    ],
  };
};

const responses: Form = (asked) => {
  const { prompt, tools, choice, limit, thinks, image } = asked;
  const body = openaiReply("/v1/responses", {
    input: [{
      role: "user",
      content: [
        { type: "input_text", text: prompt },
        ...(image === undefined
          ? []
          : [{ type: "input_image", image_url: `data:image/png;base64,${image}` }]),
      ],
    }],
    ...(tools
      ? { tools: names.map((name) => ({ type: "function", name, parameters: schema })) }
      : {}),
    ...(choice === undefined ? {} : {
      tool_choice: choice === "any"
        ? "required"
        : choice === "none"
        ? "none"
        : { type: "function", name: choice },
    }),
    ...(asked.schema === undefined
      ? {}
      : { text: { format: { type: "json_schema", name: "x", schema: asked.schema } } }),
    ...(limit === undefined ? {} : { max_output_tokens: limit }),
    ...(thinks
      ? { reasoning: { effort: "low", summary: "auto" }, include: ["reasoning.encrypted_content"] }
      : {}),
  }, facts) ?? {};
  const items = list(body.output).map(object);
  const parts = items.flatMap(({ content }) => list(content)).map(object);
  const usage = object(body.usage);
  const cached = n(object(usage.input_tokens_details).cached_tokens);
  const reasoning = items.find(({ type }) => type === "reasoning");
  return {
    text: joined(parts.map(({ text, refusal }) => text ?? refusal)),
    calls: items.filter(({ type }) => type === "function_call")
      .map((call) => ({ name: `${call.name}`, input: JSON.parse(`${call.arguments}`) })),
    stop: parts.some(({ type }) => type === "refusal")
      ? "refusal"
      : object(body.incomplete_details).reason ?? body.status ?? null,
    thinking: reasoning !== undefined && typeof reasoning.encrypted_content === "string",
    usage: [n(usage.input_tokens) - cached, cached, n(usage.output_tokens), n(usage.total_tokens)],
  };
};

const claude: Form = (asked) => {
  const { prompt, tools, choice, limit, stop, thinks, image } = asked;
  const body = anthropicReply(
    {
      messages: [{
        role: "user",
        content: [
          { type: "text", text: prompt },
          ...(image === undefined ? [] : [{
            type: "image",
            source: { type: "base64", media_type: "image/png", data: image },
          }]),
        ],
      }],
      max_tokens: limit ?? 1000,
      ...(tools ? { tools: names.map((name) => ({ name, input_schema: schema })) } : {}),
      ...(choice === undefined ? {} : {
        tool_choice: choice === "add" ? { type: "tool", name: "add" } : { type: choice },
      }),
      ...(asked.schema === undefined
        ? {}
        : { output_config: { format: { type: "json_schema", schema: asked.schema } } }),
      ...(stop === undefined ? {} : { stop_sequences: [stop] }),
      ...(thinks ? { thinking: { type: "enabled", budget_tokens: 1024 } } : {}),
    },
    "claude",
    facts,
  );
  const blocks = list(body.content).map(object);
  const usage = object(body.usage);
  const [input, cached, output] = [
    n(usage.input_tokens),
    n(usage.cache_read_input_tokens),
    n(usage.output_tokens),
  ];
  const details = object(body.stop_details).explanation;
  return {
    text: joined(blocks.filter(({ type }) => type === "text").map(({ text }) => text)),
    calls: blocks.filter(({ type }) => type === "tool_use")
      .map((block) => ({ name: `${block.name}`, input: block.input ?? null })),
    stop: details === undefined ? body.stop_reason ?? null : "refusal",
    thinking: blocks.some(({ signature, data }) => signature !== undefined || data !== undefined),
    usage: [input, cached, output, input + cached + output],
  };
};

const converse: Form = (asked) => {
  const { prompt, tools, choice, limit, stop, thinks, image } = asked;
  const body = converseReply({
    messages: [{
      role: "user",
      content: [
        { text: prompt },
        ...(image === undefined ? [] : [{ image: { format: "png", source: { bytes: image } } }]),
      ],
    }],
    inferenceConfig: {
      ...(limit === undefined ? {} : { maxTokens: limit }),
      ...(stop === undefined ? {} : { stopSequences: [stop] }),
    },
    ...(tools && choice !== "none"
      ? {
        toolConfig: {
          tools: names.map((name) => ({ toolSpec: { name, inputSchema: { json: schema } } })),
          ...(choice === undefined
            ? {}
            : { toolChoice: choice === "any" ? { any: {} } : { tool: { name: choice } } }),
        },
      }
      : {}),
    ...(asked.schema === undefined ? {} : {
      outputConfig: {
        textFormat: {
          type: "json_schema",
          structure: { jsonSchema: { schema: JSON.stringify(asked.schema) } },
        },
      },
    }),
    ...(thinks
      ? { additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } } }
      : {}),
  });
  const blocks = list(object(object(body.output).message).content).map(object);
  const usage = object(body.usage);
  return {
    text: joined(blocks.filter(({ text }) => text !== undefined).map(({ text }) => text)),
    calls: blocks.filter(({ toolUse }) => toolUse !== undefined).map(({ toolUse }) => ({
      name: `${object(toolUse).name}`,
      input: object(toolUse).input ?? null,
    })),
    stop: body.stopReason ?? null,
    thinking: blocks.some(({ reasoningContent }) => reasoningContent !== undefined),
    usage: [
      n(usage.inputTokens),
      n(usage.cacheReadInputTokens),
      n(usage.outputTokens),
      n(usage.totalTokens),
    ],
  };
};

const gemini: Form = (asked) => {
  const { prompt, tools, choice, limit, stop, thinks, image } = asked;
  const calling = choice === "any"
    ? { mode: "ANY" }
    : choice === "none"
    ? { mode: "NONE" }
    : { mode: "ANY", allowed_function_names: [choice ?? ""] };
  const body = geminiReply(
    {
      contents: [{
        role: "user",
        parts: [
          { text: prompt },
          ...(image === undefined ? [] : [{ inlineData: { mimeType: "image/png", data: image } }]),
        ],
      }],
      generationConfig: {
        ...(limit === undefined ? {} : { maxOutputTokens: limit }),
        ...(stop === undefined ? {} : { stopSequences: [stop] }),
        ...(asked.schema === undefined
          ? {}
          : { responseMimeType: "application/json", responseSchema: asked.schema }),
        ...(thinks ? { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } : {}),
      },
      ...(tools
        ? { tools: [{ functionDeclarations: names.map((name) => ({ name, parameters: schema })) }] }
        : {}),
      ...(choice === undefined ? {} : { toolConfig: { functionCallingConfig: calling } }),
    },
    "models/gemini",
    facts,
  );
  const candidate = first(body.candidates);
  const parts = list(object(candidate.content).parts).map(object);
  const usage = object(body.usageMetadata);
  const cached = n(usage.cachedContentTokenCount);
  return {
    text: joined(
      parts.filter(({ text, thought }) => text !== undefined && thought === undefined)
        .map(({ text }) => text),
    ),
    calls: parts.filter(({ functionCall }) => functionCall !== undefined)
      .map(({ functionCall }) => ({
        name: `${object(functionCall).name}`,
        input: object(functionCall).args ?? null,
      })),
    stop: candidate.finishReason ?? object(body.promptFeedback).blockReason ?? null,
    thinking: parts.some(({ thoughtSignature }) => thoughtSignature !== undefined),
    usage: [
      n(usage.promptTokenCount) - cached,
      cached,
      n(usage.candidatesTokenCount) + n(usage.thoughtsTokenCount),
      n(usage.totalTokenCount),
    ],
  };
};

/** Every form by its name. */
export const forms = { chat, responses, claude, converse, gemini } as const;
