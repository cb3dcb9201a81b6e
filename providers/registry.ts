/** Every kind of provider, one line each. */
import { createAnthropic } from "./anthropic.ts";
import { createAws } from "./aws/mod.ts";
import { createGemini } from "./gemini/mod.ts";
import { createOpenAI } from "./openai/mod.ts";
import type { Provider } from "./provider.ts";
import type { ProviderDeps, ProviderKind, ProviderSettings } from "./settings.ts";

/** Makes a provider of one kind. */
export type ProviderFactory = (settings: ProviderSettings, deps: ProviderDeps) => Provider;

/** How each kind is made. */
export const kinds: Readonly<Record<ProviderKind, ProviderFactory>> = {
  openai: createOpenAI,
  gemini: createGemini,
  anthropic: createAnthropic,
  bedrock: createAws,
};

/** Makes the configured providers, by their names; no connection is opened yet. */
export function createProviders(
  settings: readonly ProviderSettings[],
  deps: ProviderDeps,
): ReadonlyMap<string, Provider> {
  return new Map(settings.map((one) => [one.name, kinds[one.kind](one, deps)]));
}
