/** Which simulated models run in the place of Bedrock's, where no configuration file says so. */

const chat = {
  openai: { id: "gpt-4o-mini" },
  gemini: { id: "gemini-2.5-flash" },
  anthropic: { id: "claude-haiku-4-5" },
};

/** The table `models` of a sandbox without a configuration file. */
export const sandboxModels = {
  // Anthropic has Bedrock's Claude models under names of its own.
  "anthropic.claude-*": { openai: chat.openai, gemini: chat.gemini },
  "amazon.nova-*": chat,
  "meta.llama*": chat,
  "openai.gpt-oss-*": chat,
  "amazon.titan-embed-text-*": { openai: { id: "text-embedding-3-small" } },
};
