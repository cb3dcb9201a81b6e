/**
 * Requests that are short and whole, which most calls to a provider are: the body goes to the socket in
 * one piece, and a short answer comes back in one, without a stream or a signal of its own on the way.
 * undici's `dispatch` takes half of what its `request` does for that (8.12.4).
 */
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import { createIdleTimer } from "../runtime/idle_timer.ts";
import { pacedBody, paceOf } from "../runtime/pace.ts";
import { slowUpstream } from "./body.ts";
import { TransportError } from "./failures.ts";
import type { Timeouts } from "./timeouts.ts";
import {
  bodiless,
  headerPairs,
  maxInterim,
  maxWholeReplyBytes,
  transportError,
} from "./upload_reply.ts";
import type { Dispatcher } from "undici";

/** A body of more bytes is watched on its way. */
export const maxExchangedBytes = 128 * 1024;

/** A request as undici takes it. */
export interface ExchangeRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: string[];
  readonly body: Uint8Array | null;
}

/** How the body of an answer comes: as a whole, or as it is read. */
type Coming =
  | { readonly kind: "whole"; readonly gathered: ByteBuffer }
  | { readonly kind: "stream"; readonly stream: ReadableStreamDefaultController<Uint8Array> };

/**
 * Sends a request and answers with the response. One of up to 64 KiB is there as a whole; what breaks
 * it is thrown.
 *
 * Throws the signal's reason when it is aborted, and {@linkcode TransportError} when the upstream is
 * not reached, breaks off or stands still.
 */
export function exchange(
  connections: Pick<Dispatcher, "dispatch">,
  request: ExchangeRequest,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<Response> {
  if (signal.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  let controller: Dispatcher.DispatchController | undefined;
  let answer: { readonly status: number; readonly headers: [string, string][] } | undefined;
  let coming: Coming | undefined;
  let interim = 0;
  let isOver = false;
  const watch = createIdleTimer(() => stop(slowUpstream("still", controller === undefined)));
  const abandoned = () => stop(signal.reason);

  function end(): void {
    isOver = true;
    watch.close();
    signal.removeEventListener("abort", abandoned);
  }

  /** What went wrong, for the one who waits for the answer or reads it. */
  function fail(error: unknown): void {
    if (isOver) return;
    end();
    if (coming?.kind !== "stream") return reject(error);
    coming.stream.error(error instanceof TransportError ? error : transportError(error));
  }

  /** Gives the request up, also one that has no connection yet. */
  function stop(error: unknown): void {
    if (isOver) return;
    fail(error);
    controller?.abort(new Error("The request was given up", { cause: error }));
  }

  function streamed(): ReadableStream<Uint8Array> {
    const stream = new ReadableStream<Uint8Array>({
      start: (own) => void (coming = { kind: "stream", stream: own }),
      pull: () => controller?.resume(),
      cancel: () => stop(new TransportError("The answer is not read", {})),
    }, { highWaterMark: 0 });
    return pacedBody(stream, {
      sender: {
        pace: paceOf(timeouts.idleMilliseconds, timeouts.replyMilliseconds),
        failure: (why) => slowUpstream(why),
      },
    });
  }

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(own) {
      controller = own;
      if (isOver) return own.abort(new Error("The request was given up"));
      // The bytes go with it: from now on its answer is waited for.
      watch.start(timeouts.replyMilliseconds);
    },
    onResponseStart(_, status, headers) {
      if (isOver) return;
      if (status < 200) {
        if (++interim > maxInterim) stop(new TransportError("The upstream does not answer", {}));
        return;
      }
      answer = { status, headers: headerPairs(headers) };
      const length = Number(headers["content-length"] ?? (bodiless.has(status) ? 0 : Infinity));
      if (length <= maxWholeReplyBytes) {
        coming = { kind: "whole", gathered: new ByteBuffer(length) };
        return watch.start(timeouts.idleMilliseconds);
      }
      watch.close();
      resolve(new Response(bodiless.has(status) ? null : streamed(), answer));
    },
    onResponseData(own, chunk) {
      if (isOver) return;
      if (coming?.kind === "whole") coming.gathered.append(chunk);
      if (coming?.kind !== "stream") return;
      coming.stream.enqueue(chunk);
      if ((coming.stream.desiredSize ?? 0) < 0) own.pause();
    },
    onResponseEnd() {
      if (isOver) return;
      end();
      if (coming?.kind === "stream") coming.stream.close();
      if (coming?.kind !== "whole" || !answer) return;
      const body = bodiless.has(answer.status) ? null : coming.gathered.take();
      resolve(new Response(body, answer));
    },
    onResponseError: (_, error) => fail(transportError(error, controller === undefined)),
  };
  signal.addEventListener("abort", abandoned);
  watch.start(request.body ? timeouts.callMilliseconds : timeouts.replyMilliseconds);
  try {
    connections.dispatch(request, handler);
  } catch (error) {
    fail(transportError(error, true));
  }
  return promise;
}
