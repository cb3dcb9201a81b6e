/** The command line of `deno task keys`. */
import type { ParseArgsOptionsConfig } from "node:util";
import { commandSettings, readArguments, UsageError } from "../config/arguments.ts";
import { nearest } from "../codecs/nearest.ts";
import { calledAs } from "../runtime/program_name.ts";
import { Failure } from "../codecs/failure.ts";
import {
  type GivenSettings,
  type KeySettings,
  readKeyChanges,
  readNewKey,
  type SettingName,
} from "../access/key_settings.ts";

/** What is to be done. */
export type KeysCommand =
  & { readonly json: boolean }
  & (
    | { readonly action: "add"; readonly credential: NewCredential }
    | { readonly action: "list" }
    | {
      readonly action: "set";
      readonly accessKeyId: string;
      readonly changes: (old: KeySettings) => KeySettings;
    }
    | { readonly action: KeyAction; readonly accessKeyId: string }
  );

/** What is done to one credential. */
export type KeyAction = typeof keyActions[number];

/** A credential that is asked for. */
export type NewCredential = KeySettings;

const keyActions = ["disable", "enable", "rotate", "retire", "remove"] as const;

/** How the command is used. */
export const keysHelp = (): string =>
  `Issues the credentials that clients sign with. With the first one, every request needs one.

${calledAs("keys add")} --tenant NAME --providers NAME,NAME [option ...]
    prints access key id, secret access key and bearer token; they are shown this once
    --tenant NAME            whose objects and jobs it sees
    --providers NAME,NAME    configured providers that it may use
    --default-provider NAME  where requests go that name none (the only one of --providers)
    --buckets 'a-*,b'        buckets that it may use, * at the end for any rest (all of the tenant's)
    --read-only              it reads, and writes and creates nothing
    --native                 it sees native files and batches: those made without Batchway
    --expires ISO            when it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z
    --label TEXT             what people call it
    --max-jobs N, --max-records N, --max-bytes N, --max-cost USD
                             what it may use in a calendar month (UTC): jobs, records of jobs,
                             bytes of puts, and what jobs cost by the prices of the configuration
    --admin                  it issues and changes keys over HTTP, and sees the accounts of all tenants
${calledAs("keys set")} ID [option ...]
    changes a credential: the options of add but --tenant; --no-label, --no-admin, --no-buckets,
    --no-default-provider, --no-read-only, --no-native and --no-expires take them back; --max-jobs
    none and its like take a limit away
${calledAs("keys list")}          all, with when each was last used
${calledAs("keys disable")} ID    refuse it until it is enabled
${calledAs("keys enable")} ID
${
    calledAs("keys rotate")
  } ID     a new secret and token; those before stay good until retire, or the next rotate
${calledAs("keys retire")} ID     only the newest secret and token stay good
${calledAs("keys remove")} ID

--json prints JSON. --data FOLDER (or BATCHWAY_DATA) is the catalog's folder, --config FILE (or
BATCHWAY_CONFIG) the configuration file. A running gateway knows of a change within 10 s.`;

/** An option that gives a setting: its name in JSON, and the form of its value. */
interface SettingOption {
  readonly setting: SettingName;
  /** `names` are separated by commas; a `number` may be `none`, which takes it back. */
  readonly form: "flag" | "text" | "names" | "number";
  /** Whether `--no-…` takes it back. */
  readonly isOptional: boolean;
}

const settingOptions: Readonly<Record<string, SettingOption>> = {
  "tenant": { setting: "tenant", form: "text", isOptional: false },
  "providers": { setting: "providers", form: "names", isOptional: false },
  "default-provider": { setting: "defaultProvider", form: "text", isOptional: true },
  "buckets": { setting: "buckets", form: "names", isOptional: true },
  "read-only": { setting: "readOnly", form: "flag", isOptional: true },
  "native": { setting: "native", form: "flag", isOptional: true },
  "expires": { setting: "expiresAt", form: "text", isOptional: true },
  "label": { setting: "label", form: "text", isOptional: true },
  "admin": { setting: "admin", form: "flag", isOptional: true },
  "max-jobs": { setting: "maxJobs", form: "number", isOptional: true },
  "max-records": { setting: "maxRecords", form: "number", isOptional: true },
  "max-bytes": { setting: "maxBytes", form: "number", isOptional: true },
  "max-cost": { setting: "maxCost", form: "number", isOptional: true },
};

const valueOptions: ParseArgsOptionsConfig = Object.fromEntries(
  Object.entries(settingOptions).map(([name, { form }]) =>
    [name, { type: form === "flag" ? "boolean" : "string" }] as const
  ),
);
/** Options that take a setting back. */
const takeBackOptions: ParseArgsOptionsConfig = Object.fromEntries(
  Object.entries(settingOptions).filter(([, { isOptional }]) => isOptional)
    .map(([name]) => [`no-${name}`, { type: "boolean" }] as const),
);

const options = {
  ...valueOptions,
  ...takeBackOptions,
  ...commandSettings,
  json: { type: "boolean" },
} as const;

/** Options that every action takes. */
const general: readonly string[] = ["json", ...Object.keys(commandSettings)];

/** Takes a command line apart. Throws {@linkcode UsageError} for options that there are not. */
export function readKeysArguments(args: readonly string[]) {
  return readArguments(calledAs("keys"), args, options);
}

/**
 * Reads the command line.
 *
 * @param known Names of the configured providers, and the time in milliseconds since 1970.
 * @throws {UsageError} where something is missing, unknown or not of its form.
 */
export function parseKeysArguments(
  args: readonly string[],
  known: { readonly providers: readonly string[]; readonly now: number },
): KeysCommand {
  const { values, positionals } = readKeysArguments(args);
  const [action, accessKeyId = "", ...more] = positionals;
  const json = values.json ?? false;
  const takesOptions = action === "add" || action === "set";
  const isOneKey = [...keyActions, "set"].find((one) => one === action);
  if (!takesOptions && !isOneKey && action !== "list") {
    const near = nearest(action ?? "", ["add", "set", "list", ...keyActions]);
    throw new UsageError(
      `There is no 'keys ${action ?? ""}'; the nearest is 'keys ${near}'. See ${
        calledAs("keys --help")
      }`,
    );
  }
  if (more.length > 0 || positionals.length !== (isOneKey ? 2 : 1)) {
    throw new UsageError(`'keys ${action}' takes ${isOneKey ? "one access key id" : "no name"}`);
  }
  const given = Object.keys(values).filter((name) => !general.includes(name));
  const wrong = action === "add"
    ? given.find((name) => Object.hasOwn(takeBackOptions, name))
    : takesOptions
    ? undefined
    : given[0];
  if (wrong !== undefined) {
    const where = action === "add" ? "'keys set'" : "'keys add' and 'keys set'";
    throw new UsageError(`--${wrong} goes with ${where}. See ${calledAs("keys --help")}`);
  }
  if (action === "list") return { action, json };
  if (action === "add") {
    return { action, json, credential: asUsage(() => readNewKey(givenOf(values), names(known))) };
  }
  if (action === "set") {
    if (given.length === 0) {
      throw new UsageError(
        `'keys set' needs an option that changes something. See ${calledAs("keys --help")}`,
      );
    }
    const changes = asUsage(() => readKeyChanges(givenOf(values), names(known)));
    return { action, json, accessKeyId, changes: (old) => asUsage(() => changes(old)) };
  }
  const one = keyActions.find((name) => name === action) ?? "disable";
  return { action: one, json, accessKeyId };
}

/** Options as settings by their names in JSON. Throws {@linkcode UsageError} for a contradiction. */
function givenOf(values: Readonly<Record<string, unknown>>): GivenSettings {
  const given: Record<string, unknown> = {};
  for (const [name, { setting, form }] of Object.entries(settingOptions)) {
    const value = values[name];
    const isTakenBack = values[`no-${name}`] === true;
    if (isTakenBack && value !== undefined) {
      throw new UsageError(`--${name} and --no-${name} contradict each other. Give one of them`);
    }
    if (isTakenBack) given[setting] = null;
    else if (value !== undefined) given[setting] = valueOf(form, value);
  }
  return given;
}

function valueOf(form: SettingOption["form"], value: unknown): unknown {
  if (form === "names") return listOf(value);
  if (form !== "number") return value;
  if (value === "none") return null;
  // What is not a number is refused by its setting, as text.
  return typeof value === "string" && /^[0-9]+(?:\.[0-9]+)?$/.test(value) ? Number(value) : value;
}

function names(known: { readonly providers: readonly string[]; readonly now: number }) {
  const nameOf = (setting: SettingName) => {
    const option = Object.entries(settingOptions).find(([, one]) => one.setting === setting);
    return `--${option?.[0] ?? setting}`;
  };
  return { ...known, nameOf };
}

/** Lets what is wrong with a setting end the command as a wrong command line does. */
function asUsage<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure && error.kind === "invalid") throw new UsageError(error.message);
    throw error;
  }
}

function listOf(value: unknown): string[] {
  return String(value).split(",").map((name) => name.trim()).filter((name) => name !== "");
}
