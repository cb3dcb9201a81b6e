/** What OpenAI's models answer in the simulation, by endpoint. */
import { type JsonObject, list, number, string } from "../json.ts";
import { complete, contentText, embedding, type ReplyFacts, tokenCount } from "../replies.ts";
import { chatCompletion } from "./chat.ts";
import { responseBody } from "./response.ts";

type OpenAIReply = (body: JsonObject, facts: ReplyFacts) => JsonObject;

const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
const model = (body: JsonObject) => string(body.model) ?? "unknown";

const openaiReplies: Readonly<Record<string, OpenAIReply>> = {
  "/v1/chat/completions": chatCompletion,
  "/v1/responses": responseBody,

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
