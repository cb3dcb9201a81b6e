/** The configuration: one file and the environment, checked as a whole before anything starts. */
import { checkFile, type ConfigError, type ConfigFile, unknownName } from "./file.ts";
import { type FirstKey, firstKeyOf } from "./first_key.ts";
import { busError, type EventSettings } from "./events.ts";
import { modelTable } from "./models.ts";
import { keepSettings, type ObjectSettings, objectSettings, type StoreSettings } from "./stores.ts";
import { checkNames, type Env, mergeProviders } from "./providers.ts";
import { hostOf, type Sharing, sharingOf } from "./sharing.ts";
import type { ParseError } from "jsonc-parser";
import { isRegion } from "../codecs/arn.ts";
import { bounds } from "../runtime/bounds.ts";
import { parseSecretKey } from "../codecs/secret_box.ts";
import type { ModelTable } from "../dialects/models.ts";
import type { ProviderSettings } from "../providers/settings.ts";

/** Settings of the gateway. Times are in milliseconds. */
export interface Config extends Sharing {
  /** Path of the configuration file; absent where there is none, or one without a character. */
  readonly file?: string;
  readonly host: string;
  readonly port: number;
  /** A second port with S3 at its root. */
  readonly s3Port?: number;
  /** A port for operators, with the figures and the health of this process. */
  readonly adminPort?: number;
  /** Paths of PEM files; plain HTTP without them. */
  readonly tls?: { readonly certPath: string; readonly keyPath: string };
  /** Folder of the catalog, where that is a file, and of the spool. */
  readonly data: string;
  readonly pollMilliseconds: number;
  readonly sweepMilliseconds: number;
  readonly drainMilliseconds: number;
  readonly idleMilliseconds: number;
  readonly allowAnonymous: boolean;
  /** Whether a proxy in front says who its client is, in the last entry of `X-Forwarded-For`. */
  readonly trustProxy: boolean;
  /** A key that may do everything; absent: only issued ones. */
  readonly firstKey?: FirstKey;
  /** 32 bytes under which secrets are sealed; absent: a key in the data folder. */
  readonly secretKey?: Uint8Array;
  /** Absent: pretty on a terminal. */
  readonly log?: "json" | "pretty";
  readonly providers: readonly ProviderSettings[];
  readonly defaultProvider: string;
  /** True where several providers are configured and no `defaultProvider`. */
  readonly defaultIsImplied?: boolean;
  readonly buckets: ConfigFile["buckets"];
  /** The form of ETags that objects at storing providers get; a bucket may have its own. */
  readonly etag: ConfigFile["etag"];
  readonly s3Domains: readonly string[];
  readonly implicitBuckets: boolean;
  readonly strictIdempotency: boolean;
  readonly limits: ConfigFile["limits"];
  /** Which tenants have figures of their own. */
  readonly metrics: ConfigFile["metrics"];
  /** Which model of a provider runs a job that names another one. */
  readonly models: ModelTable;
  /** What models cost, in USD per million tokens. */
  readonly prices: ConfigFile["prices"];
  /** Where results are kept beyond the time that providers keep them; nowhere where absent. */
  readonly keep?: StoreSettings;
  /** Which objects the gateway keeps itself, and where. */
  readonly objects: ObjectSettings;
  /** Where changes of jobs are reported to; nowhere where absent. */
  readonly events?: EventSettings;
  /** The region of whatever no client signed a region for. */
  readonly region: string;
  /** What the operator should know although nothing is wrong. */
  readonly notes: readonly string[];
}

/** The configuration is wrong: every error at once. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly errors: readonly ConfigError[];

  constructor(errors: readonly ConfigError[]) {
    const lines = errors.map(({ place, message }) => `  ${place}: ${message}`);
    super(
      `The configuration has ${errors.length === 1 ? "an error" : `${errors.length} errors`}:\n${
        lines.join("\n")
      }`,
    );
    this.errors = errors;
  }
}

const gatewayVariables = [
  "BATCHWAY_HOST",
  "BATCHWAY_PORT",
  "BATCHWAY_S3_PORT",
  "BATCHWAY_ADMIN_PORT",
  "BATCHWAY_REUSE_PORT",
  "BATCHWAY_DATA",
  "BATCHWAY_CATALOG",
  "BATCHWAY_CONFIG",
  "BATCHWAY_POLL_SECONDS",
  "BATCHWAY_SWEEP_SECONDS",
  "BATCHWAY_DRAIN_SECONDS",
  "BATCHWAY_IDLE_SECONDS",
  "BATCHWAY_TLS_CERT",
  "BATCHWAY_TLS_KEY",
  "BATCHWAY_ALLOW_ANONYMOUS",
  "BATCHWAY_TRUST_PROXY",
  "BATCHWAY_ADMIN_KEY_ID",
  "BATCHWAY_ADMIN_SECRET",
  "BATCHWAY_SECRET_KEY",
  "BATCHWAY_LOG",
] as const;

type GatewayVariable = typeof gatewayVariables[number];

/** Reads the file that `BATCHWAY_CONFIG` names, or `./batchway.jsonc` where it exists, and the environment. */
export async function loadConfig(
  environment: Readonly<Record<string, string>>,
): Promise<Config> {
  const path = environment["BATCHWAY_CONFIG"] || undefined;
  let text: string | undefined;
  try {
    text = await Deno.readTextFile(path ?? "./batchway.jsonc");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isOptional = path === undefined && error instanceof Deno.errors.NotFound;
    if (!isOptional) {
      throw new ConfigurationError([{
        place: "BATCHWAY_CONFIG",
        message: `cannot be read: ${reason}`,
      }]);
    }
  }
  return await parseConfig(environment, text, path ?? "./batchway.jsonc");
}

/** Makes a configuration of the environment and a file's text. Throws {@linkcode ConfigurationError}. */
export async function parseConfig(
  environment: Readonly<Record<string, string>>,
  text: string | undefined,
  path: string,
): Promise<Config> {
  const env: Env = (name) => environment[name] || undefined;
  const errors: ConfigError[] = [];
  const notes: string[] = [];
  const content = text === undefined ? {} : await parseJsonc(text, path, errors);
  const { file, errors: inFile, named } = checkFile(content, env);
  errors.push(...inFile, ...unknownVariables(environment));
  const providers = mergeProviders(file, env, errors, notes);
  checkNames(file, [...new Set([...providers.map((one) => one.name), ...named])], errors);
  const seconds = (name: GatewayVariable, otherwise: number) =>
    number(env, name, otherwise, errors) * 1000;
  const log = choice(env, "BATCHWAY_LOG", ["json", "pretty"], errors);
  const region = regionOf(env, errors);
  const keep = keepSettings(file, providers, errors);
  const data = (env("BATCHWAY_DATA") ?? "./.batchway").replace(/(?<=.)\/+$/, "");
  const config: Config = {
    ...(text !== undefined && text.trim() !== "" && { file: path }),
    host: hostOf(env),
    port: port(env, "BATCHWAY_PORT", 8080, errors),
    ...furtherPortsOf(env, errors),
    ...tlsOf(env, errors),
    ...sharingOf(env, errors),
    data,
    pollMilliseconds: seconds("BATCHWAY_POLL_SECONDS", 5),
    sweepMilliseconds: seconds("BATCHWAY_SWEEP_SECONDS", 60),
    drainMilliseconds: seconds("BATCHWAY_DRAIN_SECONDS", 60),
    idleMilliseconds: seconds("BATCHWAY_IDLE_SECONDS", bounds.clientIdleMilliseconds / 1000),
    allowAnonymous: choice(env, "BATCHWAY_ALLOW_ANONYMOUS", ["1", "0"], errors) === "1",
    trustProxy: choice(env, "BATCHWAY_TRUST_PROXY", ["1", "0"], errors) === "1",
    ...firstKeyOf(env, errors),
    ...secretKeyOf(env, errors),
    ...(log !== undefined && { log }),
    providers,
    ...defaultOf(file, providers),
    buckets: file.buckets,
    etag: file.etag,
    s3Domains: file.s3Domains,
    implicitBuckets: file.implicitBuckets,
    strictIdempotency: file.strictIdempotency,
    limits: file.limits,
    metrics: file.metrics,
    models: modelTable(file.models, providers, notes),
    prices: file.prices,
    ...(keep && { keep }),
    objects: objectSettings(file, providers, errors),
    ...eventsOf(file, providers, region, errors),
    region: region ?? providers.find((one) => one.region !== undefined)?.region ?? "us-east-1",
    notes,
  };
  if (errors.length > 0) throw new ConfigurationError(errors);
  return config;
}

/** Returns the region that the environment names, if any. */
function regionOf(env: Env, errors: ConfigError[]): string | undefined {
  const variable = env("AWS_REGION") === undefined ? "AWS_DEFAULT_REGION" : "AWS_REGION";
  const region = env(variable);
  if (region !== undefined && !isRegion(region)) {
    errors.push({ place: variable, message: "is not an AWS region (for example us-west-2)" });
  }
  return region;
}

/** Returns the ports that are only opened where they are named. */
function furtherPortsOf(env: Env, errors: ConfigError[]): Pick<Config, "s3Port" | "adminPort"> {
  const named = (name: GatewayVariable) =>
    env(name) === undefined ? undefined : port(env, name, 0, errors);
  const s3Port = named("BATCHWAY_S3_PORT");
  const adminPort = named("BATCHWAY_ADMIN_PORT");
  return {
    ...(s3Port !== undefined && { s3Port }),
    ...(adminPort !== undefined && { adminPort }),
  };
}

/** The provider of requests that name none: the file's, the only one, else bedrock. */
function defaultOf(
  { defaultProvider }: ConfigFile,
  providers: readonly ProviderSettings[],
): Pick<Config, "defaultProvider" | "defaultIsImplied"> {
  if (defaultProvider !== undefined) return { defaultProvider };
  const [first, ...others] = providers;
  if (first && others.length === 0) return { defaultProvider: first.name };
  return { defaultProvider: "bedrock", ...(first && { defaultIsImplied: true }) };
}

function eventsOf(
  { events }: ConfigFile,
  providers: readonly ProviderSettings[],
  region: string | undefined,
  errors: ConfigError[],
): Pick<Config, "events"> {
  if (events === undefined) return {};
  const message = busError(events, providers, region);
  if (message !== undefined) errors.push({ place: "events.eventBridge.provider", message });
  return { events };
}

async function parseJsonc(text: string, path: string, errors: ConfigError[]): Promise<unknown> {
  const { parse, printParseErrorCode } = await import("jsonc-parser");
  const found: ParseError[] = [];
  const content: unknown = parse(text, found, {
    allowTrailingComma: true,
    allowEmptyContent: true,
  });
  for (const { error, offset } of found) {
    const line = text.slice(0, offset).split("\n").length;
    const what = printParseErrorCode(error).replaceAll(/(?<=[a-z])[A-Z]/g, " $&").toLowerCase();
    errors.push({ place: `${path}:${line}`, message: `is not JSON with comments: ${what}` });
  }
  // Nothing but comments is nothing configured.
  return found.length > 0 || content === undefined ? {} : content;
}

/** Variables of tests; a shell that has them may start the gateway all the same. */
const testPrefix = "BATCHWAY_TEST_";

function unknownVariables(environment: Readonly<Record<string, string>>): ConfigError[] {
  const known: readonly string[] = gatewayVariables;
  return Object.keys(environment)
    .filter((name) => name.startsWith("BATCHWAY_") && !name.startsWith(testPrefix))
    .filter((name) => !known.includes(name))
    .map((name) => ({ place: name, message: unknownName(name, known) }));
}

function tlsOf(env: Env, errors: ConfigError[]): Pick<Config, "tls"> {
  const [certPath, keyPath] = [env("BATCHWAY_TLS_CERT"), env("BATCHWAY_TLS_KEY")];
  if (certPath !== undefined && keyPath !== undefined) return { tls: { certPath, keyPath } };
  const missing = certPath === undefined ? "BATCHWAY_TLS_CERT" : "BATCHWAY_TLS_KEY";
  if (certPath !== keyPath) errors.push({ place: missing, message: "is missing; TLS needs both" });
  return {};
}

function secretKeyOf(env: Env, errors: ConfigError[]): Pick<Config, "secretKey"> {
  const text = env("BATCHWAY_SECRET_KEY");
  const secretKey = text === undefined ? undefined : parseSecretKey(text);
  if (secretKey) return { secretKey };
  if (text !== undefined) {
    const message = "must be 32 bytes in base64; `openssl rand -base64 32` makes them";
    errors.push({ place: "BATCHWAY_SECRET_KEY", message });
  }
  return {};
}

/** A week: timers take no more than 2³¹ milliseconds, and fire at once for more. */
const maxSeconds = 604_800;

function number(env: Env, name: GatewayVariable, otherwise: number, errors: ConfigError[]): number {
  const text = env(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (/^[0-9.]+$/.test(text) && value <= maxSeconds) return value;
  errors.push({
    place: name,
    message: `must be a number of seconds up to ${maxSeconds}, such as 5 or 0.5`,
  });
  return otherwise;
}

function port(env: Env, name: GatewayVariable, otherwise: number, errors: ConfigError[]): number {
  const text = env(name);
  if (text === undefined) return otherwise;
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  errors.push({ place: name, message: "must be a port from 0 (any free one) to 65535" });
  return otherwise;
}

function choice<Value extends string>(
  env: Env,
  name: GatewayVariable,
  values: readonly Value[],
  errors: ConfigError[],
): Value | undefined {
  const text = env(name);
  if (text === undefined) return undefined;
  const value = values.find((one) => one === text);
  if (value === undefined) errors.push({ place: name, message: `must be ${values.join(" or ")}` });
  return value;
}
