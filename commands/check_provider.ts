/** One harmless call to each account of a provider: whether it works, and why not. */
import type { Account, ForwardingProvider, Provider } from "../providers/provider.ts";
import type { ProviderDeps } from "../providers/settings.ts";

/** What was looked at, and what came of it. */
export interface Finding {
  /** Such as `openai/main`. */
  readonly what: string;
  readonly ok: boolean;
  /** A sentence: what works; or what does not, and what to do. */
  readonly detail: string;
}

/** The ways to a provider. */
type Ways = Pick<ProviderDeps, "fetch" | "uploader">;

/** What answers say beside their bodies, as calls pass. */
export interface Wire {
  /** The ways to a provider, listened to. */
  readonly ways: Ways;
  /** How far this machine's clock is ahead of the last answer's, in milliseconds. */
  skew(): number | undefined;
  /** Why the last call got no answer; undefined where it got one. */
  broken(): string | undefined;
  /** Forgets all. */
  clear(): void;
}

/** Listens to the calls that go both ways. */
export function listenTo({ fetch, uploader }: Ways, now: () => number): Wire {
  let skew: number | undefined;
  let broken: string | undefined;
  const heard = async (answer: Promise<Response>) => {
    try {
      const response = await answer;
      const date = Date.parse(response.headers.get("date") ?? "");
      if (!Number.isNaN(date)) skew = now() - date;
      broken = undefined;
      return response;
    } catch (error) {
      broken = causesOf(error);
      throw error;
    }
  };
  return {
    ways: {
      fetch: (input, init) => heard(fetch(input, init)),
      uploader: {
        ...uploader,
        request: (request, signal) => heard(uploader.request(request, signal)),
      },
    },
    skew: () => skew,
    broken: () => broken,
    clear() {
      skew = broken = undefined;
    },
  };
}

/** The messages of an error and of what caused it. */
function causesOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error && texts.length < 5; at = at.cause) {
    texts.push(`${at.name} ${at.message}`);
  }
  return texts.join("; ");
}

/** A signature is refused beyond five minutes; half of it is worth a warning. */
const maxSkewMilliseconds = 150_000;

/** What an account's trouble means to its operator, by words of what stopped a call. */
const advice: readonly { readonly sign: RegExp; readonly then: string }[] = [
  {
    sign: /dns|resolve|lookup|ENOTFOUND|EAI_AGAIN/i,
    then: "The host has no address: check the base URL and DNS",
  },
  { sign: /certificate|tls|handshake|UnknownIssuer/i, then: "TLS failed: check the certificate" },
  {
    sign: /ECONNREFUSED|connection refused|refused \(os/i,
    then: "No server listens there: check the base URL",
  },
  { sign: /NotCapable|Requires net access/i, then: "This host is not among the permitted ones" },
];

/** Dependencies of the checks of providers. */
export interface ProviderCheckDeps {
  readonly wire: Wire;
  /** Buckets that the configuration binds to a provider, by its name. */
  readonly bucketsOf: (provider: string) => readonly string[];
  readonly timeoutMilliseconds: number;
}

/** Checks a provider: each account, or each service and bound bucket of one that is forwarded to. */
export async function* checkProvider(
  provider: Provider,
  deps: ProviderCheckDeps,
): AsyncGenerator<Finding> {
  const { name, forward, stores } = provider;
  for (const account of stores?.accounts ?? []) {
    yield await tried(`${name}/${account.name}`, deps, (signal) => listBatches(account, signal));
  }
  if (!forward) return;
  const ask = (service: "s3" | "bedrock", method: string, path: string, query: string) =>
    tried(
      `${name} ${service === "s3" ? `s3${path === "/" ? "" : ` ${path.slice(1)}`}` : service}`,
      deps,
      (signal) => forwarded(forward, { service, method, path, query }, signal),
    );
  yield await ask("bedrock", "GET", "/model-invocation-jobs", "maxResults=1");
  const buckets = deps.bucketsOf(name);
  if (buckets.length === 0) yield await ask("s3", "GET", "/", "");
  for (const bucket of buckets) yield await ask("s3", "HEAD", `/${bucket}`, "");
}

async function listBatches(account: Account, signal: AbortSignal): Promise<string> {
  await account.batches.list(undefined, signal);
  return "the key is accepted; its batches can be listed";
}

async function forwarded(
  provider: ForwardingProvider,
  request: { service: "s3" | "bedrock"; method: string; path: string; query: string },
  signal: AbortSignal,
): Promise<string> {
  const headers = new Headers();
  const whole = { ...request, headers, body: null, region: undefined };
  const response = await provider.forward(whole, signal);
  const text = (await response.text()).slice(0, 2000);
  if (response.ok) return "the credentials are accepted";
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ??
    response.headers.get("x-amzn-errortype")?.split(":")[0];
  const because = reasons[response.status] ?? "check the endpoint and the region";
  throw new Error(`answered ${response.status}${code ? ` ${code}` : ""}: ${because}`);
}

/** What a status of AWS means to an operator. */
const reasons: Readonly<Record<number, string>> = {
  301: "the bucket is in another region",
  400: "the credentials or the region are wrong",
  401: "the credentials are refused",
  403: "the credentials are refused, or their role lacks this permission",
  404: "it does not exist, or the endpoint is wrong",
};

async function tried(
  what: string,
  { wire, timeoutMilliseconds }: ProviderCheckDeps,
  work: (signal: AbortSignal) => Promise<string>,
): Promise<Finding> {
  wire.clear();
  const limit = AbortSignal.timeout(timeoutMilliseconds);
  let detail: string;
  let ok = true;
  try {
    detail = await work(limit);
  } catch (error) {
    ok = false;
    detail = limit.aborted ? `no answer within ${timeoutMilliseconds / 1000} s` : reasonOf(error);
    const cause = wire.broken();
    const hint = advice.find(({ sign }) => sign.test(cause ?? ""));
    if (hint) detail += `. ${hint.then}`;
  }
  const skew = wire.skew();
  if (skew !== undefined && Math.abs(skew) > maxSkewMilliseconds) {
    ok = false;
    const seconds = Math.round(Math.abs(skew) / 1000);
    detail += `. This machine's clock is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} the ` +
      "provider's: set it, because signatures of a wrong time are refused";
  }
  return { what, ok, detail };
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}
