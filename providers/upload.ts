/**
 * Requests whose body is a stream of exact length, and requests whose path must arrive byte for
 * byte. Deno's own fetch sends any stream chunked and normalises paths (Deno 2.9.6, November 2026),
 * so these go over undici, which enforces Content-Length and takes the path as it is.
 */
import { Failure } from "../codecs/failure.ts";
import { createIdleTimer, type IdleTimer } from "../runtime/idle_timer.ts";
import { paceOf, type PaceWatch, watchPace } from "../runtime/pace.ts";
import { type Once, once } from "../runtime/single_flight.ts";
import { readAtMost, slowUpstream } from "./body.ts";
import { exchange, maxExchangedBytes } from "./exchange.ts";
import { TransportError } from "./failures.ts";
import { defaultTimeouts, type Timeouts } from "./timeouts.ts";
import { bodyOf, maxInterim, transportError, webBody, webResponse } from "./upload_reply.ts";
import type { Readable } from "node:stream";
import type { Dispatcher, Pool } from "undici";

/** A request to be sent as it is. */
export interface UploadRequest {
  readonly method: string;
  /** `https://host:port`, no path. */
  readonly origin: string;
  /** The target with its query, sent byte for byte; starts with `/`. */
  readonly path: string;
  /** Lower-case names; Content-Length and Transfer-Encoding are set from `bytes`. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** Null for a request without a body. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null;
  /** Exact length of the body; 0 without one. */
  readonly bytes: number;
  /**
   * Wait for the whole of an answer of up to 64 KiB, which costs less than a stream of its own; what
   * breaks it is thrown, then, instead of being its body's error.
   */
  readonly wholeReply?: boolean;
}

/** Sends bodies of exact length over kept connections. */
export interface Uploader {
  /**
   * Sends a request and answers with the response, body unread: cancel it or read it to its end.
   * Redirects are not followed, nothing is decoded, nothing is tried again.
   *
   * If the body's stream breaks, the upload is broken off and the stream's error is thrown. A
   * refusal that comes while bytes are still being sent ends the upload, cancels the stream and is
   * answered with up to 64 KiB of its body.
   *
   * Throws the signal's reason when it is aborted, {@linkcode TransportError} when the upstream is
   * not reached, breaks off or stands still, and `invalid` when the body is not of its length.
   */
  request(request: UploadRequest, signal: AbortSignal): Promise<Response>;
  /** Closes every connection. */
  close(): Promise<void>;
}

const maxEarlyReplyBytes = 64 * 1024;

/** Makes an uploader with no connection yet; undici is loaded at the first request. */
export function createUploader(timeouts: Timeouts = defaultTimeouts): Uploader {
  const pools = new Map<string, Once<Pool>>();

  function pool(origin: string): Promise<Pool> {
    const known = pools.get(origin);
    if (known !== undefined) return known();
    const made = once(async () => {
      const { Pool } = await import("undici");
      return new Pool(origin, {
        // The watch below distinguishes an upload that is under way from one that is not answered,
        // which undici's limits do not; and those leave a timer behind that cannot be cleared.
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: 0 },
        allowH2: false,
      });
    });
    pools.set(origin, made);
    return made();
  }

  async function request(request: UploadRequest, signal: AbortSignal): Promise<Response> {
    const { body, bytes, wholeReply = false } = request;
    if (!wholeReply || body instanceof ReadableStream || bytes > maxExchangedBytes) {
      return await sendStream(request, signal);
    }
    if (body && body.byteLength !== bytes) throw wrongLength(bytes);
    const { method, path } = request;
    const sent = { method, path, headers: headerList(request), body };
    return await exchange(await pool(request.origin), sent, timeouts, signal);
  }

  async function sendStream(request: UploadRequest, signal: AbortSignal): Promise<Response> {
    const source = request.body === null
      ? undefined
      : createSource(readerOf(request.body), request.bytes);
    const stop = new AbortController();
    let connecting = true;
    const watch = createIdleTimer(() => stop.abort(slowUpstream("still", connecting)));
    const taking = watchPace(
      paceOf(timeouts.idleMilliseconds),
      (why) => stop.abort(slowUpstream(why)),
    );
    let interim = 0;
    const onInfo = () => {
      if (++interim > maxInterim) {
        stop.abort(new TransportError("The upstream does not answer", {}));
      }
    };
    const connected = () => {
      connecting = false;
    };
    try {
      signal.throwIfAborted();
      const empty = request.bytes === 0;
      if (empty) await source?.expectEnd(signal);
      const connections = await pool(request.origin);
      if (empty) connected();
      watch.start(empty ? timeouts.replyMilliseconds : timeouts.callMilliseconds);
      const reply = await connections.request({
        method: request.method as Dispatcher.HttpMethod,
        path: request.path,
        headers: headerList(request),
        body: empty || source === undefined
          ? null
          : iterable(source.pump({ connected, watch, taking, timeouts })),
        signal: AbortSignal.any([signal, stop.signal]),
        onInfo,
      });
      watch.close();
      taking.close();
      const early = source !== undefined && source.sent() < request.bytes;
      if (!early) {
        return webResponse(reply, await bodyOf(request.wholeReply ?? false, reply, timeouts));
      }
      const bytes = await refusalOf(reply, timeouts);
      stop.abort(new TransportError("The upstream refused the body", {}));
      await source.cancel();
      return webResponse(reply, bytes);
    } catch (error) {
      watch.close();
      taking.close();
      stop.abort(error);
      const broken = source?.failure();
      await source?.cancel(error);
      if (broken !== undefined) throw broken.error;
      if (signal.aborted) throw signal.reason;
      if (error instanceof Failure || error instanceof TransportError) throw error;
      throw transportError(error, connecting);
    }
  }

  return {
    request,
    async close() {
      const begun = [...pools.values()].filter((one) => one.isBegun());
      const made = await Promise.allSettled(begun.map((one) => one()));
      pools.clear();
      for (const result of made) {
        if (result.status === "fulfilled") await result.value.destroy();
      }
    },
  };
}

/**
 * Reads the refusal of a body that was not sent whole. Throws where it is not a refusal: the upstream
 * cannot have what it says that it has.
 */
async function refusalOf(reply: Dispatcher.ResponseData, timeouts: Timeouts) {
  if (reply.statusCode < 300) {
    throw new TransportError("The upstream answered before the whole body was sent", {});
  }
  const body = webBody(reply.body, timeouts, timeouts.callMilliseconds);
  return await readAtMost(body, maxEarlyReplyBytes);
}

/** The source of a body. */
interface Source {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

/** Bytes that are there already need no stream. */
function readerOf(body: ReadableStream<Uint8Array> | Uint8Array): Source {
  if (body instanceof ReadableStream) return body.getReader();
  let value: Uint8Array | undefined = body;
  return {
    read() {
      const result = { done: value === undefined, value };
      value = undefined;
      return Promise.resolve(result);
    },
    cancel: () => Promise.resolve(),
  };
}

/** Watches a body that is being sent. */
interface Pump {
  /** Called once there is a connection. */
  readonly connected: () => void;
  /** Watches the connection, and the reply after the last byte. */
  readonly watch: IdleTimer;
  /** Watches how fast the upstream takes the bytes. */
  readonly taking: PaceWatch;
  readonly timeouts: Timeouts;
}

/** A body being sent: remembers how far it came and what broke it. */
function createSource(reader: Source, bytes: number) {
  let sent = 0;
  let failure: { readonly error: unknown } | undefined;

  async function read(): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        if (value !== undefined && value.byteLength > 0) return value;
      }
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }

  return {
    sent: () => sent,
    failure: () => failure,
    /** Yields the chunks; what watches runs while the upstream, not the source, is waited for. */
    async *pump({ connected, watch, taking, timeouts }: Pump): AsyncGenerator<Uint8Array> {
      connected();
      watch.stop();
      for (;;) {
        const chunk = await read();
        if (chunk === undefined) break;
        if (sent + chunk.byteLength > bytes) {
          failure ??= { error: wrongLength(bytes) };
          throw failure.error;
        }
        sent += chunk.byteLength;
        taking.wait();
        yield chunk;
        taking.moved(chunk.byteLength);
      }
      if (sent < bytes) {
        failure ??= { error: wrongLength(bytes) };
        throw failure.error;
      }
      watch.start(timeouts.replyMilliseconds);
    },
    /** An empty body still says by its end, or its error, whether the request may be sent. */
    async expectEnd(signal: AbortSignal): Promise<void> {
      const cancel = () => reader.cancel(signal.reason).catch(() => {});
      signal.addEventListener("abort", cancel, { once: true });
      try {
        if (await read() !== undefined) throw wrongLength(bytes);
        signal.throwIfAborted();
      } finally {
        signal.removeEventListener("abort", cancel);
      }
    },
    /** Lets go of the source. One that broke says so again here, which is known already. */
    cancel: (reason?: unknown): Promise<void> => reader.cancel(reason).catch(() => {}),
  };
}

/** undici sends any async iterable chunk by chunk (8.12.4, `writeIterable`); its types lack that. */
const iterable = (chunks: AsyncIterable<Uint8Array>) => chunks as unknown as Readable;

function wrongLength(bytes: number): Failure {
  return new Failure(
    "invalid",
    `The body does not have the ${bytes} bytes that were declared. Send it again as a whole.`,
    { s3: "IncompleteBody" },
  );
}

function headerList(request: UploadRequest): string[] {
  const list = [...request.headers].filter(([name]) =>
    name !== "content-length" && name !== "transfer-encoding" && name !== "connection"
  );
  if (request.body !== null) list.push(["content-length", String(request.bytes)]);
  return list.flat();
}
