/** Answers to what undici sent, as web responses that are watched. */
import { bounds } from "../runtime/bounds.ts";
import { createIdleTimer } from "../runtime/idle_timer.ts";
import { paceOf, watchPace } from "../runtime/pace.ts";
import { slowUpstream } from "./body.ts";
import { TransportError } from "./failures.ts";
import type { Timeouts } from "./timeouts.ts";
import type { Dispatcher } from "undici";

/** Statuses of answers without a body. */
export const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
/** Interim answers (1xx) to one request; a provider sends one or none. */
export const maxInterim = 20;
const unsentCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** An answer as the web has it. */
export function webResponse(
  reply: Dispatcher.ResponseData,
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>,
): Response {
  const headers = headerPairs(reply.headers);
  const none = bodiless.has(reply.statusCode);
  if (none) reply.body.resume();
  return new Response(none ? null : body, { status: reply.statusCode, headers });
}

/** The headers of an answer as pairs: a Response takes four times as long over a Headers object. */
export function headerPairs(headers: Dispatcher.ResponseData["headers"]): [string, string][] {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") pairs.push([name, value]);
    else for (const one of value ?? []) pairs.push([name, one]);
  }
  return pairs;
}

/** Longer answers are streams. */
export const maxWholeReplyBytes = 64 * 1024;

/**
 * The answer's body: whole where it is short, else to be read on demand.
 *
 * @param wholeReply See `UploadRequest`.
 */
export async function bodyOf(
  wholeReply: boolean,
  { headers, body }: Dispatcher.ResponseData,
  timeouts: Timeouts,
): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>> {
  const length = Number(headers["content-length"] ?? Infinity);
  if (!wholeReply || length > maxWholeReplyBytes) {
    return webBody(
      body,
      timeouts,
      wholeReply ? timeouts.replyMilliseconds : bounds.bodyMilliseconds,
    );
  }
  const watch = createIdleTimer(() => body.destroy(slowUpstream("still")));
  watch.start(timeouts.idleMilliseconds);
  try {
    return new Uint8Array(await body.arrayBuffer());
  } finally {
    watch.close();
  }
}

/** undici's body as a web stream: read on demand, and a cancelled one drops its connection. */
export function webBody(
  body: Dispatcher.ResponseData["body"],
  { idleMilliseconds }: Timeouts,
  wholeMilliseconds: number,
): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const watch = watchPace(
    paceOf(idleMilliseconds, wholeMilliseconds),
    (why) => body.destroy(slowUpstream(why)),
  );
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      watch.wait();
      try {
        const { done, value } = await chunks.next();
        if (!done) {
          watch.moved(value.byteLength);
          return controller.enqueue(value);
        }
        watch.close();
        controller.close();
      } catch (error) {
        watch.close();
        controller.error(error instanceof TransportError ? error : transportError(error));
      }
    },
    cancel() {
      watch.close();
      // Without a listener the error that destroying makes would end the process.
      body.on("error", () => {});
      body.destroy();
    },
  }, { highWaterMark: 0 });
}

/** Words what undici throws. */
export function transportError(error: unknown, unsent = false): TransportError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new TransportError("The connection failed", {
    cause: error,
    unsent: unsent || unsentCodes.has(code),
    timedOut: code.endsWith("_TIMEOUT"),
  });
}
