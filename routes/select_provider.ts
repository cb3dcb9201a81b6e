/**
 * Which provider a request goes to: the header's, else that of the principal's access key, else that
 * of the bucket's binding, else the default.
 */
import { configuredNames } from "../codecs/configured_names.ts";
import { allowsProvider } from "../access/policy.ts";
import { Failure } from "../codecs/failure.ts";
import type { EtagForm } from "../objects/etag_form.ts";
import type { Provider } from "../providers/provider.ts";
import { refuse } from "./auth/refusals.ts";
import type { Principal } from "./context.ts";

/** The header by which a client chooses. */
export const providerHeader = "x-model-provider";

/** Settings of one bucket, or of all whose names begin alike (`team-a-*`). */
export interface Binding {
  readonly provider?: string | undefined;
  readonly native?: boolean | undefined;
  readonly etag?: EtagForm | undefined;
}

/** Facts that decide a choice. */
export interface SelectDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly defaultProvider: string;
  /** Whether the configuration leaves open which of several providers is the default. */
  readonly defaultIsImplied: boolean;
  readonly buckets: Readonly<Record<string, Binding>>;
}

/**
 * Chooses a request's provider. Throws `invalid` with the names that the principal may use, and never
 * guesses; a refusal where it is one that the principal may not use.
 */
export function selectProvider(
  deps: SelectDeps,
  principal: Principal,
  headers: Headers,
  bucket: string | undefined,
): Provider {
  const header = headers.get(providerHeader);
  const name = namedProvider(deps, principal, headers, bucket) ?? deps.defaultProvider;
  const provider = deps.providers.get(name);
  if (provider && allowsProvider(principal, name)) return provider;
  const allowed = [...deps.providers.keys()].filter((one) => allowsProvider(principal, one));
  const one = allowed.length === 0 ? undefined : `one of: ${allowed.join(", ")}`;
  const advice = one === undefined
    ? "The access key may use no provider that is configured. Ask the gateway's operator for one"
    : `Send ${providerHeader} with ${one}`;
  if (provider) throw refuse("forbidden", `The access key may not use ${name}. ${advice}`);
  if (deps.providers.size === 0) throw new Failure("invalid", configuredNames([]));
  if (header === null) {
    const sentence = `The request names no provider, and the default, ${name}, is not configured`;
    throw new Failure("invalid", `${sentence}. ${advice}`);
  }
  const what = header.includes(",") ? "has more than one value" : "names no configured provider";
  throw new Failure("invalid", `${providerHeader} ${what}. ${one ? `Send ${one}` : advice}`);
}

/** The name that a request, its access key or its bucket's binding gives; undefined for none. */
function namedProvider(
  { buckets }: Pick<SelectDeps, "buckets">,
  principal: Principal,
  headers: Headers,
  bucket: string | undefined,
): string | undefined {
  return headers.get(providerHeader) ?? principal.defaultProvider ??
    bindingOf(buckets, bucket)?.provider;
}

/**
 * Returns a sentence about why a request went to its provider, where neither the request nor the
 * configuration chose it: perhaps its program forgot the header. Undefined otherwise.
 */
export function impliedChoice(
  deps: SelectDeps,
  principal: Principal,
  headers: Headers,
  bucket: string | undefined,
): string | undefined {
  if (!deps.defaultIsImplied) return undefined;
  if (namedProvider(deps, principal, headers, bucket) !== undefined) return undefined;
  const others = [...deps.providers.keys()]
    .filter((name) => name !== deps.defaultProvider && allowsProvider(principal, name));
  if (others.length === 0) return undefined;
  return `The request names no provider, so Batchway sent it to ${deps.defaultProvider}. For ` +
    `another, send ${providerHeader} (${others.join(", ")}), or set defaultProvider`;
}

/** The binding of a bucket: its own, else the longest pattern that fits. */
export function bindingOf(
  buckets: Readonly<Record<string, Binding>>,
  bucket: string | undefined,
): Binding | undefined {
  if (bucket === undefined) return undefined;
  if (Object.hasOwn(buckets, bucket)) return buckets[bucket];
  const [pattern] = Object.keys(buckets)
    .filter((name) => name.endsWith("*") && bucket.startsWith(name.slice(0, -1)))
    .sort((a, b) => b.length - a.length);
  return pattern === undefined ? undefined : buckets[pattern];
}
