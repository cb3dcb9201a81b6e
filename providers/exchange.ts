/**
 * Requests that are short and whole, which most calls to a provider are: the body goes to the socket in
 * one piece, and a short answer comes back in one, without a stream or a signal of its own on the way.
 * undici's `dispatch` takes half of what its `request` does for that (8.12.4).
 */
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import { createIdleTimer } from "../runtime/idle_timer.ts";
import { pacedBody, paceOf, type PaceWatch, type Slowness, watchPace } from "../runtime/pace.ts";
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

/** The head of an answer. */
interface Answer {
  readonly status: number;
  readonly headers: [string, string][];
}

/** How the body of an answer comes: gathered as long as it is short, else as it is read. */
type Coming =
  | { readonly kind: "gathered"; readonly bytes: ByteBuffer }
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
  /** Watches how slow a gathered body is; a stream has a watch of its own. */
  let pace: PaceWatch | undefined;
  let answer: Answer | undefined;
  let coming: Coming | undefined;
  let interim = 0;
  let isOver = false;
  const watch = createIdleTimer(() => stop(slowUpstream("still", controller === undefined)));
  const abandoned = () => stop(signal.reason);

  function end(): void {
    isOver = true;
    watch.close();
    pace?.close();
    signal.removeEventListener("abort", abandoned);
  }

  /**
   * Ends the exchange with an error: of the answer that is waited for, or of the body that is read.
   */
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

  const slowest = paceOf(timeouts.idleMilliseconds, timeouts.replyMilliseconds);

  /** Answers with a stream, which begins with what was gathered. */
  function answerStream(answer: Answer, first?: Uint8Array): void {
    watch.close();
    pace?.close();
    const stream = new ReadableStream<Uint8Array>({
      start(own) {
        coming = { kind: "stream", stream: own };
        if (first) own.enqueue(first);
      },
      pull: () => controller?.resume(),
      cancel: () => stop(new TransportError("The answer is not read", {})),
    }, { highWaterMark: 0 });
    const sender = { pace: slowest, failure: (why: Slowness) => slowUpstream(why) };
    resolve(
      new Response(bodiless.has(answer.status) ? null : pacedBody(stream, { sender }), answer),
    );
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
      const length = Number(headers["content-length"] ?? 0);
      if (length > maxWholeReplyBytes) return answerStream(answer);
      coming = { kind: "gathered", bytes: new ByteBuffer(maxWholeReplyBytes) };
      watch.close();
      pace = watchPace(slowest, (why) => stop(slowUpstream(why)));
      pace.wait();
    },
    onResponseData(own, chunk) {
      if (isOver || !answer) return;
      if (coming?.kind === "gathered") {
        pace?.moved(chunk.byteLength);
        pace?.wait();
        if (isOver || coming.bytes.append(chunk)) return;
        answerStream(answer, coming.bytes.take());
      }
      if (coming?.kind !== "stream") return;
      coming.stream.enqueue(chunk);
      if ((coming.stream.desiredSize ?? 0) < 0) own.pause();
    },
    onResponseEnd() {
      if (isOver) return;
      end();
      if (coming?.kind === "stream") coming.stream.close();
      if (coming?.kind !== "gathered" || !answer) return;
      resolve(new Response(bodiless.has(answer.status) ? null : coming.bytes.take(), answer));
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
