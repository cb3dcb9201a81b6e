/** The models that run in the place of Bedrock's, as an operator configures them. */

const chat = {
  openai: "gpt-4o-mini",
  gemini: "gemini-2.5-flash",
  anthropic: "claude-haiku-4-5",
};

/** The text of a configuration file. */
export const portableModels = JSON.stringify({
  objects: { keep: "needed" },
  models: {
    "anthropic.claude-3-5-haiku-20241022-v1:0": {
      openai: chat.openai,
      gemini: chat.gemini,
    },
    "amazon.nova-*": chat,
    "meta.llama3-*": chat,
    "openai.gpt-oss-*": chat,
    "amazon.titan-embed-text-v2:0": { openai: "text-embedding-3-small" },
  },
});
