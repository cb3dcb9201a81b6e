/**
 * HTTP for the simulated providers, on `node:http`: it hands over the request target as it came,
 * and can break a connection without any answer. `Deno.serve` cannot (2.9.6, 2026-11-24): a body
 * that fails before its first chunk still sends the status and the headers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";

/** A request as it came. */
export interface RawRequest {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** An answer, or none: the connection is closed (`break`), or reset. */
export type RawAnswer = Response | "break" | "reset";

/** A server that listens. */
export interface RawServer {
  readonly port: number;
  /** Breaks off what is under way, waits for the handlers to end, and closes all connections. */
  close(): Promise<void>;
}

/**
 * Serves on 127.0.0.1. If the handler throws, the answer is 500 with the error's text; if the
 * answer's body breaks, the connection does too.
 *
 * @param port 0 for any that is free.
 */
export async function serveHttp(
  handler: (request: RawRequest) => Promise<RawAnswer>,
  port: number,
): Promise<RawServer> {
  const running = new Set<Promise<void>>();
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 });
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const handled = serve(incoming, outgoing, handler).finally(() => running.delete(handled));
    running.add(handled);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    port: address.port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await Promise.all(running);
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handler: (request: RawRequest) => Promise<RawAnswer>,
): Promise<void> {
  // A connection that breaks is seen by its reader or writer; here it is not an event of its own.
  outgoing.on("error", () => {});
  const body = bodyOf(incoming);
  let answer: RawAnswer;
  try {
    answer = await handler({
      method: incoming.method ?? "GET",
      target: (incoming.url ?? "/").replace(/^https?:\/\/[^/?]*/, "") || "/",
      headers: headersOf(incoming),
      body,
    });
  } catch (error) {
    answer = new Response(`The simulation failed: ${error}`, { status: 500 });
  }
  if (answer === "break") incoming.socket.destroy();
  else if (answer === "reset") incoming.socket.resetAndDestroy();
  else await send(answer, outgoing, incoming.method === "HEAD");
  // What the handler left unread would hold up the next request on this connection.
  incoming.resume();
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i] ?? "", incoming.rawHeaders[i + 1] ?? "");
  }
  return headers;
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> | null {
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return null;
  const chunks = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
    async cancel() {
      await chunks.return?.();
      incoming.resume();
    },
  }, { highWaterMark: 0 });
}

async function send(answer: Response, outgoing: ServerResponse, head: boolean): Promise<void> {
  for (const [name, value] of answer.headers) outgoing.setHeader(name, value);
  outgoing.writeHead(answer.status);
  if (answer.body === null || head) {
    await answer.body?.cancel();
    outgoing.end();
    return;
  }
  const gone = new Promise<void>((resolve) => outgoing.once("close", resolve));
  const reader = answer.body.getReader();
  try {
    outgoing.flushHeaders();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (outgoing.destroyed) break;
      if (!outgoing.write(next.value)) {
        await Promise.race([gone, new Promise<void>((r) => outgoing.once("drain", r))]);
      }
    }
    if (outgoing.destroyed) await reader.cancel();
    else outgoing.end();
  } catch {
    // The body broke: a simulated cut, or a blob that went away. What was written is still sent.
    outgoing.socket?.destroySoon();
  } finally {
    reader.releaseLock();
  }
}
