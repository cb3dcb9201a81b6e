/**
 * What the issuer of a credential sets: the same names, forms and refusals for `deno task keys` and
 * for `/keys`. Pure.
 */
import { configuredNames } from "../codecs/configured_names.ts";
import type { CredentialEntry } from "../catalog/credentials.ts";
import { limitNames, type Limits, limitsOf } from "../catalog/limits.ts";
import { Failure } from "../codecs/failure.ts";
import { nearest } from "../codecs/nearest.ts";

/** A credential that is asked for: what it may do, and until when. */
export type KeySettings = Omit<CredentialEntry, "createdAt" | "disabled" | "secrets">;

/** The name of a setting, as JSON has it. */
export type SettingName = keyof KeySettings;

/** Settings as they were given: by name, unchecked. Null takes a setting back. */
export type GivenSettings = Readonly<Record<string, unknown>>;

/** What settings are checked against. */
export interface KnownNames {
  /** Names of the configured providers. */
  readonly providers: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** How the issuer wrote a setting's name, such as `--default-provider`. */
  readonly nameOf: (setting: SettingName) => string;
  /** What else the issuer may give; only for hints. */
  readonly others?: readonly string[];
}

/** Settings that are being changed: one that is undefined is taken back. */
type Draft = { -readonly [Name in SettingName]?: KeySettings[Name] | undefined };

/** A setting: how its value is read. */
interface Setting {
  /** Reads a value that is not null. Throws `invalid`. */
  readonly read: (value: unknown, name: string, known: KnownNames) => Draft;
  /** What null makes of it; absent where a key must have it. */
  readonly none?: Draft;
  /** It is given once, when the key is issued. */
  readonly isFixed?: true;
}

const settings: Readonly<Record<SettingName, Setting>> = {
  tenant: { read: (value, name) => ({ tenant: tenantOf(value, name) }), isFixed: true },
  label: {
    read: (value, name) => ({ label: labelOf(value, name) }),
    none: { label: undefined },
  },
  admin: flag("admin", { admin: undefined }),
  providers: { read: (value, name, known) => ({ providers: providersOf(value, name, known) }) },
  defaultProvider: {
    read: (value, name) => ({ defaultProvider: textOf(value, name) }),
    none: { defaultProvider: undefined },
  },
  buckets: {
    read: (value, name) => ({ buckets: bucketsOf(value, name) }),
    none: { buckets: undefined },
  },
  readOnly: flag("readOnly", { readOnly: false }),
  native: flag("native", { native: false }),
  expiresAt: {
    read: (value, name, { now }) => ({ expiresAt: timeOf(value, name, now) }),
    none: { expiresAt: undefined },
  },
  maxJobs: limit("maxJobs"),
  maxRecords: limit("maxRecords"),
  maxBytes: limit("maxBytes"),
  maxCost: limit("maxCost"),
};

/** Every setting, in the order in which help and errors name them. */
const settingNames = Object.keys(settings) as readonly SettingName[];

/** Reads the settings of a new credential. Throws `invalid` for what is missing or wrong. */
export function readNewKey(given: GivenSettings, known: KnownNames): KeySettings {
  const { providers, nameOf } = known;
  if ((given["tenant"] ?? null) === null) {
    throw invalid(`${nameOf("tenant")} is missing: whose objects and jobs it sees`);
  }
  if ((given["providers"] ?? null) === null) {
    throw invalid(`${nameOf("providers")} is missing. ${configuredNames(providers)}`);
  }
  return wholeOf({ readOnly: false, native: false }, draftOf(given, known), known);
}

/**
 * Reads changes of a credential's settings. Throws `invalid` for what is wrong; what is returned
 * does so too, where the changes do not go with the settings that there are.
 */
export function readKeyChanges(
  given: GivenSettings,
  known: KnownNames,
): (old: KeySettings) => KeySettings {
  const fixed = settingNames.find((name) => settings[name].isFixed && name in given);
  if (fixed !== undefined) {
    throw invalid(`${known.nameOf(fixed)} cannot be changed. Issue another key for it`);
  }
  const draft = draftOf(given, known);
  return (old) => wholeOf(old, draft, known);
}

function draftOf(given: GivenSettings, known: KnownNames): Draft {
  const draft: Draft = {};
  for (const [name, value] of Object.entries(given)) {
    const setting = settingNames.find((one) => one === name);
    if (setting === undefined) {
      const near = nearest(name, [...settingNames, ...known.others ?? []]);
      throw invalid(`${name.slice(0, 64)} is not a setting of a key; the nearest is ${near}`);
    }
    if (value === undefined) continue;
    const { read, none } = settings[setting];
    const written = known.nameOf(setting);
    if (value !== null) Object.assign(draft, read(value, written, known));
    else if (none) Object.assign(draft, none);
    else throw invalid(`${written} cannot be taken back: a key needs it`);
  }
  return draft;
}

function wholeOf(old: Draft, draft: Draft, known: KnownNames): KeySettings {
  const { nameOf } = known;
  const all: Draft = { ...old, ...draft };
  const { tenant = "", providers = [], label, admin, buckets, expiresAt } = all;
  // Of one provider there is nothing to choose, unless the issuer says that none is the default.
  const isAsked = "defaultProvider" in draft;
  const only = providers.length === 1 && !isAsked ? providers[0] : undefined;
  const isKept = all.defaultProvider !== undefined && providers.includes(all.defaultProvider);
  const defaultProvider = isAsked || isKept ? all.defaultProvider : only ?? all.defaultProvider;
  if (defaultProvider !== undefined) {
    checkProvider(nameOf("defaultProvider"), defaultProvider, providers);
  }
  return {
    tenant,
    ...(label !== undefined && { label }),
    ...(admin === true && { admin }),
    providers,
    readOnly: all.readOnly ?? false,
    native: all.native ?? false,
    ...(defaultProvider !== undefined && { defaultProvider }),
    ...(buckets && { buckets }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...limitsOf(definedOf(all)),
  };
}

function definedOf(all: Draft): Limits {
  return Object.fromEntries(limitNames.flatMap((name) => {
    const value = all[name];
    return value === undefined ? [] : [[name, value] as const];
  }));
}

const tenantForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const bucketForm = /^(?:\*|[a-z0-9][a-z0-9.-]{0,62}\*?)$/;
const longestLabel = 128;
const mostNames = 100;

function flag(name: "admin" | "readOnly" | "native", none: Draft): Setting {
  return {
    read(value, written) {
      if (typeof value !== "boolean") throw invalid(`${written} must be true or false`);
      return value ? { [name]: true } : none;
    },
    none,
  };
}

/** Amounts beyond this are not exact, and so cannot be limits. */
const mostCost = 1_000_000;

function limit(name: keyof Limits): Setting {
  return {
    read(value, written) {
      const isNumber = typeof value === "number" && value >= 0;
      if (name === "maxCost") {
        if (isNumber && value <= mostCost) return { maxCost: value };
        throw invalid(`${written} must be an amount of USD from 0 to ${mostCost}`);
      }
      if (isNumber && Number.isSafeInteger(value)) return { [name]: value };
      throw invalid(`${written} must be a whole number, 0 or more`);
    },
    none: { [name]: undefined },
  };
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw invalid(`${name} must be a text`);
}

function tenantOf(value: unknown, name: string): string {
  if (typeof value === "string" && tenantForm.test(value)) return value;
  throw invalid(`${name} must be 1 to 63 letters, digits, dots, hyphens and underscores`);
}

function labelOf(value: unknown, name: string): string {
  const text = textOf(value, name);
  const isPlain = text.length <= longestLabel && text.trim() !== "" && text.isWellFormed() &&
    !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
  if (isPlain) return text;
  throw invalid(`${name} must be 1 to ${longestLabel} characters of one line`);
}

function namesOf(value: unknown, name: string): string[] {
  const isList = Array.isArray(value) && value.length <= mostNames &&
    value.every((one) => typeof one === "string");
  if (!isList) throw invalid(`${name} must be a list of at most ${mostNames} names`);
  return [...new Set<string>(value)];
}

function providersOf(value: unknown, name: string, { providers }: KnownNames): string[] {
  const names = namesOf(value, name);
  if (names.length === 0) {
    throw invalid(`${name} is missing. ${configuredNames(providers)}`);
  }
  for (const one of names) checkProvider(name, one, providers);
  return names;
}

function bucketsOf(value: unknown, name: string): string[] {
  const names = namesOf(value, name);
  if (names.length === 0) throw invalid(`${name} names no bucket`);
  const wrong = names.find((one) => !bucketForm.test(one));
  if (wrong === undefined) return names;
  throw invalid(
    `${name}: ${wrong.slice(0, 64)} is not a bucket's name; a * can stand only at its end`,
  );
}

function checkProvider(written: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const found = known.length === 0
    ? configuredNames(known)
    : `${name.slice(0, 64)} is not one of ${known.join(", ")}`;
  throw invalid(`${written}: ${found}`);
}

function timeOf(value: unknown, name: string, now: number): number {
  const form = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;
  const time = typeof value === "string" && form.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(time)) {
    throw invalid(`${name} must be a time such as 2027-01-31 or 2027-01-31T12:00:00Z`);
  }
  if (time <= now) throw invalid(`${name} is in the past`);
  return time;
}

function invalid(sentence: string): Failure {
  return new Failure("invalid", sentence, { s3: "InvalidArgument" });
}
