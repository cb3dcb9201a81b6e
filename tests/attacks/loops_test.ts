/** Upstreams that lead back: to the gateway itself, over another gateway, and over a base URL. */
import assert from "node:assert/strict";
import { startTestGateway } from "../gateway.ts";
import { line } from "./operations.ts";
import { hopsWith } from "../../codecs/hops.ts";

const job = "/bedrock/model-invocation-jobs";

/** A port that is free now. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

Deno.test("a gateway whose upstream is itself does not start, and says which setting it is", async () => {
  const port = freePort();
  const own = `http://127.0.0.1:${port}`;
  for (
    const [env, setting] of [
      [{ AWS_ENDPOINT_URL_S3: `${own}/bedrock/files` }, /providers\.bedrock\.s3Endpoint/],
      [{ AWS_ENDPOINT_URL_BEDROCK: `http://localhost:${port}/bedrock` }, /bedrockEndpoint/],
      [{ OPENAI_BASE_URL: `http://[::1]:${port}/v1` }, /^OPENAI_BASE_URL \(.*openai\.baseUrl\)/],
      [{ ANTHROPIC_BASE_URL: `http://0.0.0.0:${port}` }, /providers\.anthropic\.baseUrl/],
      [{ GOOGLE_GEMINI_BASE_URL: own }, /^GOOGLE_GEMINI_BASE_URL/],
    ] as const
  ) {
    await assert.rejects(
      startTestGateway({ env: { BATCHWAY_PORT: `${port}`, ...env } }).then((one) => one.stop()),
      (error: Error) => setting.test(error.message) && /own address/.test(error.message),
    );
  }
  const s3 = freePort();
  await assert.rejects(
    startTestGateway({
      env: {
        BATCHWAY_PORT: `${port}`,
        BATCHWAY_S3_PORT: `${s3}`,
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${s3}`,
      },
    }).then((one) => one.stop()),
    /s3Endpoint/,
  );
});

Deno.test("a request that has passed the gateway is LoopDetected, in its service's form", async () => {
  let forwarded = 0;
  let back = "";
  // What stands between a gateway and itself where no address tells.
  const relay = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    forwarded++;
    const { pathname, search } = new URL(request.url);
    const init = { method: request.method, headers: request.headers, body: request.body };
    return await fetch(`${back}${pathname}${search}`, init);
  });
  const between = `http://127.0.0.1:${relay.addr.port}`;
  const gateway = await startTestGateway({
    env: {
      AWS_ENDPOINT_URL_S3: `${between}/bedrock/files`,
      AWS_ENDPOINT_URL_BEDROCK: `${between}/bedrock`,
      OPENAI_BASE_URL: `${between}/v1`,
    },
  });
  back = gateway.url;
  try {
    const asked = async (path: string, provider: string, method = "GET", body?: string) => {
      forwarded = 0;
      const headers = { "x-model-provider": provider };
      const answer = await fetch(`${gateway.url}${path}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
      });
      return { answer, text: await answer.text() };
    };
    for (const method of ["GET", "PUT", "DELETE"]) {
      const body = method === "PUT" ? "data" : undefined;
      const s3 = await asked("/bedrock/files/bucket/key", "bedrock", method, body);
      assert.equal(s3.answer.status, 508, s3.text);
      assert.match(s3.text, /<Code>LoopDetected<\/Code>/);
      assert.equal(forwarded, 1);
    }
    const bedrock = await asked(job, "bedrock");
    assert.equal(bedrock.answer.status, 508);
    assert.equal(bedrock.answer.headers.get("x-amzn-errortype"), "LoopDetected");
    assert.match(JSON.parse(bedrock.text).message, /passed this gateway already/);
    assert.equal(forwarded, 1);
    // A base URL: its calls are a provider's own, and yet they come back.
    const stored = await asked("/bedrock/files/bucket/k.jsonl", "openai", "PUT", line);
    assert.equal(stored.answer.status, 508, stored.text);
    assert.match(stored.text, /<Code>LoopDetected<\/Code>/);
    assert.equal(forwarded, 1);
    // A list looks through the provider's batches; what it knows by itself would hide the loop.
    const listed = await asked(job, "openai");
    assert.equal(listed.answer.status, 508, listed.text);
    assert.match(JSON.parse(listed.text).message, /base URL of provider openai leads back/);
    assert.equal(forwarded, 1);
  } finally {
    await gateway.stop();
    await relay.shutdown();
  }
});

Deno.test("a loop over two gateways ends where it began", async () => {
  let second = "";
  const relay = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    return await fetch(`${second}${pathname}${search}`, { headers: request.headers });
  });
  const between = `http://127.0.0.1:${relay.addr.port}/bedrock/files`;
  const one = await startTestGateway({ env: { AWS_ENDPOINT_URL_S3: between } });
  const two = await startTestGateway({
    env: { AWS_ENDPOINT_URL_S3: `${one.url}/bedrock/files` },
  });
  second = two.url;
  try {
    for (const { url } of [one, two]) {
      const answer = await fetch(`${url}/bedrock/files/bucket`, {
        headers: { "x-model-provider": "bedrock" },
      });
      assert.equal(answer.status, 508);
      assert.match(await answer.text(), /LoopDetected/);
    }
  } finally {
    await two.stop();
    await one.stop();
    await relay.shutdown();
  }
});

Deno.test("ids of other gateways are passed on, and are bounded", () => {
  assert.equal(hopsWith(null, "b"), "b");
  assert.equal(hopsWith("a", "b"), "a, b");
  assert.equal(hopsWith("a,  <x>,c", "b"), "a, c, b");
  const many = Array.from({ length: 200 }, (_, at) => `g${at}`).join(",");
  assert.equal(hopsWith(many, "b").split(", ").length, 32);
  assert.ok(hopsWith(many, "b").endsWith("g199, b"));
});
