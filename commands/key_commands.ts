/** What `deno task keys` does to the catalog, and what it prints. */
import { type IssuedSecret, newAccessKeyId, newSecret, type Random } from "../access/issue.ts";
import type {
  CredentialCatalog,
  CredentialEntry,
  NamedCredential,
  SecretEntry,
} from "../catalog/credentials.ts";
import type { SecretBox } from "../codecs/secret_box.ts";
import type { KeyAction, KeysCommand, NewCredential } from "./keys_arguments.ts";

/** What the commands work with. */
export interface KeyCommandsDeps {
  readonly credentials: CredentialCatalog;
  /** What seals secrets; made where there is none yet. */
  readonly box: () => Promise<SecretBox>;
  /** Called when there is no credential any more. */
  readonly removedAll?: () => Promise<void>;
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The commands. */
export interface KeyCommands {
  /** Carries a command out; what it prints. Throws a sentence where it cannot. */
  run(command: KeysCommand): Promise<string>;
}

/** A secret that is rotated out stays good until the next rotation, and no longer. */
const goodSecrets = 2;

/** Makes the commands. */
export function createKeyCommands(deps: KeyCommandsDeps): KeyCommands {
  const { credentials, random, now } = deps;
  return {
    async run(command) {
      switch (command.action) {
        case "add":
          return await add(command.credential, command.json);
        case "list":
          return tell(await credentials.all(), command.json, now());
        case "rotate":
          return await rotate(command.accessKeyId, command.json);
        default:
          return await alter(command.action, command.accessKeyId, command.json);
      }
    },
  };

  async function add(credential: NewCredential, json: boolean): Promise<string> {
    const accessKeyId = newAccessKeyId(random);
    const createdAt = now();
    const { issued, record } = await newSecret(accessKeyId, await deps.box(), random, createdAt);
    const whole = { ...credential, createdAt, disabled: false, secrets: [record] };
    await credentials.update(accessKeyId, () => whole);
    return told({ accessKeyId, record: whole }, issued, json);
  }

  async function rotate(accessKeyId: string, json: boolean): Promise<string> {
    // Before a key is looked for, or made, for a credential that is not there.
    const isThere = (await credentials.all()).some((one) => one.accessKeyId === accessKeyId);
    if (!isThere) throw unknown(accessKeyId);
    const { issued, record } = await newSecret(accessKeyId, await deps.box(), random, now());
    const rotated = await alterRecord(accessKeyId, (old) => ({
      ...old,
      secrets: [record, ...old.secrets].slice(0, goodSecrets),
    }));
    return told({ accessKeyId, record: rotated }, issued, json);
  }

  async function alter(
    action: Exclude<KeyAction, "rotate">,
    accessKeyId: string,
    json: boolean,
  ): Promise<string> {
    if (action === "remove") {
      const removed = await credentials.update(accessKeyId, () => undefined);
      if (!removed) throw unknown(accessKeyId);
      // With the last one goes the key that they were sealed under: it may have been lost.
      if ((await credentials.all()).length === 0) await deps.removedAll?.();
    } else await alterRecord(accessKeyId, alterations[action]);
    return json ? JSON.stringify({ accessKeyId, done: action }) : `${accessKeyId}: ${done[action]}`;
  }

  /** Changes a credential that there is. */
  async function alterRecord(
    accessKeyId: string,
    move: (old: CredentialEntry) => CredentialEntry,
  ): Promise<CredentialEntry> {
    let changed: CredentialEntry | undefined;
    await credentials.update(accessKeyId, (old) => {
      if (!old) throw unknown(accessKeyId);
      return changed = move(old);
    });
    if (!changed) throw unknown(accessKeyId);
    return changed;
  }
}

const alterations: Readonly<
  Record<"disable" | "enable" | "retire", (old: CredentialEntry) => CredentialEntry>
> = {
  disable: (old) => ({ ...old, disabled: true }),
  enable: (old) => ({ ...old, disabled: false }),
  retire: (old) => ({ ...old, secrets: old.secrets.slice(0, 1) }),
};

const done: Readonly<Record<Exclude<KeyAction, "rotate">, string>> = {
  disable: "disabled; a running gateway refuses it within 10 s",
  enable: "enabled",
  retire: "only the newest secret and token are good",
  remove: "removed",
};

function told(credential: NamedCredential, issued: IssuedSecret, json: boolean): string {
  const { accessKeyId } = credential;
  if (json) return JSON.stringify({ ...facts(credential), ...issued });
  return [
    `accessKeyId      ${accessKeyId}`,
    `secretAccessKey  ${issued.secretAccessKey}`,
    `bearerToken      ${issued.bearerToken}`,
    "",
    "Keep them now: they are not shown again. Programs take them as AWS_ACCESS_KEY_ID,",
    "AWS_SECRET_ACCESS_KEY and, only for Bedrock, AWS_BEARER_TOKEN_BEDROCK.",
  ].join("\n");
}

function tell(all: readonly NamedCredential[], json: boolean, now: number): string {
  if (json) return JSON.stringify(all.map(facts));
  if (all.length === 0) {
    return "There is no credential: on loopback every client is let in, elsewhere none is";
  }
  return all.map(({ accessKeyId, record }) => {
    const { tenant, providers, buckets, readOnly, native, secrets } = record;
    const state = record.disabled ? "disabled" : isOver(record, now) ? "expired" : "good";
    return [
      accessKeyId,
      state,
      `tenant=${tenant}`,
      `providers=${providers.join(",")}`,
      `buckets=${buckets?.join(",") ?? "*"}`,
      ...(readOnly ? ["read-only"] : []),
      ...(native ? ["native"] : []),
      ...(record.expiresAt === undefined ? [] : [`expires=${timeOf(record.expiresAt)}`]),
      ...(secrets.length > 1 ? [`secrets=${secrets.length}`] : []),
    ].join("  ");
  }).join("\n");
}

/** Facts of a credential that may be shown at any time. */
function facts({ accessKeyId, record }: NamedCredential): Record<string, unknown> {
  const { secrets, createdAt, expiresAt, ...rest } = record;
  return {
    accessKeyId,
    ...rest,
    createdAt: timeOf(createdAt),
    expiresAt: expiresAt === undefined ? undefined : timeOf(expiresAt),
    secrets: secrets.map((one: SecretEntry) => ({ createdAt: timeOf(one.createdAt) })),
  };
}

function isOver({ expiresAt }: CredentialEntry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function unknown(accessKeyId: string): Error {
  return new Error(
    `There is no credential ${accessKeyId.slice(0, 64)}. 'deno task keys list' shows all`,
  );
}
