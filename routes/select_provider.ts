/**
 * Which provider a request goes to: the header's, else that of the principal's access key, else that
 * of the bucket's binding, else the default.
 */
import { allowsProvider } from "../access/policy.ts";
import { Failure } from "../codecs/failure.ts";
import type { EtagForm } from "../objects/etag_form.ts";
import type { Provider } from "../providers/provider.ts";
import { refuse } from "./auth/refusals.ts";
import type { Principal } from "./principal.ts";

/** The header by which a client chooses. */
export const providerHeader = "x-model-provider";

/** What the configuration says of one bucket, or of all whose names begin alike (`team-a-*`). */
export interface Binding {
  readonly provider?: string | undefined;
  readonly native?: boolean | undefined;
  readonly etag?: EtagForm | undefined;
}

/** What a choice is made from. */
export interface SelectDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly defaultProvider: string;
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
  const name = header ?? principal.defaultProvider ?? bindingOf(deps.buckets, bucket)?.provider ??
    deps.defaultProvider;
  const provider = deps.providers.get(name);
  if (provider && allowsProvider(principal, name)) return provider;
  const allowed = [...deps.providers.keys()].filter((one) => allowsProvider(principal, one));
  const names = `one of: ${allowed.join(", ")}`;
  if (provider) {
    throw refuse(
      "forbidden",
      `The access key may not use ${name}. Send ${providerHeader} with ${names}`,
    );
  }
  if (header === null) {
    const sentence = `The request names no provider, and the default, ${name}, is not configured`;
    throw new Failure("invalid", `${sentence}. Send ${providerHeader} with ${names}`);
  }
  const what = header.includes(",") ? "has more than one value" : "names no configured provider";
  throw new Failure("invalid", `${providerHeader} ${what}. Send ${names}`);
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
