/** Signed requests to the simulated S3 and Bedrock without a socket, on a clock that tests move. */
import { createHash } from "node:crypto";
import { randomId } from "../../codecs/ids.ts";
import { signRequest } from "../../codecs/sigv4.ts";
import { createBedrock } from "../../sandbox/bedrock.ts";
import {
  type ResultFaults,
  type SandboxContext,
  sandboxKeys,
  type SandboxOptions,
} from "../../sandbox/context.ts";
import { createS3 } from "../../sandbox/s3.ts";
import { createStore } from "../../sandbox/store.ts";

/** What a request may have besides method and path. */
export interface RequestParts {
  /** Raw, without `?`. */
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly region?: string;
  readonly secret?: string;
  readonly accessKeyId?: string;
  /** In place of the body's own hash. */
  readonly payloadHash?: string;
  /** How far the client's clock is ahead. */
  readonly skewSeconds?: number;
  /** Headers that are added after signing. */
  readonly unsigned?: Record<string, string>;
}

/** The simulated AWS of one test. */
export interface Aws {
  /** Sends a signed S3 request; the path is raw: `/bucket/a%20key`. */
  s3(method: string, path: string, parts?: RequestParts): Promise<Response>;
  /** Sends a signed Bedrock request and reads its answer. */
  bedrock(
    method: string,
    path: string,
    parts?: RequestParts & { readonly json?: unknown },
  ): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
  /** Lets time pass. */
  wait(seconds: number): void;
}

/** Makes a simulated AWS whose clock stands still until it is moved. */
export async function startAws(
  options: Partial<SandboxOptions> = {},
  faults?: ResultFaults,
): Promise<Aws> {
  let time = Date.UTC(2026, 10, 23, 12);
  const context: SandboxContext = {
    options: { batchSeconds: 100, windowSeconds: 86_400, strict: false, ...options },
    store: await createStore(options.folder),
    ...(faults === undefined ? {} : { faults }),
    now: () => new Date(time),
    id: (length) => randomId(length, (bytes) => crypto.getRandomValues(bytes)),
    baseUrl: () => "http://127.0.0.1:1/s3",
  };
  const simulators = { s3: createS3(context), bedrock: createBedrock(context) };

  async function send(
    service: "s3" | "bedrock",
    method: string,
    path: string,
    parts: RequestParts,
  ): Promise<Response> {
    const { query = "", region = "us-west-2" } = parts;
    const body = typeof parts.body === "string" ? new TextEncoder().encode(parts.body) : parts.body;
    const hash = createHash("sha256").update(body ?? "").digest("hex");
    const headers = new Headers(parts.headers);
    headers.set("host", "127.0.0.1:1");
    const sendsBody = body !== undefined || method === "PUT" || method === "POST";
    if (sendsBody) headers.set("content-length", `${body?.length ?? 0}`);
    signRequest({
      method,
      path: `/${service}${path}`,
      query,
      headers,
      payloadHash: parts.payloadHash ?? hash,
      service,
      region,
      credentials: {
        accessKeyId: parts.accessKeyId ?? sandboxKeys.awsAccessKeyId,
        secretAccessKey: parts.secret ?? sandboxKeys.awsSecretAccessKey,
      },
      date: new Date(time + (parts.skewSeconds ?? 0) * 1000),
    });
    for (const [name, value] of Object.entries(parts.unsigned ?? {})) headers.set(name, value);
    return await simulators[service]({
      method,
      path,
      query,
      headers,
      body: body === undefined ? null : ReadableStream.from([body]),
      target: `/${service}${path}${query === "" ? "" : `?${query}`}`,
    });
  }

  return {
    s3: (method, path, parts = {}) => send("s3", method, path, parts),
    async bedrock(method, path, { json, ...parts } = {}) {
      const body = json === undefined ? parts : { ...parts, body: JSON.stringify(json) };
      const response = await send("bedrock", method, path, body);
      return {
        status: response.status,
        headers: response.headers,
        body: await response.json(),
      };
    },
    wait(seconds) {
      time += seconds * 1000;
    },
  };
}

/** The text of the first element of this name in a document of ours. */
export function element(xml: string, name: string): string | undefined {
  return elements(xml, name)[0];
}

/** The texts of all elements of this name. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, text]) =>
    text ?? ""
  );
}
