/** What a request may reach, and the accounts behind it. */
import type { Scope } from "../catalog/keys.ts";
import type { Limits } from "../catalog/limits.ts";
import { Failure } from "../codecs/failure.ts";
import type { Holder } from "../runtime/pool.ts";
import type {
  Account,
  FilesPort,
  ForwardingProvider,
  StoringProvider,
} from "../providers/provider.ts";

/** Whose things at which provider a request may touch. */
export interface Reach {
  readonly tenant: string;
  /** The access key of the request; absent for the anonymous. */
  readonly accessKeyId?: string;
  /** What the access key may use in a calendar month; absent: without limits. */
  readonly limits?: Limits;
  /** Whether native files and batches may be seen. */
  readonly native: boolean;
  readonly provider: StoringProvider;
  /** Whether the tenant's things in a bucket may be touched; absent: in every bucket. */
  readonly mayUse?: (bucket: string) => boolean;
  /**
   * The same caller's reach at another provider that stores files; undefined where there is none of
   * the name. Throws `denied` where the caller may not use it.
   */
  readonly at?: (provider: string) => Reach | undefined;
  /**
   * A provider that forwards to S3; undefined where there is none of the name. Throws `denied` where
   * the caller may not use it.
   */
  readonly forwardingAt?: (provider: string) => ForwardingProvider | undefined;
  /** The provider that the configuration binds a bucket to; undefined where it binds it to none. */
  readonly boundTo?: (bucket: string) => string | undefined;
}

/** Returns whether the tenant's things in a bucket may be touched. */
export function mayUse(reach: Reach, bucket: string): boolean {
  return reach.mayUse?.(bucket) ?? true;
}

/** The part of the catalog that a reach covers. */
export function scopeOf(reach: Reach): Scope {
  return { tenant: reach.tenant, provider: reach.provider.name };
}

/**
 * Returns whose places work within a scope takes; without an account it counts for the provider.
 */
export function holderOf({ tenant, provider }: Scope, account = ""): Holder {
  return { tenant, account: JSON.stringify([provider, account]) };
}

/** The account of this name. */
export function accountOf(provider: StoringProvider, name: string): Account {
  const account = provider.accounts.find((one) => one.name === name);
  if (account) return account;
  throw new Failure(
    "unavailable",
    `This is on the account ${name} of ${provider.name}, which the gateway's configuration no ` +
      "longer holds; its operator can add it again",
  );
}

/** An account's files. */
export function filesOf(provider: StoringProvider, account: Account): FilesPort {
  if (account.files) return account.files;
  throw new Failure(
    "unsupported",
    `The provider ${provider.name} takes no files that a batch could read. ` +
      "Send its batches inline with its own SDK, or choose another provider with x-model-provider",
  );
}
