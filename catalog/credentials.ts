/** Credentials that the gateway has issued. Their secrets are here sealed, never in plain. */
import { keys } from "./keys.ts";
import { change } from "./kv.ts";
import type { Limits } from "./limits.ts";

/** A credential: who signs with it, and what that principal may do. Times are in milliseconds. */
export interface CredentialEntry extends Limits {
  readonly tenant: string;
  /** What people call it. */
  readonly label?: string;
  /**
   * Whether it may issue and change credentials over HTTP, and see the accounts of every tenant.
   */
  readonly admin?: boolean;
  /** Configured names of the providers that it may use; at least one. */
  readonly providers: readonly string[];
  /** The provider of requests that name none. */
  readonly defaultProvider?: string;
  /** Names of buckets, or what names begin with and `*`; absent: every bucket of the tenant. */
  readonly buckets?: readonly string[];
  readonly readOnly: boolean;
  /** Whether native files and batches may be seen. */
  readonly native: boolean;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly disabled: boolean;
  /** The newest first; two where it was rotated and the older one is still good. */
  readonly secrets: readonly SecretEntry[];
}

/** A secret of a credential, in both forms that clients use. */
export interface SecretEntry {
  /**
   * The secret access key, sealed for the access key id: a signature cannot be checked by a hash.
   */
  readonly sealed: Uint8Array;
  /** SHA-256 of the bearer token. It is random, so a hash that is quick to compute will do. */
  readonly bearerHash: Uint8Array;
  readonly createdAt: number;
}

/** A credential with its id. */
export interface NamedCredential {
  readonly accessKeyId: string;
  readonly record: CredentialEntry;
}

/** A use is kept once in so many milliseconds. */
export const usePrecision = 60_000;

/** The credentials' part of the catalog. */
export type CredentialCatalog = ReturnType<typeof createCredentialCatalog>;

/** Makes the credentials' part of the catalog. */
export function createCredentialCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { all, version, update, lastUses, used };

  /** Every credential, by its id. */
  async function all(): Promise<NamedCredential[]> {
    const found: NamedCredential[] = [];
    for await (const entry of kv.list<CredentialEntry>({ prefix: keys.credentials() })) {
      found.push({ accessKeyId: entry.key[1] as string, record: entry.value });
    }
    return found;
  }

  /**
   * Returns a text that is another one after every change of a credential; empty before the first.
   */
  async function version(): Promise<string> {
    return (await kv.get(keys.credentialsVersion())).versionstamp ?? "";
  }

  /**
   * Makes, changes or removes a credential.
   *
   * @param move What it becomes of what it was; undefined removes it.
   * @returns What it was.
   */
  function update(
    accessKeyId: string,
    move: (old: CredentialEntry | undefined) => CredentialEntry | undefined,
  ): Promise<CredentialEntry | undefined> {
    return change(sleep, async () => {
      const old = await kv.get<CredentialEntry>(keys.credential(accessKeyId));
      const next = move(old.value ?? undefined);
      const step = kv.atomic().check(old).set(keys.credentialsVersion(), accessKeyId);
      if (next) step.set(old.key, next);
      else step.delete(old.key).delete(keys.credentialUse(accessKeyId));
      return (await step.commit()).ok ? { done: old.value ?? undefined } : "again";
    });
  }

  /**
   * Returns when credentials were last used, in milliseconds since 1970; those without a known use
   * are left out.
   */
  async function lastUses(): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for await (const entry of kv.list<number>({ prefix: keys.credentialUses() })) {
      found.set(entry.key[1] as string, entry.value);
    }
    return found;
  }

  /**
   * Keeps when a credential was used, unless a use within the last minute is kept already, or the
   * credential was removed. In an entry of its own: gateways read credentials again when one changes.
   */
  async function used(accessKeyId: string, at: number): Promise<void> {
    const [credential, last] = await kv.getMany<[CredentialEntry, number]>([
      keys.credential(accessKeyId),
      keys.credentialUse(accessKeyId),
    ]);
    if (credential.versionstamp === null) return;
    if (last.value !== null && last.value > at - usePrecision) return;
    // What another gateway has written meanwhile is as good.
    await kv.atomic().check(credential, last).set(last.key, at).commit();
  }
}
