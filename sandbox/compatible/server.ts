/** A service that speaks OpenAI's API in words of its own: the simulated OpenAI behind a row. */
import { Buffer } from "node:buffer";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { randomId } from "../../codecs/ids.ts";
import type { Json, SandboxContext, Store } from "../context.ts";
import { type RawRequest, serveHttp } from "../http.ts";
import { isObject } from "../json.ts";
import { createOpenAI } from "../openai/mod.ts";
import { createStore } from "../store.ts";
import { Delays } from "./delays.ts";
import { type Refused, understood } from "./requests.ts";
import type { Service } from "./services.ts";
import { Ids, listed, worded } from "./words.ts";

/** A service that listens. */
export interface RunningService {
  /** With `/v1`, for a provider's `baseUrl`. */
  readonly url: string;
  /** Ids of the files that it holds, in its own words. */
  files(): string[];
  /** Ids of its batches, in its own words. */
  batches(): string[];
  /** Method and path of every request, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Starts a service on 127.0.0.1; a batch takes so many seconds. */
export async function startService(
  service: Service,
  batchSeconds: number,
): Promise<RunningService> {
  const store = await createStore();
  const ids = new Ids(service.id);
  const requests: string[] = [];
  const answer = createAnswers(service, ids, contextOf(store, batchSeconds));
  const server = await serveHttp((request) => {
    requests.push(`${request.method} ${request.target}`);
    return answer(request, requests.length);
  }, 0);
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    files: () => store.list("files").map(([id]) => ids.given(id)),
    batches: () => store.list("batches").map(([id]) => ids.given(id)),
    requests,
    close: () => server.close(),
  };
}

function contextOf(store: Store, batchSeconds: number): SandboxContext {
  return {
    options: { batchSeconds, windowSeconds: 86_400, strict: false, anyModel: true },
    store,
    now: () => new Date(),
    id: (length) => randomId(length, (bytes) => crypto.getRandomValues(bytes)),
    baseUrl: () => "",
  };
}

/** Makes what answers requests; `turn` is another number for each of them. */
function createAnswers(service: Service, ids: Ids, context: SandboxContext) {
  const simulate = createOpenAI(context);
  const delays = new Delays(service, ids);

  return async ({ method, target, headers, body }: RawRequest, turn: number): Promise<Response> => {
    const url = new URL(target, "http://service");
    const path = url.pathname.replace(/^\/v1/, "");
    const own = path.split("/").map((part) => ids.own(decodeURIComponent(part))).join("/");
    const isList = method === "GET" && /^\/(?:files|batches)$/.test(path);
    const after = isList ? url.searchParams.get("after") : null;
    // Lists of these services are made of the whole list.
    const isOwnList = service.lists !== undefined && service.lists !== "more";
    if (after !== null && isOwnList) url.searchParams.delete("after");
    else if (after !== null) url.searchParams.set("after", ids.own(after));
    const sent = new Uint8Array(await new Response(body).arrayBuffer());
    const read = understood(sent, path, service, ids, delays);
    if (Array.isArray(read)) return refusal(service, read);
    const reply = await simulate({
      method,
      path: own,
      query: url.searchParams.toString(),
      headers,
      body: method === "POST" ? new Blob([read]).stream() : null,
      target,
    });
    if (!reply.ok) {
      const { error } = await reply.json();
      return refusal(service, [reply.status, String(error.message)]);
    }
    if (path.endsWith("/content")) return packed(service, await reply.bytes(), reply.headers);
    const shown = worded(delays.early(await reply.json()), service, ids);
    const wrap = method === "POST" ? envelopeOf(service, path) : undefined;
    if (isList && isObject(shown)) return json(service, listed(shown, service, after, turn));
    return json(service, wrap === undefined ? shown : { code: 20_000, [wrap]: shown });
  };
}

function envelopeOf({ wrapsNew }: Service, path: string): string | undefined {
  if (path === "/files") return wrapsNew?.files;
  return path === "/batches" ? wrapsNew?.batches : undefined;
}

function refusal(service: Service, [status, message]: Refused): Response {
  const body = service.error?.(status, message) ?? { error: { message } };
  if (typeof body !== "string") return json(service, body, status);
  return packed(service, Buffer.from(body), new Headers({ "content-type": "text/plain" }), status);
}

function json(service: Service, body: Json, status = 200): Response {
  const headers = new Headers({ "content-type": "application/json" });
  return packed(service, Buffer.from(JSON.stringify(body)), headers, status);
}

const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const;

function packed(
  { packed: how }: Service,
  bytes: Uint8Array,
  headers: Headers,
  status = 200,
): Response {
  const all = new Headers(headers);
  all.delete("content-length");
  if (how !== undefined) all.set("content-encoding", how);
  const body = how === undefined ? bytes : packers[how](bytes);
  return new Response(new Uint8Array(body), { status, headers: all });
}
