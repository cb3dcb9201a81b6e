/**
 * What the simulated models answer: the same text for the same prompt, in each provider's form,
 * with usage numbers that add up. Sums are right, so that a pipeline can check its results.
 */
import { createHash } from "node:crypto";
import type { Json } from "./context.ts";
import { type JsonObject, list, number, object, string } from "./json.ts";

/** A model's answer before a provider gives it its form. */
export interface Completion {
  readonly text: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The reply was cut at the limit of tokens that the request set. */
  readonly truncated: boolean;
}

/** What a provider's form needs besides the request. */
export interface ReplyFacts {
  /** Unlike any other reply's: `chatcmpl-…`, `msg_…` are made from it. */
  readonly id: string;
  readonly createdAt: Date;
}

const charactersPerToken = 4;
const echoedCharacters = 200;

/** The reply to a prompt: `2 + 2 = 4` for `What is 2 + 2?`, else an echo with a stable hash. */
export function replyText(prompt: string): string {
  const sum = /what is (-?\d{1,100}) ?\+ ?(-?\d{1,100})/i.exec(prompt);
  if (sum?.[1] !== undefined && sum[2] !== undefined) {
    return `${sum[1]} + ${sum[2]} = ${BigInt(sum[1]) + BigInt(sum[2])}`;
  }
  const hash = createHash("sha256").update(prompt).digest("hex").slice(0, 8);
  const echo = Array.from(prompt.slice(0, echoedCharacters * 2)).slice(0, echoedCharacters);
  return `Reply ${hash}: ${echo.join("")}`;
}

/** About how many tokens a text has: one for each four characters begun. */
export function tokenCount(text: string): number {
  return Math.ceil(text.length / charactersPerToken);
}

/**
 * Answers a prompt.
 *
 * @param prompt What the reply is about: the last thing the user said.
 * @param everything All text of the request, for its token count.
 * @param maxTokens Limit of the reply; none where undefined.
 */
export function complete(prompt: string, everything: string, maxTokens?: number): Completion {
  const full = replyText(prompt);
  const truncated = maxTokens !== undefined && tokenCount(full) > maxTokens;
  const text = truncated ? full.slice(0, Math.max(0, maxTokens) * charactersPerToken) : full;
  return { text, inputTokens: tokenCount(everything), outputTokens: tokenCount(text), truncated };
}

/** The text in a message's content: a string, or the text of its parts. */
export function contentText(content: Json | undefined): string {
  if (typeof content === "string") return content;
  return list(content).map((part) => string(object(part).text) ?? "").join("");
}

/** The user's last message and all text, of messages with `role` and `content` (or `parts`). */
export function conversation(messages: Json | undefined): { prompt: string; everything: string } {
  let prompt = "";
  let everything = "";
  for (const message of list(messages)) {
    const { role, content, parts } = object(message);
    const text = contentText(content ?? parts);
    everything += text;
    if (role === "user" || role === undefined) prompt = text;
  }
  return { prompt, everything };
}

/** A unit vector that depends on the text alone; `dimensions` is held between 1 and 4,096. */
export function embedding(text: string, dimensions: number): number[] {
  const seed = createHash("sha256").update(text).digest();
  let state = seed.readUInt32LE(0) || 1;
  const vector = Array.from({ length: Math.min(4096, Math.max(1, dimensions | 0)) }, () => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => Number((value / norm).toFixed(8)));
}

/** Gemini's `GenerateContentResponse` for a `GenerateContentRequest`, both in camel case. */
export function geminiReply(request: JsonObject, modelName: string, facts: ReplyFacts): JsonObject {
  const { prompt, everything } = conversation(request.contents);
  const system = contentText(object(request.systemInstruction).parts);
  const limit = number(object(request.generationConfig).maxOutputTokens);
  const { text, inputTokens, outputTokens, truncated } = complete(
    prompt,
    system + everything,
    limit,
  );
  return {
    candidates: [{
      content: { parts: [{ text }], role: "model" },
      finishReason: truncated ? "MAX_TOKENS" : "STOP",
    }],
    usageMetadata: {
      promptTokenCount: inputTokens,
      candidatesTokenCount: outputTokens,
      totalTokenCount: inputTokens + outputTokens,
      promptTokensDetails: [{ modality: "TEXT", tokenCount: inputTokens }],
    },
    modelVersion: modelName.replace(/^models\//, ""),
    responseId: facts.id,
  };
}

/**
 * Anthropic's Message for Messages parameters, also as the body of Claude on Bedrock.
 *
 * @param idPrefix `msg_` at Anthropic, `msg_bdrk_` on Bedrock.
 */
export function anthropicReply(
  params: JsonObject,
  modelName: string,
  facts: ReplyFacts,
  idPrefix = "msg_",
): JsonObject {
  const { prompt, everything } = conversation(params.messages);
  const { text, inputTokens, outputTokens, truncated } = complete(
    prompt,
    contentText(params.system) + everything,
    number(params.max_tokens),
  );
  return {
    id: `${idPrefix}${facts.id}`,
    type: "message",
    role: "assistant",
    model: modelName,
    content: [{ type: "text", text }],
    stop_reason: truncated ? "max_tokens" : "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: outputTokens,
      service_tier: "batch",
    },
  };
}

/**
 * Converse's response for a Converse request, as a Bedrock batch writes it.
 */
export function converseReply(request: JsonObject): JsonObject {
  const { prompt, everything } = conversation(request.messages);
  const { text, inputTokens, outputTokens, truncated } = complete(
    prompt,
    contentText(request.system) + everything,
    number(object(request.inferenceConfig).maxTokens),
  );
  return {
    output: { message: { role: "assistant", content: [{ text }] } },
    stopReason: truncated ? "max_tokens" : "end_turn",
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    metrics: { latencyMs: 0 },
  };
}
