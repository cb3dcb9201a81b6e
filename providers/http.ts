/**
 * Calls to a provider's API: JSON in and out, downloads and uploads, with time limits, the official
 * SDKs' retries, and every refusal turned into a {@linkcode Failure}.
 */
import { Failure } from "../codecs/failure.ts";
import { hopHeader } from "../codecs/hops.ts";
import { createIdleTimer } from "../runtime/idle_timer.ts";
import { cancelUnread } from "../runtime/unread.ts";
import type { KeptHealth } from "./account_health.ts";
import { unpacked } from "./encoding.ts";
import {
  type ErrorClass,
  type ErrorWording,
  refusalFailure,
  TransportError,
  transportFailure,
  unexpectedReply,
} from "./failures.ts";
import { invalidJson, readJson, readRefusal } from "./reply.ts";
import { backoff, maxRetries, maxWaitMilliseconds, requestedDelay, retryable } from "./retry.ts";
import type { ProviderDeps } from "./settings.ts";
import { defaultTimeouts } from "./timeouts.ts";

/** Dependencies of calls to one account of a provider. */
export interface HttpOptions {
  /** The provider's configured name, for sentences. */
  readonly provider: string;
  /** Without a slash at its end; paths are put behind it. */
  readonly baseUrl: string;
  /** Headers of every call, the key among them. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Texts that no failure may show, such as the key. */
  readonly secrets: readonly string[];
  readonly wording: ErrorWording;
  /** Receives what the answers say of the account. */
  readonly health?: Pick<KeptHealth, "refused" | "answered">;
}

/** Where a call goes and what its answers mean. */
interface Target {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH";
  /** Below the base URL, encoded, with its query; or a whole URL, which the caller has checked. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Leave out the headers of every call: for URLs that carry a right of their own. */
  readonly anonymous?: boolean;
  /** The thing that is asked for, such as `file file-abc`: `not-found` and `conflict` name it. */
  readonly subject?: string;
  /** Meanings of statuses for this call; one that is listed is an answer and is not tried again. */
  readonly statuses?: Readonly<Record<number, ErrorClass>>;
}

/** A call without a body, or with one of JSON. */
export interface Call extends Target {
  readonly json?: unknown;
  /** The longest reply that is read; 16 MiB where absent. */
  readonly maxReplyBytes?: number;
  /** Whether it may be sent twice without harm; every method but POST, unless said here. */
  readonly idempotent?: boolean;
}

/** A call whose body is of known length. It is sent once. */
export interface UploadCall extends Target {
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  readonly bytes: number;
}

/** A reply of JSON. */
export interface JsonReply {
  readonly headers: Headers;
  /** Undefined where the reply had no body. */
  readonly body: unknown;
}

/** Calls to one account. Each throws the signal's reason when aborted, else {@linkcode Failure}. */
export interface Http {
  /** Sends a call and reads its JSON. */
  json(call: Call, signal: AbortSignal): Promise<unknown>;
  /** Sends a call; answers with a 2xx response whose body is to be read or cancelled. */
  open(call: Call, signal: AbortSignal): Promise<Response>;
  /** Sends a body and reads the JSON of the reply; throws the body's own error if that breaks. */
  upload(call: UploadCall, signal: AbortSignal): Promise<JsonReply>;
}

/** An attempt that failed, and whether another may follow. */
interface Refused {
  readonly failure: Failure;
  readonly again: boolean;
  readonly delay?: number | undefined;
}

/** Makes the calls of one account. */
export function createHttp(
  options: HttpOptions,
  deps: Pick<
    ProviderDeps,
    "fetch" | "now" | "random" | "sleep" | "uploader" | "timeouts" | "hop" | "retried"
  >,
): Http {
  const { provider } = options;
  const timeouts = deps.timeouts ?? defaultTimeouts;

  const url = (target: Target): string =>
    target.path instanceof URL ? target.path.href : options.baseUrl + target.path;

  const base = new URL(options.baseUrl);
  const basePath = (base.pathname === "/" ? "" : base.pathname) + base.search;

  /** Returns where a call goes; what is put behind the base URL is encoded already. */
  function addressOf({ path }: Target): { readonly origin: string; readonly path: string } {
    if (path instanceof URL) return { origin: path.origin, path: path.pathname + path.search };
    return { origin: base.origin, path: basePath + path };
  }

  /** Pairs: `fetch` takes four times as long over a Headers object (Deno 2.9.6). */
  function headers(target: Call | UploadCall): [name: string, value: string][] {
    const all = new Map<string, string>();
    const set = (given: Readonly<Record<string, string>>) => {
      for (const [name, value] of Object.entries(given)) all.set(name.toLowerCase(), value);
    };
    if (!target.anonymous) set(options.headers());
    // What carries a right of its own may lead anywhere, and is not a loop.
    if (!target.anonymous && deps.hop !== undefined) all.set(hopHeader, deps.hop);
    all.set("accept", "application/json");
    if ("json" in target && target.json !== undefined) all.set("content-type", "application/json");
    set(target.headers ?? {});
    return [...all];
  }

  /**
   * Tries a call until it is answered, refused for good, or not worth waiting for.
   *
   * @param isDownload Whether the answer's body is what the call is for.
   */
  async function call<Result>(
    call: Call,
    isDownload: boolean,
    signal: AbortSignal,
    read: (response: Response) => Promise<Result>,
  ): Promise<Result> {
    let waited = 0;
    for (let attempt = 0;; attempt++) {
      const outcome = await once(call, isDownload, signal, read);
      if ("result" in outcome) return outcome.result;
      const delay = outcome.delay ?? backoff(attempt, deps.random);
      waited += delay;
      if (!outcome.again || attempt === maxRetries || waited > maxWaitMilliseconds) {
        throw outcome.failure;
      }
      await deps.sleep(delay, signal);
      signal.throwIfAborted();
      deps.retried?.(provider);
    }
  }

  async function once<Result>(
    call: Call,
    isDownload: boolean,
    signal: AbortSignal,
    read: (response: Response) => Promise<Result>,
  ): Promise<{ result: Result } | Refused> {
    signal.throwIfAborted();
    const idempotent = isIdempotent(call);
    const limit = new AbortController();
    const patience = createIdleTimer(() => limit.abort());
    patience.start(timeouts.callMilliseconds * (idempotent ? 1 : maxRetries + 1));
    const abandoned = () => limit.abort(signal.reason);
    signal.addEventListener("abort", abandoned);
    try {
      // A download goes on behind this call; all else is over with it, and needs no signal of its own.
      const either = isDownload ? AbortSignal.any([signal, limit.signal]) : limit.signal;
      // Downloads: their bodies pass through without a copy.
      const byFetch = idempotent && isDownload;
      const response = await asMeant(
        byFetch ? await fetched(call, either) : await sendOnce(call, either),
        idempotent,
        byFetch && call.headers?.["accept-encoding"] !== "identity",
      );
      if (!response.ok) return await refused(call, response, idempotent);
      const result = await read(response);
      if (!call.anonymous) options.health?.answered(!idempotent);
      return { result };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof Failure) throw error;
      const transport = limit.signal.aborted
        ? new TransportError("The call took too long", { timedOut: true, cause: error })
        : error instanceof TransportError
        ? error
        : fetchError(error);
      return {
        failure: transportFailure(provider, transport, idempotent),
        again: idempotent || transport.unsent,
      };
    } finally {
      patience.close();
      signal.removeEventListener("abort", abandoned);
    }
  }

  function fetched(call: Call, signal: AbortSignal): Promise<Response> {
    return deps.fetch(url(call), {
      method: call.method,
      headers: headers(call),
      ...(call.json === undefined ? {} : { body: JSON.stringify(call.json) }),
      redirect: "manual",
      signal,
    });
  }

  /** The response with its body unpacked. */
  function asMeant(
    response: Response,
    idempotent: boolean,
    byFetch: boolean,
  ): Response | Promise<Response> {
    if (!response.headers.has("content-encoding")) return response;
    return unpacked(
      response,
      byFetch,
      () => unexpectedReply(provider, response.status, idempotent),
    );
  }

  /**
   * Deno's fetch repeats a request by itself when a kept connection is cut before the answer, a
   * POST that was carried out included (2.9.6, measured in November 2026), and takes interim answers
   * (103) without end, while hardly anything else runs. The uploader does neither, so all but
   * downloads go over it.
   */
  function sendOnce(call: Call, signal: AbortSignal): Promise<Response> {
    const json = call.json === undefined
      ? null
      : new TextEncoder().encode(JSON.stringify(call.json));
    return deps.uploader.request({
      method: call.method,
      ...addressOf(call),
      headers: headers(call),
      body: json,
      bytes: json?.byteLength ?? 0,
      wholeReply: true,
    }, signal);
  }

  /** Reads a refusal's body and decides what it means. */
  async function refused(
    target: Target,
    response: Response,
    idempotent: boolean,
  ): Promise<Refused> {
    const { status } = response;
    if (status >= 300 && status < 400) {
      await cancelUnread(response.body);
      return { failure: unexpectedReply(provider, status, idempotent), again: false };
    }
    const facts = options.wording.read(await readRefusal(response));
    const requested = requestedDelay(response.headers, deps.now()) ??
      (facts?.retryAfterSeconds === undefined ? undefined : facts.retryAfterSeconds * 1000);
    const failure = refusalFailure({
      provider,
      status,
      facts,
      wording: options.wording,
      ...(target.statuses === undefined ? {} : { statuses: target.statuses }),
      subject: target.subject,
      retryAfterSeconds: requested === undefined ? undefined : Math.ceil(requested / 1000),
      idempotent,
      secrets: options.secrets,
    });
    const { account } = failure.details;
    if (account && !target.anonymous) options.health?.refused(account, requested);
    const answered = target.statuses?.[status] !== undefined || failure.kind === "denied";
    const again = !answered && retryable(status, response.headers) &&
      (idempotent || status === 429);
    return { failure, again, delay: requested };
  }

  async function jsonOf(response: Response, idempotent: boolean, limit?: number): Promise<unknown> {
    const body = await readJson(response, limit);
    if (body === invalidJson) throw unexpectedReply(provider, response.status, idempotent);
    return body;
  }

  return {
    json: (request, signal) =>
      call(
        request,
        false,
        signal,
        (response) => jsonOf(response, isIdempotent(request), request.maxReplyBytes),
      ),

    open: (request, signal) =>
      call(request, true, signal, async (response) => {
        // No provider keeps web pages; a proxy's page must not pass for a file.
        if (!/^text\/html\b/i.test(response.headers.get("content-type") ?? "")) return response;
        await cancelUnread(response.body);
        throw unexpectedReply(provider, response.status, isIdempotent(request));
      }),

    async upload(request, signal) {
      try {
        const reply = await deps.uploader.request({
          method: request.method,
          ...addressOf(request),
          headers: headers(request),
          body: request.body,
          bytes: request.bytes,
          wholeReply: true,
        }, signal);
        const response = await asMeant(reply, false, false);
        if (!response.ok) throw (await refused(request, response, false)).failure;
        const body = await jsonOf(response, false);
        if (!request.anonymous) options.health?.answered(false);
        return { headers: response.headers, body };
      } catch (error) {
        if (error instanceof TransportError) {
          throw signal.aborted ? signal.reason : transportFailure(provider, error, false);
        }
        throw error;
      }
    },
  };
}

const isIdempotent = (call: Call): boolean => call.idempotent ?? call.method !== "POST";

/** Deno says only in words that no connection was made (2.9.6, November 2026). */
function fetchError(error: unknown): TransportError {
  const words = error instanceof Error ? `${error.message} ${String(error.cause ?? "")}` : "";
  return new TransportError("The call failed", {
    cause: error,
    unsent: /client error \(Connect\)|tcp connect error|dns error/.test(words),
  });
}
