/** What is done to the credentials of a catalog, for `deno task keys` and for `/keys`. */
import { calledAs } from "../runtime/program_name.ts";
import type {
  CredentialCatalog,
  CredentialEntry,
  NamedCredential,
  SecretEntry,
} from "../catalog/credentials.ts";
import { type Amounts, costUnits, endOfMonth, limitsOf, monthOf } from "../catalog/limits.ts";
import type { QuotaCatalog } from "../catalog/quotas.ts";
import { Failure } from "../codecs/failure.ts";
import { firstKeyFacts, type FirstKeyName } from "./first_key.ts";
import type { SecretBox } from "../codecs/secret_box.ts";
import { type IssuedSecret, newAccessKeyId, newSecret, type Random } from "./issue.ts";
import type { KeySettings } from "./key_settings.ts";

/** Dependencies of the service. */
export interface KeyServiceDeps {
  readonly credentials: CredentialCatalog;
  readonly quotas: Pick<QuotaCatalog, "get">;
  /** What seals secrets; made where there is none yet. */
  readonly box: () => Promise<SecretBox>;
  /**
   * Counts what a key has used in this month, before it gets limits; nothing counts where absent.
   */
  readonly firstLimit?: (
    key: { readonly accessKeyId: string; readonly tenant: string },
  ) => Promise<void>;
  /** The key that the environment names, which is in no catalog. */
  readonly first?: FirstKeyName | undefined;
  /** Names of all providers. */
  readonly providers?: readonly string[];
  /** Called when there is no credential any more. */
  readonly removedAll?: () => Promise<void>;
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A credential as it may be shown at any time; its members are those of the JSON. */
export interface KeyFacts extends Omit<KeySettings, "expiresAt"> {
  readonly accessKeyId: string;
  readonly disabled: boolean;
  /** Absent for the key that the environment names. */
  readonly createdAt?: string;
  readonly expiresAt?: string;
  /** When it was last used, to the minute; absent where it never was, or that is not known. */
  readonly lastUsedAt?: string;
  readonly secrets: readonly { readonly createdAt: string }[];
  /** What it has used in this month; absent where it has no limits. */
  readonly month?: MonthFacts;
}

/** What a key has used in a calendar month, and what is reserved for work under way. */
export interface MonthFacts {
  /** Such as `2026-11`. */
  readonly name: string;
  readonly used: UsedFacts;
  readonly reserved: UsedFacts;
  /** When the limits begin again. */
  readonly resetsAt: string;
}

/** Amounts, the cost of them in USD. */
export type UsedFacts = Readonly<Record<keyof Amounts, number>>;

/** What is done to one credential. */
export interface KeyChange {
  readonly settings?: (old: KeySettings) => KeySettings;
  readonly disabled?: boolean;
  /** Whether only the newest secret stays good. */
  readonly retire?: boolean;
  /** Whether it gets a new secret. */
  readonly rotate?: boolean;
}

/** What is done to credentials. Each throws `not-found` for an unknown one. */
export type KeyService = ReturnType<typeof createKeyService>;

/** A secret that is rotated out stays good until the next rotation, and no longer. */
const goodSecrets = 2;

/** Makes the service by which keys are listed, issued, changed and removed. */
export function createKeyService(deps: KeyServiceDeps) {
  const { credentials, random, now, first, providers = [] } = deps;
  return { list, add, change, remove };

  /** Every credential, by its id; the one that the environment names comes first. */
  async function list(): Promise<KeyFacts[]> {
    const lastUses = await credentials.lastUses();
    const found: KeyFacts[] = first ? [firstKeyFacts(first, providers)] : [];
    for (const one of await credentials.all()) {
      const { accessKeyId, record } = one;
      const month = limitsOf(record) && await monthOfKey(accessKeyId);
      found.push({ ...factsOf(one, lastUses.get(accessKeyId)), ...(month && { month }) });
    }
    return found;
  }

  async function monthOfKey(accessKeyId: string): Promise<MonthFacts> {
    const name = monthOf(now());
    const { used, reserved } = await deps.quotas.get(accessKeyId, name);
    const inUsd = (amounts: Amounts) => ({ ...amounts, cost: amounts.cost / costUnits });
    return { name, used: inUsd(used), reserved: inUsd(reserved), resetsAt: endOfMonth(name) };
  }

  /** Issues a credential; its secret is returned this once. */
  async function add(settings: KeySettings): Promise<KeyFacts & IssuedSecret> {
    const accessKeyId = newAccessKeyId(random);
    const createdAt = now();
    const { issued, record } = await newSecret(accessKeyId, await deps.box(), random, createdAt);
    const whole = { ...settings, createdAt, disabled: false, secrets: [record] };
    await credentials.update(accessKeyId, () => whole);
    return { ...factsOf({ accessKeyId, record: whole }), ...issued };
  }

  /** Changes a credential; a new secret is returned this once. */
  async function change(
    accessKeyId: string,
    { settings, disabled, retire = false, rotate = false }: KeyChange,
  ): Promise<KeyFacts & Partial<IssuedSecret>> {
    // Before a key is looked for, or made, for a credential that is not there.
    checkIssued(accessKeyId);
    const known = (await credentials.all()).find((one) => one.accessKeyId === accessKeyId);
    if (!known) throw unknown(accessKeyId);
    const { record: { tenant } } = known;
    const isLimited = settings && limitsOf(settings(settingsOf(known.record))) !== undefined;
    if (isLimited && !limitsOf(known.record)) await deps.firstLimit?.({ accessKeyId, tenant });
    const fresh = rotate
      ? await newSecret(accessKeyId, await deps.box(), random, now())
      : undefined;
    let changed: CredentialEntry | undefined;
    await credentials.update(accessKeyId, (old) => {
      if (!old) throw unknown(accessKeyId);
      const { createdAt, secrets } = old;
      const kept = fresh ? [fresh.record, ...secrets] : secrets;
      return changed = {
        ...(settings ? settings(settingsOf(old)) : settingsOf(old)),
        createdAt,
        disabled: disabled ?? old.disabled,
        secrets: kept.slice(0, retire ? 1 : goodSecrets),
      };
    });
    if (!changed) throw unknown(accessKeyId);
    return { ...factsOf({ accessKeyId, record: changed }), ...fresh?.issued };
  }

  function checkIssued(accessKeyId: string): void {
    if (accessKeyId !== first?.accessKeyId) return;
    throw new Failure(
      "conflict",
      `The key ${accessKeyId} comes from the environment. To change or remove it, start the gateway ` +
        "with other values of BATCHWAY_ADMIN_KEY_ID and BATCHWAY_ADMIN_SECRET, or without them",
    );
  }

  async function remove(accessKeyId: string): Promise<void> {
    checkIssued(accessKeyId);
    const removed = await credentials.update(accessKeyId, () => undefined);
    if (!removed) throw unknown(accessKeyId);
    // With the last one goes the key that they were sealed under: it may have been lost.
    if ((await credentials.all()).length === 0) await deps.removedAll?.();
  }
}

function settingsOf(record: CredentialEntry): KeySettings {
  const { createdAt: _createdAt, disabled: _disabled, secrets: _secrets, ...settings } = record;
  return settings;
}

function factsOf({ accessKeyId, record }: NamedCredential, lastUsedAt?: number): KeyFacts {
  const { secrets, createdAt, expiresAt, ...rest } = record;
  return {
    accessKeyId,
    ...rest,
    createdAt: timeOf(createdAt),
    ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }),
    ...(lastUsedAt !== undefined && { lastUsedAt: timeOf(lastUsedAt) }),
    secrets: secrets.map((one: SecretEntry) => ({ createdAt: timeOf(one.createdAt) })),
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function unknown(accessKeyId: string): Failure {
  return new Failure(
    "not-found",
    `There is no credential ${accessKeyId.slice(0, 64)}. '${calledAs("keys list")}' shows all`,
  );
}
