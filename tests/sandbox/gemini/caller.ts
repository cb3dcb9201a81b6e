/** Calls of the simulated Gemini without an SDK, to see what is on the wire. */
import { sandboxKeys } from "../../../sandbox/context.ts";
import { type Sandbox, type SandboxSettings, startSandbox } from "../../../sandbox/server.ts";
import { Clock } from "../clock.ts";

/** A file on the wire. */
export interface FileBody {
  readonly [name: string]: string;
}

/** The fields that tests look at, of any answer; which of them there are depends on the call. */
export interface Body {
  readonly name: string;
  readonly done: boolean;
  readonly error: { code: number; message: string; status: string };
  readonly metadata: {
    readonly state: string;
    readonly displayName: string;
    readonly endTime: string;
    readonly inputConfig: unknown;
    readonly output: unknown;
    readonly batchStats: { readonly [name: string]: string };
  };
  readonly response: { readonly [name: string]: string };
  readonly file: FileBody;
  readonly files: readonly FileBody[];
  readonly sizeBytes: string;
}

/** What a call came to. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where it is no JSON. */
  readonly json: Body;
}

/** A sandbox with Gemini's key at hand. */
export interface Caller {
  readonly clock: Clock;
  readonly sandbox: Sandbox;
  /** Calls a path below the mount, or an absolute URL. */
  call(
    method: string,
    path: string,
    body?: BodyInit | null,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Starts a resumable upload of so many bytes; gives the session's URL. */
  start(bytes: number, file?: Record<string, string>): Promise<string>;
  /** Stores a whole file; gives `files/{id}`. */
  store(text: string): Promise<string>;
  /** Starts a batch on a file; gives `batches/{id}`. */
  run(file: string, model?: string): Promise<string>;
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
      const response = await fetch(path.startsWith("/") ? sandbox.geminiUrl + path : path, {
        method,
        body,
        headers: { "x-goog-api-key": sandboxKeys.gemini, ...headers },
      });
      const text = await response.text();
      const type = response.headers.get("content-type") ?? "";
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: JSON.parse(/^application\/json\b/.test(type) && text !== "" ? text : "{}"),
      };
    },
    async start(bytes, file = {}) {
      const { headers } = await caller.call(
        "POST",
        "/upload/v1beta/files",
        JSON.stringify({ file }),
        {
          "x-goog-upload-protocol": "resumable",
          "x-goog-upload-command": "start",
          "x-goog-upload-header-content-length": String(bytes),
          "x-goog-upload-header-content-type": "application/jsonl",
        },
      );
      return headers.get("x-goog-upload-url") ?? "";
    },
    async store(text) {
      const bytes = new TextEncoder().encode(text);
      const { json } = await caller.call("POST", await caller.start(bytes.length), bytes, {
        "x-goog-upload-command": "upload, finalize",
        "x-goog-upload-offset": "0",
      });
      return json.file.name ?? "";
    },
    async run(fileName, model = "gemini-2.5-flash") {
      const body = { batch: { displayName: "job", inputConfig: { fileName } } };
      const { json } = await caller.call(
        "POST",
        `/v1beta/models/${model}:batchGenerateContent`,
        JSON.stringify(body),
      );
      return json.name;
    },
  };
  try {
    await test(caller);
  } finally {
    await sandbox.close();
  }
}

/** A line of a batch's input. */
export function line(key: string, text = "hello"): string {
  return `${JSON.stringify({ key, request: { contents: [{ parts: [{ text }] }] } })}\n`;
}
