/** A configuration that changes while the gateway runs, where that is safe. */
import type { AccountSettings, ProviderSettings } from "../providers/settings.ts";
import type { ModelTable } from "../dialects/models.ts";
import type { Config } from "./config.ts";

/**
 * A configuration whose keys, default provider, prices, models, limits and bindings of buckets are
 * always the newest.
 */
export interface LiveConfig {
  readonly config: Config;
  /**
   * Takes over what can be changed in a running gateway. Throws where the file of the start is gone or
   * empty, as while it is being written: without it, all that it says would be taken back.
   */
  replace(next: Config): ConfigChange;
}

/** What a new configuration changed: places of settings, such as `providers.openai.accounts.a`. */
export interface ConfigChange {
  readonly changed: readonly string[];
  /** What changes only with the next start. */
  readonly needRestart: readonly string[];
}

/** An account whose key may be another one later. */
interface LiveAccount {
  readonly settings: AccountSettings;
  setKey(apiKey: string): void;
}

/** Settings that are read at each request. */
const liveNames = [
  "defaultProvider",
  "defaultIsImplied",
  "buckets",
  "prices",
  "models",
  "limits",
] as const;

/** Starts with a configuration. */
export function createLiveConfig(first: Config): LiveConfig {
  let current = first;
  let webhooks = first.events?.webhooks ?? [];
  const accounts = new Map<string, LiveAccount>();
  const batchLimits = new Map(first.providers.map((one) => [one.name, one.batchLimits ?? {}]));
  // The same object for ever, as it is handed on: its entries are replaced all at once.
  const models: Record<string, ModelTable[string]> = { ...first.models };
  const providers = first.providers.map((provider): ProviderSettings => ({
    ...provider,
    get batchLimits() {
      return batchLimits.get(provider.name) ?? {};
    },
    accounts: provider.accounts.map((one) => {
      const account = liveAccount(one);
      accounts.set(placeOf(provider, one), account);
      return account.settings;
    }),
  }));
  const config: Config = {
    ...first,
    providers,
    get defaultProvider() {
      return current.defaultProvider;
    },
    get defaultIsImplied() {
      return current.defaultIsImplied ?? false;
    },
    get buckets() {
      return current.buckets;
    },
    ...(first.events && {
      events: {
        ...first.events,
        get webhooks() {
          return webhooks;
        },
      },
    }),
    models,
    get limits() {
      return current.limits;
    },
    get prices() {
      return current.prices;
    },
  };
  return { config, replace };

  function replace(next: Config): ConfigChange {
    if (first.file !== undefined && next.file === undefined) {
      throw new Error(`${first.file} is gone, or empty. Write it again, and send SIGHUP`);
    }
    const keys = newKeys(next);
    for (const [place, apiKey] of keys) accounts.get(place)?.setKey(apiKey);
    const names = liveNames.filter((name) => !isSame(current[name], next[name]));
    // A default or a binding to a provider that only the next start knows would refuse requests.
    const needRestart = restartNames(first, next);
    const isKnown = !needRestart.includes("providers");
    const ofBatches = isKnown ? newBatchLimits(next) : [];
    if (isKnown) {
      current = next;
      for (const name of Object.keys(models)) delete models[name];
      Object.assign(models, next.models);
    }
    const newWebhooks = next.events?.webhooks ?? [];
    const hasNewWebhooks = !needRestart.includes("events") && !isSame(webhooks, newWebhooks);
    if (hasNewWebhooks) webhooks = newWebhooks;
    return {
      changed: [
        ...keys.keys(),
        ...isKnown ? names : [],
        ...ofBatches,
        ...hasNewWebhooks ? ["events.webhooks"] : [],
      ],
      needRestart: [...needRestart, ...isKnown ? [] : names],
    };
  }

  /** Takes over limits of batches; returns the places of those that differ. */
  function newBatchLimits({ providers }: Config): string[] {
    return providers.flatMap(({ name, batchLimits: limits = {} }) => {
      if (isSame(batchLimits.get(name), limits)) return [];
      batchLimits.set(name, limits);
      return [`providers.${name}.batchLimits`];
    });
  }

  /** Keys that differ from those in use, by their accounts. */
  function newKeys({ providers }: Config): Map<string, string> {
    const pairs = providers.flatMap((provider) =>
      provider.accounts.map((one) => [placeOf(provider, one), one.apiKey] as const)
    );
    return new Map(pairs.filter(([place, apiKey]) => {
      const account = accounts.get(place);
      return account !== undefined && account.settings.apiKey !== apiKey;
    }));
  }
}

function liveAccount({ name, weight, apiKey: first }: AccountSettings): LiveAccount {
  let apiKey = first;
  // Errors of requests under way may quote a key that was in use before.
  const secrets = [first];
  return {
    settings: {
      name,
      weight,
      secrets,
      get apiKey() {
        return apiKey;
      },
    },
    setKey(next) {
      apiKey = next;
      if (!secrets.includes(next)) secrets.push(next);
    },
  };
}

/** Names of the settings that were changed and that a running gateway keeps as they were. */
function restartNames(first: Config, next: Config): string[] {
  const names = new Set([...Object.keys(first), ...Object.keys(next)]);
  for (const name of [...liveNames, "notes", "file"]) names.delete(name);
  const [before, after] = [comparable(first), comparable(next)];
  return [...names].filter((name) => !isSame(before[name], after[name]));
}

/** A configuration without its keys, and without what else of a setting can change. */
function comparable(config: Config): Readonly<Record<string, unknown>> {
  const providers = config.providers.map(({ accounts, batchLimits: _batchLimits, ...rest }) => ({
    ...rest,
    accounts: accounts.map(({ name, weight }) => ({ name, weight })),
  }));
  if (config.events === undefined) return { ...config, providers };
  // The hosts that may be called are settled at the start.
  const { webhooks, ...rest } = config.events;
  return { ...config, providers, events: { ...rest, webhooks: webhooks.map(({ url }) => url) } };
}

function isSame(a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, inner: unknown) => inner instanceof Map ? [...inner] : inner);
  return text(a) === text(b);
}

function placeOf({ name }: ProviderSettings, account: AccountSettings): string {
  return `providers.${name}.accounts.${account.name}`;
}
