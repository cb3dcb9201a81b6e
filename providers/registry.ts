/** Every kind of provider, one line each. */
import { createAnthropic } from "./anthropic.ts";
import { createAws } from "./aws/mod.ts";
import { createGemini } from "./gemini/mod.ts";
import { createOpenAI } from "./openai/mod.ts";
import type { ForwardingProvider, Provider, StoringProvider } from "./provider.ts";
import type { ProviderDeps, ProviderKind, ProviderSettings } from "./settings.ts";

/** Makes a provider of one kind. */
export type ProviderFactory = Make<Provider>;

type Make<Facet> = (settings: ProviderSettings, deps: ProviderDeps) => Facet;

/** How each kind is made: the facets that it has. */
export const kinds: Readonly<Record<ProviderKind, ProviderFactory>> = {
  openai: storing(createOpenAI),
  gemini: storing(createGemini),
  anthropic: storing(createAnthropic),
  bedrock: forwarding(createAws),
};

/** Makes the configured providers, by their names; no connection is opened yet. */
export function createProviders(
  settings: readonly ProviderSettings[],
  deps: ProviderDeps,
): ReadonlyMap<string, Provider> {
  return new Map(settings.map((one) => [one.name, kinds[one.kind](one, deps)]));
}

function storing(make: Make<StoringProvider>): ProviderFactory {
  return (settings, deps) => ({ name: settings.name, stores: make(settings, deps) });
}

function forwarding(make: Make<ForwardingProvider>): ProviderFactory {
  return (settings, deps) => ({ name: settings.name, forward: make(settings, deps) });
}
