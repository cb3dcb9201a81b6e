/** Calls of the simulated Anthropic without an SDK, to see what is on the wire. */
import { sandboxKeys } from "../../../sandbox/context.ts";
import { type Sandbox, type SandboxSettings, startSandbox } from "../../../sandbox/server.ts";
import { Clock } from "../clock.ts";

/** The fields that tests look at, of any answer; which of them there are depends on the call. */
export interface Body {
  readonly id: string;
  readonly processing_status: string;
  readonly request_counts: { readonly [name: string]: number };
  readonly results_url: string | null;
  readonly archived_at: string | null;
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly details?: { readonly error_code: string };
  };
  readonly filename: string;
  readonly request_id: string;
}

/** A sandbox with Anthropic's key at hand. */
export interface Caller {
  readonly clock: Clock;
  readonly sandbox: Sandbox;
  call(
    method: string,
    path: string,
    body?: BodyInit | null,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Headers; text: string; json: Body }>;
  /** Creates a batch; gives its id. */
  create(requests: readonly unknown[]): Promise<string>;
  results(id: string): Promise<{ custom_id: string; result: { type: string } }[]>;
}

/** Runs a test on a sandbox whose batches take 100 seconds of a window of 1,000. */
export async function withCaller(
  test: (caller: Caller) => Promise<void>,
  settings: SandboxSettings = {},
  clock = new Clock(),
): Promise<void> {
  const sandbox = await startSandbox(
    { batchSeconds: 100, windowSeconds: 1000, ...settings },
    { now: clock.now },
  );
  const caller: Caller = {
    clock,
    sandbox,
    async call(method, path, body = null, headers = {}) {
      const response = await fetch(path.startsWith("/") ? sandbox.anthropicUrl + path : path, {
        method,
        body,
        headers: {
          "x-api-key": sandboxKeys.anthropic,
          "anthropic-version": "2023-06-01",
          ...headers,
        },
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type") === "application/json";
      const { status } = response;
      return { status, headers: response.headers, text, json: JSON.parse(isJson ? text : "{}") };
    },
    async create(requests) {
      const { json } = await caller.call(
        "POST",
        "/v1/messages/batches",
        JSON.stringify({ requests }),
      );
      return json.id;
    },
    async results(id) {
      const { text } = await caller.call("GET", `/v1/messages/batches/${id}/results`);
      return text.trimEnd().split("\n").map((line) => JSON.parse(line));
    },
  };
  try {
    await test(caller);
  } finally {
    await sandbox.close();
  }
}
