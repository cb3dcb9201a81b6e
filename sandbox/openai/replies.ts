/** What OpenAI's models answer in the simulation, by endpoint. */
import { type JsonObject, list, number, string } from "../json.ts";
import {
  complete,
  contentText,
  conversation,
  embedding,
  type ReplyFacts,
  tokenCount,
} from "../replies.ts";

type OpenAIReply = (body: JsonObject, facts: ReplyFacts) => JsonObject;

const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
const model = (body: JsonObject) => string(body.model) ?? "unknown";

const openaiReplies: Readonly<Record<string, OpenAIReply>> = {
  "/v1/chat/completions": (body, { id, createdAt }) => {
    const { prompt, everything } = conversation(body.messages);
    const limit = number(body.max_completion_tokens) ?? number(body.max_tokens);
    const { text, inputTokens, outputTokens, truncated } = complete(prompt, everything, limit);
    return {
      id: `chatcmpl-${id}`,
      object: "chat.completion",
      created: seconds(createdAt),
      model: model(body),
      choices: [{
        index: 0,
        message: { role: "assistant", content: text, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: truncated ? "length" : "stop",
      }],
      usage: {
        prompt_tokens: inputTokens,
        completion_tokens: outputTokens,
        total_tokens: inputTokens + outputTokens,
        prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: "default",
      system_fingerprint: null,
    };
  },

  "/v1/responses": (body, { id, createdAt }) => {
    const { prompt, everything } = typeof body.input === "string"
      ? { prompt: body.input, everything: body.input }
      : conversation(body.input);
    const instructions = string(body.instructions) ?? null;
    const limit = number(body.max_output_tokens);
    const { text, inputTokens, outputTokens, truncated } = complete(
      prompt,
      (instructions ?? "") + everything,
      limit,
    );
    const status = truncated ? "incomplete" : "completed";
    return {
      id: `resp_${id}`,
      object: "response",
      created_at: seconds(createdAt),
      status,
      error: null,
      incomplete_details: truncated ? { reason: "max_output_tokens" } : null,
      instructions,
      max_output_tokens: limit ?? null,
      metadata: body.metadata ?? {},
      model: model(body),
      output: [{
        type: "message",
        id: `msg_${id}`,
        status,
        role: "assistant",
        content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
      }],
      parallel_tool_calls: true,
      previous_response_id: null,
      temperature: number(body.temperature) ?? 1,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      top_p: number(body.top_p) ?? 1,
      truncation: "disabled",
      usage: {
        input_tokens: inputTokens,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: inputTokens + outputTokens,
      },
    };
  },

  "/v1/embeddings": (body) => {
    const inputs = Array.isArray(body.input) && typeof body.input[0] !== "number"
      ? body.input
      : [body.input ?? ""];
    const tokens = inputs.reduce<number>(
      (sum, input) => sum + (typeof input === "string" ? tokenCount(input) : list(input).length),
      0,
    );
    return {
      object: "list",
      data: inputs.map((input, index) => {
        const vector = embedding(JSON.stringify(input), number(body.dimensions) ?? 1536);
        const base64 = body.encoding_format === "base64";
        return {
          object: "embedding",
          index,
          embedding: base64 ? new Uint8Array(Float32Array.from(vector).buffer).toBase64() : vector,
        };
      }),
      model: model(body),
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  },

  "/v1/completions": (body, { id, createdAt }) => {
    const prompt = contentText(body.prompt);
    const { text, inputTokens, outputTokens, truncated } = complete(
      prompt,
      prompt,
      number(body.max_tokens),
    );
    return {
      id: `cmpl-${id}`,
      object: "text_completion",
      created: seconds(createdAt),
      model: model(body),
      choices: [{ index: 0, text, logprobs: null, finish_reason: truncated ? "length" : "stop" }],
      usage: {
        prompt_tokens: inputTokens,
        completion_tokens: outputTokens,
        total_tokens: inputTokens + outputTokens,
      },
    };
  },
};

/** OpenAI's endpoints that the simulated models can answer. */
export const openaiEndpoints: ReadonlySet<string> = new Set(Object.keys(openaiReplies));

/**
 * The body of OpenAI's answer to a request; undefined for an endpoint not in
 * {@linkcode openaiEndpoints}.
 */
export function openaiReply(
  endpoint: string,
  body: JsonObject,
  facts: ReplyFacts,
): JsonObject | undefined {
  return openaiReplies[endpoint]?.(body, facts);
}
