/** Counts of tokens in the answers of providers, without reading the rest of these. */
import type { Usage } from "./chat.ts";
import { readUsage as claudeUsage } from "./claude/answers.ts";
import { readUsage as geminiUsage } from "./gemini/answers.ts";
import type { Json } from "./json.ts";
import { type DialectName, type EnvelopeName, envelopeOf } from "./names.ts";
import { readUsage as openaiUsage } from "./openai_chat/answers.ts";
import { promptOf } from "./usage.ts";

/** What an answer cost: input with cached tokens, output with those of thinking. */
export interface AnswerTokens {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
}

const readers: Readonly<Record<Exclude<EnvelopeName, "bedrock">, (body: Json) => Usage>> = {
  openai: (body) => {
    const usage = body.get("usage");
    // Chat and embeddings name them one way, the Responses API the other.
    return usage?.get("prompt_tokens")
      ? openaiUsage(usage, "prompt_tokens", "completion_tokens")
      : openaiUsage(usage, "input_tokens", "output_tokens");
  },
  gemini: (body) => geminiUsage(body.get("usageMetadata") ?? body.get("usage_metadata")),
  anthropic: (body) => claudeUsage(body.get("usage")),
};

/** The tokens of an answer's body in the dialect of a provider that takes batches of lines. */
export function tokensOf(dialect: DialectName, body: Json): AnswerTokens | undefined {
  const name = envelopeOf(dialect);
  if (name === "bedrock") return undefined;
  const usage = readers[name](body);
  return {
    inputTokens: promptOf(usage),
    cachedInputTokens: usage.cacheRead,
    outputTokens: usage.output,
  };
}
