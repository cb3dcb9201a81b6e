/**
 * Parts of pages as they change, over server-sent events. A stream looks again every few seconds and
 * sends what it sees where that has changed; it ends with its session, with the gateway, and after
 * a while by itself, whereupon the browser opens another.
 */
import { Failure } from "../../codecs/failure.ts";
import { sleep } from "../../runtime/sleep.ts";
import type { Principal } from "../context.ts";
import { secureHeaders } from "./answer.ts";
import type { PageRequest } from "./request.ts";

/** Streams that are open at the same time. */
export interface Streams {
  readonly open: Map<string, number>;
}

/** Bounds of streams, of one process. */
const most = 64;
const mostOfOne = 8;
/** How often is looked whether the gateway ends, and whether something changed, in milliseconds. */
const tick = 500;
const ticksToLook = 4;
/** A proxy must not take a quiet stream for a dead one. */
const ticksToBeat = 30;
/** Ten minutes: then the browser asks again. */
const ticksToEnd = 1_200;

/** What a stream sends. */
export interface LiveSource {
  /** The part of the page as it is now, for a sender with these rights. */
  readonly render: (sender: Principal, signal: AbortSignal) => Promise<string>;
  /** The sender with the rights of now; undefined where the session has ended. */
  readonly senderNow: () => Promise<Principal | undefined>;
}

/** Makes the count of open streams. */
export function createStreams(): Streams {
  return { open: new Map() };
}

/** Answers with a stream. Throws `throttled` where as many as may be are open. */
export function answerLive(
  { open }: Streams,
  { principal, deps }: Pick<PageRequest, "principal" | "deps">,
  source: LiveSource,
): Response {
  const name = principal.accessKeyId ?? "";
  const all = [...open.values()].reduce((sum, one) => sum + one, 0);
  if (all >= most || (open.get(name) ?? 0) >= mostOfOne) {
    throw new Failure(
      "throttled",
      "Too many pages are kept up to date at once. Close some, or load the page again by hand",
      { s3: "SlowDown", retryAfterSeconds: 60 },
    );
  }
  open.set(name, (open.get(name) ?? 0) + 1);
  const gone = new AbortController();
  const close = () => {
    if (gone.signal.aborted) return;
    gone.abort();
    const left = (open.get(name) ?? 1) - 1;
    if (left === 0) open.delete(name);
    else open.set(name, left);
  };
  const events = eventsOf(source, principal, deps.isDraining, gone.signal);
  const utf8 = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    // One event is made when the one before has been taken: a slow reader costs nothing.
    async pull(controller) {
      const next = await events.next().catch(() => ({ done: true }) as const);
      if (next.done !== true) return controller.enqueue(utf8.encode(next.value));
      if (gone.signal.aborted) return;
      close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: {
      ...secureHeaders,
      "content-type": "text/event-stream",
      // nginx would keep events back.
      "x-accel-buffering": "no",
    },
  });
}

/** A part of a page but for how long ago things were, which by itself is not worth an update. */
function withoutAges(html: string): string {
  return html.replace(/(<time[^>]*>)[^<]*/g, "$1");
}

async function* eventsOf(
  { render, senderNow }: LiveSource,
  first: Principal,
  isDraining: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let last = await render(first, signal);
  yield "retry: 5000\n\n";
  for (let at = 1; at <= ticksToEnd && !isDraining(); at++) {
    await sleep(tick, signal);
    const beats = at % ticksToBeat === 0;
    if (beats) yield ": still here\n\n";
    if (!beats && at % ticksToLook !== 0) continue;
    const sender = await senderNow();
    if (!sender) return yield "event: end\ndata: the session has ended\n\n";
    const html = await render(sender, signal);
    if (beats ? html === last : withoutAges(html) === withoutAges(last)) continue;
    last = html;
    const lines = html.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`).join("");
    yield `event: update\n${lines}\n`;
  }
}
