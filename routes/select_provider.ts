/** Which provider a request goes to: the header, else the bucket's binding, else the default. */
import { Failure } from "../codecs/failure.ts";
import type { Provider } from "../providers/provider.ts";

/** The header by which a client chooses. */
export const providerHeader = "x-model-provider";

/** What the configuration says of one bucket, or of all whose names begin alike (`team-a-*`). */
export interface Binding {
  readonly provider?: string | undefined;
  readonly native?: boolean | undefined;
}

/** What a choice is made from. */
export interface SelectDeps {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly defaultProvider: string;
  readonly buckets: Readonly<Record<string, Binding>>;
}

/** Chooses a request's provider. Throws `invalid` with the configured names, and never guesses. */
export function selectProvider(
  deps: SelectDeps,
  headers: Headers,
  bucket: string | undefined,
): Provider {
  const header = headers.get(providerHeader);
  const name = header ?? bindingOf(deps.buckets, bucket)?.provider ?? deps.defaultProvider;
  const provider = deps.providers.get(name);
  if (provider) return provider;
  const configured = [...deps.providers.keys()].join(", ");
  if (header === null) {
    throw new Failure(
      "invalid",
      `The request names no provider, and the default, ${name}, is not configured. Send ` +
        `${providerHeader} with one of: ${configured}`,
    );
  }
  const what = header.includes(",") ? "has more than one value" : "names no configured provider";
  throw new Failure("invalid", `${providerHeader} ${what}. Send one of: ${configured}`);
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
