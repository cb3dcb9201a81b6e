/** The sandbox: all simulated providers behind one port, with faults and a ledger. */
import { randomId } from "../codecs/ids.ts";
import { createAnthropic } from "./anthropic/mod.ts";
import { createBedrock } from "./bedrock.ts";
import { createEventBridge } from "./eventbridge.ts";
import type { Json, SandboxContext, SandboxOptions, SimulatorFactory } from "./context.ts";
import { applyFault, createFaults, type ProviderName, providerNames } from "./faults.ts";
import { createGemini } from "./gemini/mod.ts";
import { type RawAnswer, type RawRequest, serveHttp } from "./http.ts";
import { parseJson } from "./json.ts";
import { createLedger } from "./ledger.ts";
import { createOpenAI } from "./openai/mod.ts";
import { createS3 } from "./s3.ts";
import { createStore, partOfStore } from "./store.ts";

/** A simulated provider: where it is mounted and which part of the store is its own. */
interface Mount {
  readonly path: string;
  readonly part: string;
  readonly create: SimulatorFactory;
}

const mounts: Readonly<Record<ProviderName, Mount>> = {
  openai: { path: "/openai/v1", part: "openai", create: createOpenAI },
  gemini: { path: "/gemini", part: "gemini", create: createGemini },
  anthropic: { path: "/anthropic", part: "anthropic", create: createAnthropic },
  // Bedrock reads and writes objects of S3: they share a part.
  s3: { path: "/s3", part: "aws", create: createS3 },
  bedrock: { path: "/bedrock", part: "aws", create: createBedrock },
  eventbridge: { path: "/eventbridge", part: "eventbridge", create: createEventBridge },
};

/** Options of a sandbox: each has a default that suits a demonstration. */
export interface SandboxSettings extends Partial<SandboxOptions> {
  /** 0, or none, for any port that is free. */
  readonly port?: number;
}

/** What a sandbox takes from outside; tests bring their own clock. */
export interface SandboxDeps {
  readonly now?: () => Date;
  /** Fills an array with random bytes. */
  readonly random?: (bytes: Uint8Array) => Uint8Array;
  /** Does a reset: empties the providers by `clear`, and what depends on them besides. */
  readonly reset?: (clear: () => Promise<void>) => Promise<void>;
}

/** A sandbox that listens. All URLs are without a slash at the end. */
export interface Sandbox {
  readonly url: string;
  /** With `/v1`, as `OPENAI_BASE_URL` has it. */
  readonly openaiUrl: string;
  /** Without a version. */
  readonly geminiUrl: string;
  /** Without `/v1`. */
  readonly anthropicUrl: string;
  readonly s3Url: string;
  readonly bedrockUrl: string;
  readonly eventBridgeUrl: string;
  /** Base of `/faults`, `/ledger`, `/finish` and `/reset`. */
  readonly controlUrl: string;
  /** Breaks off what is under way; a folder then holds everything. */
  close(): Promise<void>;
}

/** Starts the simulated providers on 127.0.0.1. Throws where the port is taken. */
export async function startSandbox(
  settings: SandboxSettings = {},
  deps: SandboxDeps = {},
): Promise<Sandbox> {
  const { port = 0, ...given } = settings;
  const finishes: number[] = [];
  const options: SandboxOptions = {
    batchSeconds: 10,
    windowSeconds: 86_400,
    strict: false,
    ...given,
    finishes,
  };
  const now = deps.now ?? (() => new Date());
  const random = deps.random ?? ((bytes: Uint8Array) => crypto.getRandomValues(bytes));
  const store = await createStore(options.folder);
  const faults = createFaults();
  const ledger = createLedger(store, now);
  const closing = new AbortController();
  let url = "";

  const simulators = providerNames.map((provider) => {
    const { path, part, create } = mounts[provider];
    const context: SandboxContext = {
      options,
      store: partOfStore(store, part),
      faults: faults.results(provider),
      now,
      id: (length) => randomId(length, random),
      baseUrl: () => url + path,
    };
    return { provider, mount: path, simulate: create(context) };
  });

  async function answer(request: RawRequest): Promise<RawAnswer> {
    const { method, target, headers, body } = request;
    const [path = "", ...rest] = target.split("?");
    const query = rest.join("?");
    const below = (mount: string) => path === mount || path.startsWith(`${mount}/`);
    if (below("/control")) return control(method, path.slice("/control".length), body);
    const found = simulators.find(({ mount }) => below(mount));
    if (found === undefined) return json({ message: `Nothing is mounted at ${path}.` }, 404);
    const { provider, mount, simulate } = found;
    const local = path.slice(mount.length) || "/";
    const carryOut = () => simulate({ method, path: local, query, headers, body, target });
    const record = ledger.begin(provider, method, local);
    const fault = faults.strike(provider, method, local, query);
    let given: RawAnswer | undefined;
    try {
      given = fault === undefined ? await carryOut() : await applyFault(
        fault.rule,
        carryOut,
        async () => await body?.cancel(),
        (seconds) => sleep(seconds, closing.signal),
      );
      return given;
    } finally {
      // Also where the client was gone before its body was read.
      record.end(given instanceof Response ? given.status : null, fault?.id);
    }
  }

  async function control(
    method: string,
    path: string,
    body: ReadableStream<Uint8Array> | null,
  ): Promise<Response> {
    switch (`${method} ${path}`) {
      case "GET /faults":
        return json(faults.list());
      case "DELETE /faults":
        faults.clear();
        return json(faults.list());
      case "POST /faults":
        return addFaults(parseJson(await new Response(body).text()));
      case "GET /ledger":
        return json(ledger.read());
      case "POST /finish":
        finishes.push(now().getTime());
        return json({ finished: true });
      case "POST /reset":
        await (deps.reset ?? ((empty) => empty()))(clear);
        return json({ reset: true });
      default:
        return json({ message: `There is no ${method} /control${path}.` }, 404);
    }
  }

  async function clear(): Promise<void> {
    faults.clear();
    ledger.clear();
    finishes.length = 0;
    await store.clear();
  }

  function addFaults(rules: Json | undefined): Response {
    try {
      const all = Array.isArray(rules) ? rules : [rules ?? null];
      return json(all.map((rule) => faults.add(rule)));
    } catch (error) {
      if (error instanceof TypeError) return json({ message: error.message }, 400);
      throw error;
    }
  }

  const server = await serveHttp(answer, port);
  url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    openaiUrl: url + mounts.openai.path,
    geminiUrl: url + mounts.gemini.path,
    anthropicUrl: url + mounts.anthropic.path,
    s3Url: url + mounts.s3.path,
    bedrockUrl: url + mounts.bedrock.path,
    eventBridgeUrl: url + mounts.eventbridge.path,
    controlUrl: `${url}/control`,
    async close() {
      closing.abort();
      await server.close();
      await store.flush();
    },
  };
}

function json(value: unknown, status = 200): Response {
  return Response.json(value, { status });
}

/** Waits, but no longer than until the signal. */
function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal.addEventListener("abort", done);
  });
}
