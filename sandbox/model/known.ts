/**
 * Which models a simulated provider has. Real ones refuse a model that they do not know, which a
 * newcomer's typing error, or a model of another provider, is.
 */

/** By the beginnings of names: new models come every month. */
const families: Readonly<Record<"openai" | "gemini" | "anthropic" | "bedrock", RegExp>> = {
  openai:
    /^(?:ft:)?(?:gpt-|chatgpt-|o\d|codex-|computer-use-|text-embedding-|omni-moderation|text-moderation|davinci|babbage|dall-e|sora-)/,
  gemini:
    /^(?:(?:models\/)?(?:gemini-|gemma-|learnlm-|imagen-|veo-|embedding-|text-embedding-0)|tunedModels\/)/,
  anthropic: /^claude-/,
  bedrock:
    /^(?:arn:|(?:[a-z]{2,6}(?:-gov)?\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|twelvelabs|writer|zai)\.)/,
};

/**
 * What stands for any model in tests: a letter, `model`, `test-…`, those that fail on purpose, and at
 * Gemini the model of programs that run on OpenAI and Gemini unchanged.
 */
const standIn = /^(?:models\/)?(?:[a-z]|model|(?:test|fail)-.*)$|^models\/gpt-4o-mini$/;

/** Returns whether a simulated provider has a model of this name. */
export function hasModel(provider: keyof typeof families, name: string): boolean {
  return families[provider].test(name) || standIn.test(name);
}
