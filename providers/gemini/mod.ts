/** Google's Gemini Developer API: its files, which live 48 hours, and its batches. */
import { createHealth } from "../account_health.ts";
import { createHttp } from "../http.ts";
import type { Account, StoringProvider } from "../provider.ts";
import {
  type AccountSettings,
  defaultBaseUrls,
  type ProviderDeps,
  type ProviderSettings,
} from "../settings.ts";
import { createBatches } from "./batches.ts";
import { geminiDialect } from "./dialect.ts";
import { createFiles } from "./files.ts";

/** Makes a provider of kind `gemini`; each account has its own key and its own files. */
export function createGemini(settings: ProviderSettings, deps: ProviderDeps): StoringProvider {
  const baseUrl = (settings.baseUrl ?? defaultBaseUrls.gemini).replace(/\/+$/, "");
  const account = ({ name, weight, apiKey }: AccountSettings): Account => {
    const health = createHealth(settings.name, name, deps);
    const http = createHttp({
      provider: settings.name,
      baseUrl,
      headers: () => ({ "x-goog-api-key": apiKey }),
      secrets: [apiKey],
      dialect: geminiDialect,
      health,
    }, deps);
    const files = createFiles({ provider: settings.name, baseUrl, http }, deps);
    return {
      name,
      weight,
      files,
      batches: createBatches(settings.name, http, files, [apiKey]),
      health,
    };
  };
  return { name: settings.name, accounts: settings.accounts.map(account) };
}
