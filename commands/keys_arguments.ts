/** The command line of `deno task keys`. */
import { placeSettings, readArguments, UsageError } from "../config/arguments.ts";
import { nearest } from "../codecs/nearest.ts";
import type { CredentialEntry } from "../catalog/credentials.ts";

/** What is to be done. */
export type KeysCommand =
  & { readonly json: boolean }
  & (
    | { readonly action: "add"; readonly credential: NewCredential }
    | { readonly action: "list" }
    | { readonly action: KeyAction; readonly accessKeyId: string }
  );

/** What is done to one credential. */
export type KeyAction = typeof keyActions[number];

/** A credential that is asked for: what it may do, and until when. */
export type NewCredential = Omit<CredentialEntry, "createdAt" | "disabled" | "secrets">;

const keyActions = ["disable", "enable", "rotate", "retire", "remove"] as const;

/** How the command is used. */
export const keysHelp =
  `Issues the credentials that clients sign with. With the first one, every request needs one.

deno task keys add --tenant NAME --providers NAME,NAME [option ...]
    prints access key id, secret access key and bearer token; they are shown this once
    --tenant NAME            whose objects and jobs it sees
    --providers NAME,NAME    configured providers that it may use
    --default-provider NAME  where requests go that name none (the only one of --providers)
    --buckets 'a-*,b'        buckets that it may use, * at the end for any rest (all of the tenant's)
    --read-only              it reads, and writes and creates nothing
    --native                 it sees native files and batches: those made without Batchway
    --expires ISO            when it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z
deno task keys list
deno task keys disable ID    refuse it until it is enabled
deno task keys enable ID
deno task keys rotate ID     a new secret and token; those before stay good until retire, or the next rotate
deno task keys retire ID     only the newest secret and token stay good
deno task keys remove ID

--json prints JSON. --data FOLDER (or BATCHWAY_DATA) is the catalog's folder, --config FILE (or
BATCHWAY_CONFIG) the configuration file. A running gateway knows of a change within 10 s.`;

const tenantForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const bucketForm = /^(?:\*|[a-z0-9][a-z0-9.-]{0,62}\*?)$/;

const command = "deno task keys";

const options = {
  ...placeSettings,
  tenant: { type: "string" },
  providers: { type: "string" },
  "default-provider": { type: "string" },
  buckets: { type: "string" },
  "read-only": { type: "boolean" },
  native: { type: "boolean" },
  expires: { type: "string" },
  json: { type: "boolean" },
} as const;

/** Options that every action takes. */
const general: readonly string[] = ["json", ...Object.keys(placeSettings)];

/** Takes a command line apart. Throws {@linkcode UsageError} for options that there are not. */
export function readKeysArguments(args: readonly string[]) {
  return readArguments(command, args, options);
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
  const [action, accessKeyId, ...more] = positionals;
  const json = values.json ?? false;
  const isAdd = action === "add";
  const isOneKey = keyActions.find((one) => one === action);
  const count = isOneKey ? 2 : 1;
  if (!isAdd && !isOneKey && action !== "list") {
    const near = nearest(action ?? "", ["add", "list", ...keyActions]);
    throw new UsageError(
      `There is no 'keys ${action ?? ""}'; the nearest is 'keys ${near}'. See ${command} --help`,
    );
  }
  if (more.length > 0 || positionals.length !== count) {
    throw new UsageError(`'keys ${action}' takes ${isOneKey ? "one access key id" : "no name"}`);
  }
  const given = Object.keys(values).filter((name) => !general.includes(name));
  if (!isAdd && given.length > 0) {
    throw new UsageError(`--${given[0]} goes with 'keys add'; to change a credential, add another`);
  }
  if (isAdd) return { action: "add", json, credential: newCredential(values, known) };
  return isOneKey
    ? { action: isOneKey, json, accessKeyId: accessKeyId ?? "" }
    : { action: "list", json };
}

function newCredential(
  values: ReturnType<typeof readKeysArguments>["values"],
  known: { readonly providers: readonly string[]; readonly now: number },
): NewCredential {
  const { tenant } = values;
  if (tenant === undefined) {
    throw new UsageError("--tenant is missing: whose objects and jobs it sees");
  }
  if (!tenantForm.test(tenant)) {
    throw new UsageError("--tenant must be 1 to 63 letters, digits, dots, hyphens and underscores");
  }
  const providers = listOf(values.providers);
  if (providers.length === 0) {
    throw new UsageError(`--providers is missing. Configured are ${known.providers.join(", ")}`);
  }
  for (const name of providers) checkProvider("--providers", name, known.providers);
  const fallback = providers.length === 1 ? providers[0] : undefined;
  const defaultProvider = values["default-provider"] ?? fallback;
  if (defaultProvider !== undefined) {
    checkProvider("--default-provider", defaultProvider, providers);
  }
  const buckets = values.buckets === undefined ? undefined : listOf(values.buckets);
  if (buckets?.length === 0) throw new UsageError("--buckets names no bucket");
  const wrong = buckets?.find((one) => !bucketForm.test(one));
  if (wrong !== undefined) {
    throw new UsageError(
      `--buckets: ${wrong} is not a bucket's name; a * can stand only at its end`,
    );
  }
  const expiresAt = values.expires === undefined ? undefined : timeOf(values.expires, known.now);
  return {
    tenant,
    providers,
    readOnly: values["read-only"] ?? false,
    native: values.native ?? false,
    ...(defaultProvider !== undefined && { defaultProvider }),
    ...(buckets && { buckets }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

function checkProvider(option: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const found = known.length === 0
    ? "no provider is configured"
    : `${name} is not one of ${known.join(", ")}`;
  throw new UsageError(`${option}: ${found}`);
}

function timeOf(text: string, now: number): number {
  const form = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;
  const time = form.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) {
    throw new UsageError("--expires must be a time such as 2027-01-31 or 2027-01-31T12:00:00Z");
  }
  if (time <= now) throw new UsageError("--expires is in the past");
  return time;
}

function listOf(text: string | undefined): string[] {
  const names = (text ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  return [...new Set(names)];
}
