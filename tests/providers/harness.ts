/** Small servers and a made-up outside world for tests of providers. */
import type { ProviderDeps } from "../../providers/settings.ts";
import type { Timeouts } from "../../providers/timeouts.ts";
import { createUploader } from "../../providers/upload.ts";

/** A server on loopback that answers with the handler and keeps what it was asked. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  /** Method, path and query of each request, in order. */
  readonly requests: readonly string[];
}

/** Starts a server; its handler gets the request once it is noted. */
export function serve(
  handler: (request: Request) => Response | Promise<Response>,
): FakeServer {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    requests.push(`${request.method} ${pathname}${search}`);
    return handler(request);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A server of bytes for what Deno.serve would never send; `talk` may leave the closing to it. */
export function serveBytes(
  talk: (connection: Deno.Conn, head: string) => Promise<void>,
): FakeServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  const running = new Set<Promise<void>>();
  async function accept() {
    for await (const connection of listener) {
      const one = converse(connection).finally(() => running.delete(one));
      running.add(one);
    }
  }
  async function converse(connection: Deno.Conn) {
    try {
      const head = await readHead(connection);
      requests.push(head.split(" HTTP/")[0] ?? "");
      await talk(connection, head);
    } finally {
      try {
        connection.close();
      } catch {
        // The test closed it already.
      }
    }
  }
  const accepting = accept();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(running);
    },
  };
}

/** Reads one byte at a time, so that the body stays on the connection. */
async function readHead(connection: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n") && await connection.read(byte) !== null) {
    head += String.fromCharCode(byte[0] ?? 0);
  }
  return head;
}

/** What a provider is given in tests, and what it did with it. */
export interface TestWorld extends AsyncDisposable {
  readonly deps: ProviderDeps;
  /** Milliseconds of each wait that was asked for; none is really waited. */
  readonly waits: readonly number[];
}

/** Made-up time and waits, real fetch and sockets. */
export function world(timeouts?: Partial<Timeouts>): TestWorld {
  const waits: number[] = [];
  const limits = {
    callMilliseconds: 10_000,
    replyMilliseconds: 10_000,
    idleMilliseconds: 10_000,
    ...timeouts,
  };
  const uploader = createUploader(limits);
  return {
    waits,
    deps: {
      fetch,
      now: () => new Date("2026-11-24T12:00:00Z"),
      random: (bytes) => bytes.fill(0),
      sleep: (milliseconds) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
      uploader,
      timeouts: limits,
    },
    [Symbol.asyncDispose]: () => uploader.close(),
  };
}

/** A stream of the given texts, one chunk each; then it ends, or breaks with the error. */
export function chunks(texts: readonly string[], error?: Error): ReadableStream<Uint8Array> {
  const left = [...texts];
  return new ReadableStream({
    pull(controller) {
      const text = left.shift();
      if (text !== undefined) controller.enqueue(new TextEncoder().encode(text));
      else if (error !== undefined) controller.error(error);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** A signal that nobody aborts. */
export const quiet = (): AbortSignal => new AbortController().signal;

/** The whole stream as text. */
export const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> =>
  new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
