/** Re-signs requests with the gateway's credentials and streams both ways. */
import { Failure } from "../../codecs/failure.ts";
import { type Credentials, signRequest } from "../../codecs/sigv4.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import type { KeptHealth } from "../account_health.ts";
import type { ForwardRequest } from "../provider.ts";
import type { Uploader } from "../upload.ts";
import type { FindEndpoint } from "./endpoints.ts";
import {
  type HeaderFields,
  requestHeaders,
  responseHeaders,
  withoutPresigning,
} from "./headers.ts";
import { withoutCredentials } from "./mask.ts";
import { credentialsRefused, refusalOfCredentials } from "./own_credentials.ts";
import { type Payload, preparePayload } from "./payload.ts";

/** Dependencies of forwarding. */
export interface ForwardDeps {
  /** The provider's name, for error texts. */
  readonly name: string;
  readonly findEndpoint: FindEndpoint;
  readonly credentials: () => Promise<Credentials>;
  /** Called when AWS refused them. */
  readonly refused?: () => void;
  readonly fetch: typeof fetch;
  readonly uploader: Uploader;
  readonly now: () => Date;
  /** Milliseconds of a clock that is never set; `now` where absent. */
  readonly uptime?: () => number;
  /** Receives whether AWS takes the gateway's credentials. */
  readonly health?: Pick<KeptHealth, "refused" | "answered">;
  /** This gateway's id, for the header that ends loops. */
  readonly hop?: string | undefined;
}

/** Statuses of responses that cannot have a body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Makes the `forward` of a provider that speaks AWS itself.
 *
 * Nothing is tried again: the body is gone once it was sent, and AWS clients repeat by themselves.
 * What goes through `fetch` has no time limit here; the signal ends a request.
 *
 * `fetch` sends a Content-Length only for a stream from Deno.serve, and as it came: a body that
 * was tapped or wrapped on its way here arrives chunked, which S3 refuses (Deno 2.9.6).
 *
 * Throws `denied` without credentials, `invalid` for a region or signature form that cannot be
 * re-signed, the body's own error where that breaks, and `unavailable` where AWS is not reached,
 * breaks off, or refuses the gateway's own credentials. What else AWS refuses is a response like any
 * other.
 */
export function createForward(
  deps: ForwardDeps,
): (request: ForwardRequest, signal: AbortSignal) => Promise<Response> {
  const probe = createProbe(deps);
  return async (request, signal) => {
    const answer = await send(deps, request, signal);
    const { status } = answer;
    // The answer to a HEAD has no body that would say whose fault it is.
    if (request.method === "HEAD" && (status === 400 || status === 403)) {
      await probe(request.region, signal);
    }
    return answer;
  };
}

/** Signs a request, sends it, and makes of AWS's answer what a client may get. */
async function send(
  deps: ForwardDeps,
  request: ForwardRequest,
  signal: AbortSignal,
): Promise<Response> {
  let body: Payload["body"] = request.body;
  try {
    signal.throwIfAborted();
    const endpoint = deps.findEndpoint(request.service, request.region);
    const credentials = await ownCredentials(deps);
    signal.throwIfAborted();
    const headers = requestHeaders(request.headers, { ...request, hop: deps.hop });
    const query = withoutPresigning(request.query, headers);
    const path = endpoint.prefix + (request.path === "" ? "/" : request.path);
    const target = query === "" ? path : `${path}?${query}`;
    const url = urlThatKeeps(endpoint.origin, target);
    const payload = await preparePayload(request, headers, url === undefined);
    body = payload.body;
    headers.set("host", endpoint.host);
    signRequest({
      method: request.method,
      path,
      query,
      headers,
      service: request.service,
      region: endpoint.region,
      credentials,
      payloadHash: payload.hash,
      date: deps.now(),
    });
    headers.delete("host");
    const { method } = request;
    const answer = passOn(
      url !== undefined && payload.untouched && !mustNotRepeat(request) && !request.ownBody
        ? await deps.fetch(url, {
          method,
          headers: [...headers],
          body,
          redirect: "manual",
          signal,
        })
        : await sendRaw(
          deps.uploader,
          endpoint.origin,
          { method, target, headers },
          payload,
          signal,
        ),
    );
    return method === "HEAD"
      ? answer
      : await checked(deps, await withoutCredentials(answer, credentials));
  } catch (error) {
    if (body instanceof ReadableStream) await cancelUnread(body, error);
    throw signal.aborted ? signal.reason : failureOf(error, request.method, deps.name);
  }
}

/** Returns the gateway's credentials; that there are none is noted as wrong ones are. */
async function ownCredentials({ credentials, health }: ForwardDeps): Promise<Credentials> {
  try {
    return await credentials();
  } catch (error) {
    health?.refused("key", undefined);
    throw error;
  }
}

/** Throws `unavailable` where an answer refuses the gateway's own credentials. */
async function checked(
  { name, health, refused }: ForwardDeps,
  answer: Response,
): Promise<Response> {
  const code = await refusalOfCredentials(answer);
  if (code === undefined) {
    // A refusal, or a redirect, may come before the signature is looked at.
    if (answer.ok) health?.answered(true);
    return answer;
  }
  await cancelUnread(answer.body);
  health?.refused("key", undefined);
  refused?.();
  throw credentialsRefused(name, code);
}

/** How long the answer of a probe is believed, in milliseconds. */
const probeMilliseconds = 10_000;

/** Makes what asks S3 for its buckets only to see whether it takes the gateway's credentials. */
function createProbe(
  deps: ForwardDeps,
): (region: string | undefined, signal: AbortSignal) => Promise<void> {
  const { now, uptime = () => now().getTime() } = deps;
  let goodUntil = 0;
  return async (region, signal) => {
    if (uptime() < goodUntil) return;
    const list = { service: "s3", method: "GET", path: "/", query: "" } as const;
    const request = { ...list, headers: new Headers(), body: null, region };
    const answer = await send(deps, request, signal);
    await cancelUnread(answer.body);
    goodUntil = uptime() + probeMilliseconds;
  };
}

/**
 * Deno's fetch sends a small body again by itself when a kept connection is cut before the answer
 * (Deno 2.9.6, measured 2026-11-23). To S3 that is harmless; to Bedrock it may be a second job.
 */
function mustNotRepeat({ service, method }: ForwardRequest): boolean {
  return service !== "s3" && method !== "GET" && method !== "HEAD";
}

const plainTarget = /^(?:[\w\-~/]|\.(?=[\w\-~]))+(?:\?[\w\-.~=&%+]*)?$/;

/** The URL, unless `fetch` would send another target for it: `..`, `%2e`, `\`, `'` in a query. */
function urlThatKeeps(origin: string, target: string): string | undefined {
  // What no parser changes is not parsed to see it: nothing to be escaped, no dot segment.
  if (plainTarget.test(target)) return origin + target;
  const url = new URL(origin + target);
  const { href } = url;
  return url.origin === origin && href === origin + target && url.hash === "" ? href : undefined;
}

/** Sends what `fetch` would change or send without its length. */
async function sendRaw(
  uploader: Uploader,
  origin: string,
  request: { method: string; target: string; headers: HeaderFields },
  payload: Payload,
  signal: AbortSignal,
): Promise<Response> {
  const { method, headers } = request;
  const body = payload.body instanceof Uint8Array
    ? new Blob([payload.body]).stream()
    : payload.body;
  if (payload.bytes === undefined) {
    throw new Failure(
      "invalid",
      "The request's body has no Content-Length, which this key needs. Send the length.",
      { s3: "MissingContentLength" },
    );
  }
  const path = utf8AsLatin1(request.target);
  return await uploader.request(
    { method, origin, path, headers, body, bytes: payload.bytes },
    signal,
  );
}

/** Deno.serve decodes UTF-8 that a client did not escape; undici writes one byte a character. */
function utf8AsLatin1(target: string): string {
  return target.replace(
    /[^\0-\x7f]+/g,
    (text) => String.fromCharCode(...new TextEncoder().encode(text)),
  );
}

function passOn(upstream: Response): Response {
  const { status, statusText } = upstream;
  const headers = responseHeaders(upstream.headers, status);
  return new Response(bodiless.has(status) ? null : upstream.body, { status, statusText, headers });
}

/**
 * Returns what went wrong: a failure of ours or of the body's, however deep, else the connection's.
 */
function failureOf(error: unknown, method: string, name: string): Failure {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Failure) return cause;
  }
  const outcomeUnknown = method !== "GET" && method !== "HEAD";
  return new Failure(
    "unavailable",
    `Provider "${name}" cannot be reached or broke the connection. Try again; if it stays, check ` +
      "its endpoint and the network.",
    { cause: error, ...outcomeUnknown ? { outcomeUnknown } : {} },
  );
}
