/** Policies of principals. Pure. */
import type { Limits } from "../catalog/limits.ts";

/** Limits of a principal. */
export interface Policy {
  readonly tenant: string;
  /** What people call the credential. */
  readonly label?: string;
  /** Whether credentials may be issued and changed over HTTP, and every tenant's accounts seen. */
  readonly admin?: boolean;
  /** Configured names of providers; absent: all. */
  readonly providers?: readonly string[];
  /** The provider of requests that name none. */
  readonly defaultProvider?: string;
  /** Names of buckets, or what names begin with and `*`; absent: all. */
  readonly buckets?: readonly string[];
  readonly readOnly: boolean;
  /** Whether native files and batches may be seen. */
  readonly native: boolean;
  /** What the access key may use in a calendar month; absent: without limits. */
  readonly limits?: Limits;
}

/** Returns whether a policy allows a provider. */
export function allowsProvider({ providers }: Policy, name: string): boolean {
  return providers === undefined || providers.includes(name);
}

/** Returns whether a policy allows a bucket. */
export function allowsBucket({ buckets }: Policy, name: string): boolean {
  if (buckets === undefined) return true;
  return buckets.some((one) =>
    one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : name === one
  );
}
