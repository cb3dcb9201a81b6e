/** The dialects by name: a line each. */
import { anthropic, bedrockAnthropic } from "./claude/mod.ts";
import { converse, nova } from "./converse/mod.ts";
import type { ChatDialect } from "./dialect.ts";
import { gemini } from "./gemini/mod.ts";
import { llama } from "./llama/mod.ts";
import { openaiEmbeddings } from "./embeddings/openai.ts";
import type { EmbeddingDialect } from "./embeddings/neutral.ts";
import { titanEmbeddings } from "./embeddings/titan.ts";
import type { ChatDialectName, EmbeddingDialectName } from "./names.ts";
import { bedrockOpenai, openaiChat } from "./openai_chat/mod.ts";
import { openaiResponses } from "./openai_responses/mod.ts";

const dialects: Readonly<Record<ChatDialectName, ChatDialect>> = {
  "bedrock-converse": converse,
  "bedrock-anthropic": bedrockAnthropic,
  "bedrock-nova": nova,
  "bedrock-llama": llama,
  "bedrock-openai": bedrockOpenai,
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  gemini,
  anthropic,
};

/** The chat dialect of this name. */
export function chatDialect(name: ChatDialectName): ChatDialect {
  return dialects[name];
}

const embeddings: Readonly<Record<EmbeddingDialectName, EmbeddingDialect>> = {
  "bedrock-titan-embed": titanEmbeddings,
  "openai-embeddings": openaiEmbeddings,
};

/** The embedding dialect of this name. */
export function embeddingDialect(name: EmbeddingDialectName): EmbeddingDialect {
  return embeddings[name];
}
