/** Both ends of a forwarded request: an upstream that keeps what it got, a gateway, raw clients. */
import assert from "node:assert/strict";
import { parseAuthorization, sha256Hex, verifySignature } from "../../../codecs/sigv4.ts";
import { createAws } from "../../../providers/aws/mod.ts";
import type { ForwardingProvider, ForwardRequest } from "../../../providers/provider.ts";
import type { ProviderDeps } from "../../../providers/settings.ts";
import { world } from "../harness.ts";

export const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
export const gatewayKey = "AKIAGATEWAY";

const env: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: gatewayKey,
  AWS_SECRET_ACCESS_KEY: secret,
};

/** A request as the upstream got it. */
export interface Received {
  readonly method: string;
  /** Path and query, one character a byte. */
  readonly target: string;
  readonly headers: Headers;
  /** Undefined where it broke off. */
  readonly body: string | undefined;
}

export interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** Resolves once so many requests were received, broken ones included. */
  count(requests: number): Promise<void>;
}

/** An upstream on Deno.serve, which tells an untouched target (measured with Deno 2.9.6). */
export function startUpstream(
  answer: (received: Received) => Response | Promise<Response> = () => new Response("ok"),
): Upstream {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.text().catch(() => undefined);
    const utf8 = new TextEncoder().encode(request.url.replace(/^http:\/\/[^/]*/, ""));
    const target = String.fromCharCode(...utf8);
    const one = { method: request.method, target, headers: request.headers, body };
    received.push(one);
    for (const wake of waiting) wake();
    return await answer(one);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    received,
    count: (requests) =>
      new Promise((resolve) => {
        const wake = () => {
          if (received.length < requests) return;
          waiting.delete(wake);
          resolve();
        };
        waiting.add(wake);
        wake();
      }),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A provider whose services are both at the upstream. */
export function aws(url: string, deps: Partial<ProviderDeps> = {}) {
  const outside = world();
  const provider = createAws({
    name: "bedrock",
    kind: "bedrock",
    accounts: [],
    region: "us-west-2",
    s3Endpoint: url,
    bedrockEndpoint: url,
  }, { ...outside.deps, env: (name) => env[name], ...deps });
  return { provider, [Symbol.asyncDispose]: () => outside[Symbol.asyncDispose]() };
}

/** A request with what a test does not care about filled in. */
export function request(given: Partial<ForwardRequest>): ForwardRequest {
  return {
    service: "s3",
    method: "GET",
    path: "/bucket/key",
    query: "",
    headers: new Headers(),
    body: null,
    region: "us-west-2",
    ...given,
  };
}

/** A gateway that forwards everything to S3 as it came; failures are told in a 500's text. */
export function startGateway(provider: ForwardingProvider) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (incoming) => {
    const target = incoming.url.replace(/^http:\/\/[^/]*/, "");
    const [path = "", ...query] = target.split("?");
    try {
      return await provider.forward({
        service: "s3",
        method: incoming.method,
        path,
        query: query.join("?"),
        headers: incoming.headers,
        body: incoming.body,
        region: undefined,
      }, incoming.signal);
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  });
  return {
    port: server.addr.port,
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Sends bytes and reads all that comes back until the connection is closed. */
export async function converse(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

/** Asserts that the upstream would accept the signature, as AWS would compute it. */
export function assertSigned(received: Received, service: "s3" | "bedrock", region = "us-west-2") {
  const claimed = parseAuthorization(received.headers.get("authorization") ?? "");
  assert(claimed !== undefined, "there is a SigV4 Authorization header");
  assert.deepEqual(
    { key: claimed.accessKeyId, service: claimed.service, region: claimed.region },
    { key: gatewayKey, service, region },
  );
  const [path = "", query = ""] = received.target.split("?", 2);
  const payloadHash = service === "s3"
    ? received.headers.get("x-amz-content-sha256") ?? ""
    : sha256Hex(received.body ?? "");
  const { method, headers } = received;
  const bytes = Uint8Array.from(path, (character) => character.charCodeAt(0));
  const pieces = { method, path: new TextDecoder().decode(bytes), query, headers, payloadHash };
  assert(verifySignature(pieces, claimed, secret), `signature of ${received.target}`);
}
