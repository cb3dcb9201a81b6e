/** The configuration file: its form, the names it knows, and where an error in it is. */
import { isObject } from "../codecs/json_object.ts";
import * as v from "valibot";
import { eventMembers, events } from "./events.ts";
import { modelMembers, models } from "./models.ts";
import { price, prices } from "./prices.ts";
import { nearest } from "../codecs/nearest.ts";
import { bounds } from "../runtime/bounds.ts";

const baseUrl = v.pipe(
  v.string(),
  v.check(isBaseUrl, "must be an http or https URL without user, query and fragment"),
);

const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and hyphens"),
);

const key = v.pipe(v.string(), v.nonEmpty("must not be empty"));

const account = v.object({
  name,
  apiKey: key,
  weight: v.optional(v.pipe(v.number(), v.minValue(0, "must not be negative")), 1),
});

/** What a service that speaks OpenAI's API may want in other words. */
const batch = v.object({
  completionWindow: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^(?:[1-9]\d{0,4} ?[A-Za-z]{1,8}|P[0-9DTHM]{2,12})$/,
        "must be a number and its unit, such as 24h or 7d",
      ),
    ),
  ),
  purpose: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, "must be one word, such as batch or batch-api"),
    ),
  ),
});

const atLeastOne = v.pipe(
  v.number(),
  v.integer("must be a whole number"),
  v.minValue(1, "must be 1 or more"),
);

/** How large a batch may be, and how many of an account run at one time. */
const batchLimits = v.object({
  records: v.exactOptional(atLeastOne),
  bytes: v.exactOptional(atLeastOne),
  running: v.exactOptional(atLeastOne),
});

const provider = v.object({
  kind: v.picklist(["openai", "gemini", "anthropic", "bedrock"]),
  baseUrl: v.optional(baseUrl),
  apiKey: v.optional(key),
  accounts: v.optional(v.pipe(v.array(account), v.minLength(1, "must name an account"))),
  region: v.optional(v.string()),
  s3Endpoint: v.optional(baseUrl),
  bedrockEndpoint: v.optional(baseUrl),
  batch: v.optional(batch),
  batchLimits: v.exactOptional(batchLimits),
});

const etag = v.picklist(["file", "md5"]);

const bucket = v.object({
  provider: v.optional(v.string()),
  etag: v.optional(etag),
  native: v.optional(v.boolean()),
});

const limits = v.object({
  maxBodyBytes: v.optional(atLeastOne, 5_368_709_120),
  concurrentUploads: v.optional(atLeastOne, bounds.uploads),
  storeBytes: v.exactOptional(atLeastOne),
  requestsPerSecond: v.optional(
    v.nullable(v.pipe(v.number(), v.minValue(0, "must not be negative"))),
    null,
  ),
});

const keep = v.object({
  folder: v.optional(v.pipe(v.string(), v.nonEmpty("must not be empty"))),
  bucket: v.optional(
    v.pipe(
      v.string(),
      v.regex(
        /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/,
        "must be s3://bucket or s3://bucket/prefix",
      ),
    ),
  ),
  provider: v.optional(v.string()),
});

const results = v.object({ keep: v.optional(keep) });

const objects = v.object({
  store: v.optional(keep),
  keep: v.optional(v.picklist(["needed", "all", "never"]), "needed"),
  expireDays: v.optional(atLeastOne),
});

/** Each tenant multiplies the number of series. */
const maxLabelled = 100;

const metrics = v.object({
  tenants: v.optional(
    v.pipe(
      v.array(key),
      v.maxLength(maxLabelled, `must name ${maxLabelled} tenants at the most`),
    ),
    [],
  ),
});

const file = v.object({
  defaultProvider: v.optional(v.string()),
  providers: v.optional(v.record(name, provider), {}),
  buckets: v.optional(v.record(v.string(), bucket), {}),
  etag: v.optional(etag, "file"),
  s3Domains: v.optional(v.array(v.string()), ["localhost"]),
  implicitBuckets: v.optional(v.boolean(), true),
  strictIdempotency: v.optional(v.boolean(), false),
  limits: v.optional(limits, {}),
  results: v.optional(results, {}),
  objects: v.optional(objects, {}),
  models: v.optional(models, {}),
  events: v.exactOptional(events),
  prices: v.optional(prices, {}),
  metrics: v.optional(metrics, {}),
});

/** What the configuration file says, with defaults for what it does not. */
export type ConfigFile = v.InferOutput<typeof file>;
/** A provider as the file has it. */
export type ProviderEntry = v.InferOutput<typeof provider>;

/** A wrong place in the configuration, such as `providers.groq.baseUrl`. */
export interface ConfigError {
  readonly place: string;
  readonly message: string;
}

/** The place of an error of several settings. */
const wholeFile = "(the whole file)";

/** What each object of the file may hold; `*` stands for any name. */
const knownNames: Readonly<Record<string, readonly string[] | "any">> = {
  "": Object.keys(file.entries),
  "providers": "any",
  "buckets": "any",
  "models": "any",
  "models.*": "any",
  "prices": "any",
  "prices.*": Object.keys(price.entries),
  "providers.*": Object.keys(provider.entries),
  "providers.*.accounts.*": Object.keys(account.entries),
  "providers.*.batchLimits": Object.keys(batchLimits.entries),
  "providers.*.batch": Object.keys(batch.entries),
  "buckets.*": Object.keys(bucket.entries),
  "limits": Object.keys(limits.entries),
  "results": Object.keys(results.entries),
  "results.keep": Object.keys(keep.entries),
  "objects": Object.keys(objects.entries),
  "objects.store": Object.keys(keep.entries),
  "models.*.*": modelMembers,
  "events": eventMembers.events,
  "events.webhooks.*": eventMembers.webhook,
  "events.eventBridge": eventMembers.eventBridge,
  "metrics": Object.keys(metrics.entries),
};

/** A checked file: what is right in it, so that what depends on that is checked too. */
export interface CheckedFile {
  readonly file: ConfigFile;
  readonly errors: ConfigError[];
  /** Names of all providers of the file, also of those with errors, which `file` has not. */
  readonly named: readonly string[];
}

/** Checks what a configuration file holds, with every error at once. */
export function checkFile(
  content: unknown,
  env: (name: string) => string | undefined,
): CheckedFile {
  const errors: ConfigError[] = [];
  const filled = fillIn(content, env, [], errors);
  const named = isObject(filled) && isObject(filled["providers"])
    ? Object.keys(filled["providers"])
    : [];
  errors.push(...unknownNames(filled, []));
  const reported = errors.map(({ place }) => place);
  const result = v.safeParse(file, filled);
  if (result.success) return { file: result.output, errors, named };
  for (const issue of result.issues) {
    const place = v.getDotPath(issue) ?? wholeFile;
    if (!reported.includes(place)) errors.push({ place, message: messageOf(issue) });
  }
  const broken = result.issues.map((issue) => issue.path?.map(({ key }) => `${key}`) ?? []);
  return { file: v.parse(file, without(filled, broken)), errors, named };
}

/** The library's own messages quote what they found, which may be a key. */
function messageOf({ kind, expected, input, message }: v.BaseIssue<unknown>): string {
  if (kind !== "schema") return message;
  if (input === undefined) return "is missing";
  // Choices come as `("a" | "b")`.
  const choices = `${expected}`.replace(/^\((.*)\)$/, "$1").replaceAll(" | ", " or ");
  return `must be ${kinds[choices] ?? choices}`;
}

/** The library's words for what it expected, in ours. */
const kinds: Readonly<Record<string, string>> = {
  string: "text in quotes",
  number: "a number",
  boolean: "true or false",
  Object: "an object, { … }",
  Array: "a list, [ … ]",
};

/** Settings with many entries, of which one can be wrong and the others right. */
const collections: readonly string[] = ["providers", "buckets", "models", "prices"];

/** The file without the settings that have errors; of a collection, without the wrong entries. */
function without(content: unknown, broken: readonly (readonly string[])[]): unknown {
  if (!isObject(content)) return {};
  const isBroken = (...path: string[]) =>
    broken.some((one) => path.every((part, at) => one[at] === part));
  const entries = Object.entries(content).flatMap(([name, inner]): [string, unknown][] => {
    const isCollection = collections.includes(name) && isObject(inner);
    if (!isCollection) return isBroken(name) ? [] : [[name, inner]];
    return [[
      name,
      Object.fromEntries(Object.entries(inner).filter(([key]) => !isBroken(name, key))),
    ]];
  });
  return Object.fromEntries(entries);
}

/** Puts the environment's values in the places of `${NAME}`. */
function fillIn(
  value: unknown,
  env: (name: string) => string | undefined,
  path: readonly string[],
  errors: ConfigError[],
): unknown {
  if (typeof value === "string") {
    return value.replaceAll(/\$\{([^}]*)\}/g, (_, variable: string) => {
      const found = env(variable);
      if (found !== undefined) return found;
      errors.push({ place: path.join("."), message: `the variable ${variable} is not set` });
      return "unset";
    });
  }
  if (Array.isArray(value)) {
    return value.map((item, at) => fillIn(item, env, [...path, `${at}`], errors));
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    fillIn(inner, env, [...path, name], errors),
  ]);
  return Object.fromEntries(entries);
}

function unknownNames(value: unknown, path: readonly string[]): ConfigError[] {
  if (typeof value !== "object" || value === null) return [];
  const known = knownAt(path);
  // The library takes a list for an object.
  if (known !== undefined && Array.isArray(value)) {
    return [{ place: path.join(".") || wholeFile, message: `must be ${kinds["Object"]}` }];
  }
  return Object.entries(value).flatMap(([name, inner]): ConfigError[] => {
    const place = [...path, name];
    if (known === undefined || known === "any" || known.includes(name)) {
      return unknownNames(inner, place);
    }
    return [{ place: place.join("."), message: unknownName(name, known) }];
  });
}

function knownAt(path: readonly string[]): readonly string[] | "any" | undefined {
  const found = Object.entries(knownNames).find(([pattern]) => {
    const parts = pattern === "" ? [] : pattern.split(".");
    return parts.length === path.length &&
      parts.every((part, at) => part === "*" || part === path[at]);
  });
  return found?.[1];
}

/** Says that a name is unknown, and which known one is nearest. */
export function unknownName(name: string, known: readonly string[]): string {
  return `is not a known name; the nearest is ${nearest(name, known)}`;
}

/** Returns whether a text can be what a provider's paths are appended to. */
export function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === "http:" || url.protocol === "https:") && url.username === "" &&
    url.password === "" && url.search === "" && url.hash === "";
}
