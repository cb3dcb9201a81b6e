/** Google's Gemini Developer API: its files, which live 48 hours, and its batches. */
import { createHealth } from "../account_health.ts";
import { createHttp } from "../http.ts";
import { limitsOf } from "../limits.ts";
import type { Account, StoringProvider } from "../provider.ts";
import {
  type AccountSettings,
  defaultBaseUrls,
  type ProviderDeps,
  type ProviderSettings,
} from "../settings.ts";
import { createBatches } from "./batches.ts";
import { geminiWording } from "./wording.ts";
import { createFiles } from "./files.ts";

/** Makes a provider of kind `gemini`; each account has its own key and its own files. */
export function createGemini(settings: ProviderSettings, deps: ProviderDeps): StoringProvider {
  const baseUrl = (settings.baseUrl ?? defaultBaseUrls.gemini).replace(/\/+$/, "");
  const account = (own: AccountSettings): Account => {
    const { name, weight, secrets = [own.apiKey] } = own;
    const health = createHealth(settings.name, name, { ...deps, apiKey: () => own.apiKey });
    const http = createHttp({
      provider: settings.name,
      baseUrl,
      headers: () => ({ "x-goog-api-key": own.apiKey }),
      secrets,
      wording: geminiWording,
      health,
    }, deps);
    const files = createFiles({ provider: settings.name, baseUrl, http }, deps);
    return {
      name,
      weight,
      files,
      batches: createBatches(settings.name, http, files, secrets),
      health,
    };
  };
  return {
    name: settings.name,
    accounts: settings.accounts.map(account),
    target: {
      kind: "gemini",
      dialects: ["gemini"],
      // Read again: they may change while the gateway runs.
      get limits() {
        return limitsOf("gemini", settings.batchLimits);
      },
    },
  };
}
