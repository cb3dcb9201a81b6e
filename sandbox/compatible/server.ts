/** A service that speaks OpenAI's API in words of its own: the simulated OpenAI behind a row. */
import { Buffer } from "node:buffer";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { randomId } from "../../codecs/ids.ts";
import type { Json, SandboxContext } from "../context.ts";
import { type RawRequest, serveHttp } from "../http.ts";
import { isObject, type JsonObject, parseJson } from "../json.ts";
import { createOpenAI } from "../openai/mod.ts";
import { createStore } from "../store.ts";
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

const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync } as const;

/** Starts a service on 127.0.0.1; a batch takes so many seconds. */
export async function startService(
  service: Service,
  batchSeconds: number,
): Promise<RunningService> {
  const store = await createStore();
  const ids = new Ids(service.id);
  const requests: string[] = [];
  const shownEarly = new Map<string, number>();
  let pending = service.pendingFiles ?? 0;
  const context: SandboxContext = {
    options: { batchSeconds, windowSeconds: 86_400, strict: false },
    store,
    now: () => new Date(),
    id: (length) => randomId(length, (bytes) => crypto.getRandomValues(bytes)),
    baseUrl: () => "",
  };
  const simulate = createOpenAI(context);

  async function answer({ method, target, headers, body }: RawRequest): Promise<Response> {
    requests.push(`${method} ${target}`);
    const url = new URL(target, "http://service");
    const path = url.pathname.replace(/^\/v1/, "");
    const own = path.split("/").map((part) => ids.own(decodeURIComponent(part))).join("/");
    const isList = method === "GET" && /^\/(?:files|batches)$/.test(path);
    const after = isList ? url.searchParams.get("after") : null;
    if (after !== null) url.searchParams.set("after", ids.own(after));
    // Lists of these services are made of the whole list.
    if (isList && service.lists !== undefined && service.lists !== "more") {
      url.searchParams.delete("after");
    }
    const sent = new Uint8Array(await new Response(body).arrayBuffer());
    const read = understood(sent, path);
    if (typeof read === "string") return refusal(400, read);
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
      return refusal(reply.status, String(error.message));
    }
    if (path.endsWith("/content")) return packed(await reply.bytes(), reply.headers);
    const shown = worded(early(await reply.json()), service, ids);
    const isNew = method === "POST" && path === "/batches";
    return json(
      isList && isObject(shown)
        ? listed(shown, service, after, requests.length)
        : isNew && service.wrapsNew
        ? { job: shown, warning: "" }
        : shown,
      200,
    );
  }

  /** A batch that is over and does not name its files yet, as often as the service does so. */
  function early(value: Json): Json {
    const isOver = isObject(value) && value["object"] === "batch" &&
      value["status"] === "completed";
    if (!isOver) return value;
    const id = String(value["id"]);
    const times = (shownEarly.get(id) ?? 0) + 1;
    shownEarly.set(id, times);
    const isEarly = times <= (service.lateFiles ?? 0);
    return isEarly ? { ...value, output_file_id: null, error_file_id: null } : value;
  }

  /** The body in OpenAI's words, or why the service refuses it. */
  function understood(sent: Uint8Array, path: string): Uint8Array<ArrayBuffer> | string {
    if (path === "/files") return form(sent);
    if (path !== "/batches" || sent.length === 0) return new Uint8Array(sent);
    const batch = parseJson(new TextDecoder().decode(sent));
    if (!isObject(batch)) return "The body must be JSON.";
    const window = service.window ?? "24h";
    if (batch["completion_window"] !== window) return `completion_window must be '${window}'.`;
    if (pending > 0) {
      pending--;
      return `The input file '${batch["input_file_id"]}' is in 'pending' state.`;
    }
    const plain: JsonObject = {
      ...batch,
      completion_window: "24h",
      input_file_id: ids.own(String(batch["input_file_id"])),
    };
    return new Uint8Array(Buffer.from(JSON.stringify(plain)));
  }

  function form(sent: Uint8Array): Uint8Array<ArrayBuffer> | string {
    // One character a byte, so that the file goes through unchanged.
    const text = Buffer.from(sent).toString("latin1");
    const field = /name="purpose"\r\n\r\n([^\r]*)\r\n/;
    const purpose = service.purpose ?? "batch";
    if (text !== "" && field.exec(text)?.[1] !== purpose) return `purpose must be '${purpose}'.`;
    return new Uint8Array(
      Buffer.from(text.replace(field, 'name="purpose"\r\n\r\nbatch\r\n'), "latin1"),
    );
  }

  function refusal(status: number, message: string): Response {
    const body = service.error?.(status, message) ?? { error: { message } };
    return typeof body === "string"
      ? packed(Buffer.from(body), new Headers({ "content-type": "text/plain" }), status)
      : json(body, status);
  }

  function json(body: Json, status: number): Response {
    const headers = new Headers({ "content-type": "application/json" });
    return packed(Buffer.from(JSON.stringify(body)), headers, status);
  }

  function packed(bytes: Uint8Array, headers: Headers, status = 200): Response {
    const all = new Headers(headers);
    all.delete("content-length");
    if (service.packed !== undefined) all.set("content-encoding", service.packed);
    const body = service.packed === undefined ? bytes : packers[service.packed](bytes);
    return new Response(new Uint8Array(body), { status, headers: all });
  }

  const server = await serveHttp(answer, 0);
  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    files: () => store.list("files").map(([id]) => ids.given(id)),
    batches: () => store.list("batches").map(([id]) => ids.given(id)),
    requests,
    close: () => server.close(),
  };
}
