/** OpenAI, and every server that speaks its Files and Batch API. */
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
import { openaiWording } from "./wording.ts";
import { createFiles } from "./files.ts";

/** Makes a provider of kind `openai`; each account has its own key and its own files. */
export function createOpenAI(settings: ProviderSettings, deps: ProviderDeps): StoringProvider {
  const baseUrl = (settings.baseUrl ?? defaultBaseUrls.openai).replace(/\/+$/, "");
  const account = (own: AccountSettings): Account => {
    const { name, weight, secrets = [own.apiKey] } = own;
    const health = createHealth(settings.name, name, { ...deps, apiKey: () => own.apiKey });
    const http = createHttp({
      provider: settings.name,
      baseUrl,
      headers: () => ({ authorization: `Bearer ${own.apiKey}` }),
      secrets,
      wording: openaiWording,
      health,
    }, deps);
    const service = {
      provider: settings.name,
      baseUrl,
      http,
      secrets,
      window: settings.batch?.completionWindow ?? "24h",
      purpose: settings.batch?.purpose ?? "batch",
    };
    const files = createFiles(service, deps);
    return {
      name,
      weight,
      files,
      batches: createBatches(service, files),
      health,
    };
  };
  return {
    name: settings.name,
    accounts: settings.accounts.map(account),
    target: {
      kind: "openai",
      dialects: ["openai-chat", "openai-responses", "openai-embeddings"],
      // Read again: they may change while the gateway runs.
      get limits() {
        return limitsOf("openai", settings.batchLimits);
      },
    },
  };
}
