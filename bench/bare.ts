/**
 * The bare reference, a process of its own: the least that passes a request on. `/fetch/…` goes over
 * Deno's fetch with the body as it came, `/undici/…` over undici with a length of its own, which is
 * what a gateway must use that changes the bytes. No router, no catalog, no mapping, no signature.
 */
import type { Readable } from "node:stream";
import { Pool } from "undici";

async function overFetch(upstream: string, path: string, request: Request): Promise<Response> {
  const { method, headers, body } = request;
  const answer = await fetch(upstream + path, { method, headers, body, redirect: "manual" });
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

async function overUndici(pool: Pool, path: string, request: Request): Promise<Response> {
  const length = request.headers.get("content-length") ?? "0";
  const answer = await pool.request({
    method: request.method === "PUT" ? "PUT" : "GET",
    path,
    headers: {
      "content-type": request.headers.get("content-type") ?? "application/octet-stream",
      ...(request.body && { "content-length": length }),
    },
    // undici sends any async iterable chunk by chunk (8.12.4); its types lack that.
    body: request.body && paced(request.body) as unknown as Readable,
  });
  const body = await answer.body.arrayBuffer();
  return new Response(body, { status: answer.statusCode });
}

/** Bytes after which other requests get a turn: without it one upload starves them all. */
const yieldBytes = 1024 * 1024;

async function* paced(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let since = 0;
  for await (const chunk of body) {
    since += chunk.byteLength;
    if (since >= yieldBytes) {
      since = 0;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    yield chunk;
  }
}

function main(port: number, upstream: string): void {
  const pool = new Pool(upstream, { headersTimeout: 0, bodyTimeout: 0, allowH2: false });
  Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, (request) => {
    const path = request.url.slice(request.url.indexOf("/", "http://".length));
    if (path.startsWith("/fetch/")) return overFetch(upstream, path.slice(6), request);
    if (path.startsWith("/undici/")) return overUndici(pool, path.slice(7), request);
    return new Response("ok\n");
  });
}

if (import.meta.main) main(Number(Deno.args[0]), Deno.args[1] ?? "");
