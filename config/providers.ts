/** Which providers the configuration file and the environment name together. */
import { isRegion } from "../codecs/arn.ts";
import { type ConfigError, type ConfigFile, isBaseUrl, type ProviderEntry } from "./file.ts";
import {
  batchLimits as ownLimits,
  type BatchLimitSettings,
  type ProviderKind,
  type ProviderSettings,
} from "../providers/settings.ts";

/** Looks a variable up; undefined where it is not set, or empty. */
export type Env = (name: string) => string | undefined;

/** Settings of a provider that are addresses. */
type EndpointSetting = "baseUrl" | "s3Endpoint" | "bedrockEndpoint";

/** Names of the variables of a provider. */
interface ProviderVariables extends Partial<Readonly<Record<EndpointSetting, string>>> {
  readonly keys: readonly string[];
  /** Further ones by which it is configured. */
  readonly hints: readonly string[];
}

/** Which variables configure the provider of a kind's own name. */
const providerVariables: Readonly<
  Record<ProviderKind, ProviderVariables>
> = {
  openai: { keys: ["OPENAI_API_KEY"], baseUrl: "OPENAI_BASE_URL", hints: [] },
  gemini: {
    keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    baseUrl: "GOOGLE_GEMINI_BASE_URL",
    hints: [],
  },
  anthropic: { keys: ["ANTHROPIC_API_KEY"], baseUrl: "ANTHROPIC_BASE_URL", hints: [] },
  bedrock: {
    keys: [],
    s3Endpoint: "AWS_ENDPOINT_URL_S3",
    bedrockEndpoint: "AWS_ENDPOINT_URL_BEDROCK",
    hints: [
      "AWS_ACCESS_KEY_ID",
      "AWS_PROFILE",
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
      "AWS_ENDPOINT_URL_S3",
      "AWS_ENDPOINT_URL_BEDROCK",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ],
  },
};

/** The file's providers, and those of a kind's own name that the environment configures. */
export function mergeProviders(
  file: ConfigFile,
  env: Env,
  errors: ConfigError[],
  notes: string[],
): ProviderSettings[] {
  const entries = new Map<string, ProviderEntry>(Object.entries(file.providers));
  for (const [kind, { keys, hints }] of Object.entries(providerVariables)) {
    if (!entries.has(kind) && [...keys, ...hints].some((name) => env(name) !== undefined)) {
      entries.set(kind, { kind: kind as ProviderKind });
    }
  }
  return [...entries].map(([name, entry]) => settingsOf(name, entry, env, errors, notes));
}

function settingsOf(
  name: string,
  entry: ProviderEntry,
  env: Env,
  errors: ConfigError[],
  notes: string[],
): ProviderSettings {
  const place = `providers.${name}`;
  const variables = variablesOf({ name, kind: entry.kind });
  const variable = variables.keys.find((key) => env(key) !== undefined);
  const fromEnv = variable === undefined ? undefined : env(variable);
  if (entry.accounts && variable !== undefined) {
    notes.push(`${variable} is ignored: ${place}.accounts in the file names the keys`);
  }
  const apiKey = fromEnv ?? entry.apiKey;
  const accounts = entry.accounts ??
    (apiKey === undefined ? [] : [{ name: "default", apiKey, weight: 1 }]);
  if (entry.kind !== "bedrock" && accounts.length === 0) {
    const instead = variables.keys[0] === undefined ? "" : `, or set ${variables.keys[0]}`;
    errors.push({ place: `${place}.apiKey`, message: `is missing; add it${instead}` });
  }
  const where = fromEnv !== undefined && !entry.accounts ? variable : undefined;
  checkAccounts(accounts, place, where, errors);
  checkEntry(entry, place, errors);
  const url = (variable: string | undefined, fallback: string | undefined) =>
    variable === undefined ? fallback : urlOf(env, variable, errors) ?? fallback;
  const isAws = name === "bedrock" && entry.kind === "bedrock";
  const baseUrl = url(variables.baseUrl, entry.baseUrl);
  const region = (isAws ? env("AWS_REGION") ?? env("AWS_DEFAULT_REGION") : undefined) ??
    entry.region;
  const s3Endpoint = url(variables.s3Endpoint, entry.s3Endpoint);
  const bedrockEndpoint = url(variables.bedrockEndpoint, entry.bedrockEndpoint);
  return {
    name,
    kind: entry.kind,
    accounts,
    ...(baseUrl !== undefined && { baseUrl }),
    ...(region !== undefined && { region }),
    ...(s3Endpoint !== undefined && { s3Endpoint }),
    ...(bedrockEndpoint !== undefined && { bedrockEndpoint }),
    ...batchOf(entry),
    ...(entry.batchLimits && { batchLimits: entry.batchLimits }),
  };
}

/** The environment's names are those of the provider that is called like its kind. */
function variablesOf({ name, kind }: Pick<ProviderSettings, "name" | "kind">): ProviderVariables {
  return name === kind ? providerVariables[kind] : { keys: [], hints: [] };
}

/** The variable that sets an address of a provider; undefined where none does. */
export function endpointVariable(
  provider: Pick<ProviderSettings, "name" | "kind">,
  setting: EndpointSetting,
): string | undefined {
  return variablesOf(provider)[setting];
}

/** Limits that are more than the provider takes, or that are of no use there. */
function overLimits(
  place: string,
  kind: ProviderKind,
  limits: BatchLimitSettings,
): readonly ConfigError[] {
  if (kind === "bedrock") {
    const message =
      "has no effect at a provider of kind bedrock, which runs jobs itself; remove it";
    return [{ place: `${place}.batchLimits`, message }];
  }
  const own = ownLimits[kind];
  return (["records", "bytes"] as const).flatMap((name) =>
    (limits[name] ?? 0) <= own[name] ? [] : [{
      place: `${place}.batchLimits.${name}`,
      message: `must be at most ${own[name]}, which is what a batch of ${kind} takes`,
    }]
  );
}

function batchOf({ batch }: ProviderEntry): Pick<ProviderSettings, "batch"> {
  if (!batch) return {};
  const { completionWindow, purpose } = batch;
  return {
    batch: {
      ...(completionWindow !== undefined && { completionWindow }),
      ...(purpose !== undefined && { purpose }),
    },
  };
}

/** Names of providers in other places of the file must be those of configured providers. */
export function checkNames(
  file: ConfigFile,
  known: readonly string[],
  errors: ConfigError[],
): void {
  const check = (place: string, name: string | undefined) => {
    if (name === undefined || known.includes(name)) return;
    const configured = known.length === 0 ? "none is" : `configured are ${known.join(", ")}`;
    errors.push({
      place,
      message: `names the provider ${name}, which is not configured; ${configured}`,
    });
  };
  check("defaultProvider", file.defaultProvider);
  for (const [bucket, { provider }] of Object.entries(file.buckets)) {
    check(`buckets.${bucket}.provider`, provider);
  }
  for (const [model, byProvider] of Object.entries(file.models)) {
    for (const provider of Object.keys(byProvider)) check(`models.${model}.${provider}`, provider);
  }
}

function urlOf(env: Env, name: string, errors: ConfigError[]): string | undefined {
  const text = env(name);
  if (text === undefined || isBaseUrl(text)) return text?.replace(/\/+$/, "");
  errors.push({
    place: name,
    message: "must be an http or https URL without user, query and fragment",
  });
  return undefined;
}

/** Checks accounts of a provider; `variable` is where the key comes from, unless from the file. */
function checkAccounts(
  accounts: NonNullable<ProviderEntry["accounts"]>,
  place: string,
  variable: string | undefined,
  errors: ConfigError[],
): void {
  for (const { name, apiKey } of accounts) {
    if (!/^[\x21-\x7e]+$/.test(apiKey)) {
      const message =
        "holds a character that keys cannot hold, such as a space or a curly quote; paste it again";
      errors.push({ place: variable ?? `${place} (key of ${name})`, message });
    }
  }
  if (new Set(accounts.map((one) => one.name)).size < accounts.length) {
    errors.push({ place: `${place}.accounts`, message: "has two accounts of one name" });
  }
  if (accounts.length > 0 && accounts.every((one) => one.weight === 0)) {
    errors.push({ place: `${place}.accounts`, message: "has no account with a weight above 0" });
  }
}

/** Checks the region, the form of batches and the limits of a provider. */
function checkEntry(entry: ProviderEntry, place: string, errors: ConfigError[]): void {
  if (entry.region !== undefined && !isRegion(entry.region)) {
    errors.push({
      place: `${place}.region`,
      message: "is not an AWS region (for example us-west-2)",
    });
  }
  if (entry.batch && entry.kind !== "openai") {
    errors.push({
      place: `${place}.batch`,
      message: `is for providers of kind openai, and this one is of kind ${entry.kind}`,
    });
  }
  const { batchLimits } = entry;
  if (batchLimits) errors.push(...overLimits(place, entry.kind, batchLimits));
}
