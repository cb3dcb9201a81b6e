import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { Failure } from "../../../codecs/failure.ts";
import { sha256Hex } from "../../../codecs/sigv4.ts";
import { createAws } from "../../../providers/aws/mod.ts";
import { chunks, quiet, world } from "../harness.ts";
import { assertSigned, aws, converse, request, startGateway, startUpstream } from "./wires.ts";

Deno.test("a PUT reaches S3 with its length, its hash and the gateway's signature", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  await using gateway = startGateway(one.provider);
  const body = "x".repeat(300_000);
  const response = await fetch(`${gateway.url}/b/key.jsonl?x-id=PutObject`, {
    method: "PUT",
    headers: {
      "authorization": "AWS4-HMAC-SHA256 Credential=CLIENT/x",
      "x-amz-security-token": "client token",
      "x-amz-date": "20200101T000000Z",
      "x-amz-content-sha256": sha256Hex(body),
      "x-amz-meta-a": "  two  words ",
      "x-model-provider": "bedrock",
      "amz-sdk-invocation-id": "1",
      "x-forwarded-for": "10.0.0.1",
      "content-type": "application/jsonl",
      "user-agent": "Boto3/1.43",
    },
    body,
  });
  assert.equal(await response.text(), "ok");
  const [received] = upstream.received;
  assert(received !== undefined);
  assert.equal(received.target, "/b/key.jsonl?x-id=PutObject");
  assert.equal(received.body, body);
  assert.equal(received.headers.get("content-length"), "300000");
  assert.equal(received.headers.get("x-amz-content-sha256"), sha256Hex(body));
  assert.equal(received.headers.get("user-agent"), "Boto3/1.43");
  for (
    const name of [
      "x-amz-security-token",
      "x-model-provider",
      "amz-sdk-invocation-id",
      "x-forwarded-for",
      "transfer-encoding",
    ]
  ) assert.equal(received.headers.get(name), null, name);
  assertSigned(received, "s3");
});

const oddTargets = [
  "/",
  "/b",
  "/b/a%20b%2Bc",
  "/b/a/../c",
  "/b/./a",
  "/b/%2e%2e/x",
  "/b//x//",
  "/b/a\\b",
  "/b/it's(1)*!",
  "/b/{a}|^`<>",
  "/b/%zz",
  "/b/a%2fb",
  "/b/\u00fc\u{1F600}",
  "/b/key?prefix=it's&delimiter=%2F",
  "/b?uploads",
  "/b?list-type=2&prefix=a%20b&start-after=",
  "/b/k#fragment",
];
for (const target of oddTargets) {
  Deno.test(`the target ${target} arrives byte for byte and rightly signed`, async () => {
    await using upstream = startUpstream();
    await using one = aws(upstream.url);
    await using gateway = startGateway(one.provider);
    const reply = await converse(
      gateway.port,
      `GET ${target} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n`,
    );
    assert.match(reply, /^HTTP\/1.1 200 OK/);
    const [received] = upstream.received;
    assert(received !== undefined);
    assert.equal(received.target, String.fromCharCode(...new TextEncoder().encode(target)));
    assertSigned(received, "s3");
  });
}

Deno.test("an upload to a key that URLs cannot hold keeps its length too", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  await using gateway = startGateway(one.provider);
  const reply = await converse(
    gateway.port,
    "PUT /b/../k HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Length: 5\r\n" +
      "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n\r\nhello",
  );
  assert.match(reply, /^HTTP\/1.1 200 OK/);
  const [received] = upstream.received;
  assert.equal(received?.target, "/b/../k");
  assert.equal(received?.headers.get("content-length"), "5");
  assert.equal(received?.headers.get("transfer-encoding"), null);
  assert.equal(received?.body, "hello");
});

Deno.test("metadata that is not ASCII keeps its bytes and its signature", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  await using gateway = startGateway(one.provider);
  await converse(
    gateway.port,
    "GET /b/k HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nx-amz-meta-name: \u00e9\r\n\r\n",
  );
  const [received] = upstream.received;
  assert.equal(received?.headers.get("x-amz-meta-name"), "\u00c3\u00a9");
  assert(received !== undefined);
  assertSigned(received, "s3");
});

Deno.test("an endpoint's path comes before the request's own and is signed", async () => {
  await using upstream = startUpstream();
  await using one = aws(`${upstream.url}/mount/`);
  for (const path of ["", "/b/k"]) {
    const response = await one.provider.forward(request({ path }), quiet());
    await response.body?.cancel();
  }
  assert.deepEqual(upstream.received.map(({ target }) => target), ["/mount/", "/mount/b/k"]);
  for (const received of upstream.received) assertSigned(received, "s3");
});

Deno.test("an object that is stored gzipped comes as it is stored", async () => {
  const stored = new Uint8Array(gzipSync("hello ".repeat(1000)));
  await using upstream = startUpstream(() =>
    new Response(stored, { headers: { "content-encoding": "gzip", "etag": '"e"' } })
  );
  await using one = aws(upstream.url);
  for (const path of ["/b/k", "/b/../k"]) {
    const response = await one.provider.forward(
      request({ path, headers: new Headers({ "accept-encoding": "gzip" }) }),
      quiet(),
    );
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(response.headers.get("content-length"), String(stored.length));
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), stored);
  }
});

Deno.test("HEAD keeps the length, 204 has no body, and an error passes as it is", async () => {
  await using upstream = startUpstream(({ method }) =>
    method === "HEAD"
      ? new Response(null, { headers: { "content-length": "12345", "etag": '"e"' } })
      : method === "DELETE"
      ? new Response(null, { status: 204 })
      : new Response("<Error/>", { status: 404, headers: { "x-amz-request-id": "R" } })
  );
  await using one = aws(upstream.url);
  for (const path of ["/b/k", "/b/./k"]) {
    const head = await one.provider.forward(request({ path, method: "HEAD" }), quiet());
    assert.equal(head.headers.get("content-length"), "12345");
    await head.body?.cancel();
    const gone = await one.provider.forward(request({ path, method: "DELETE" }), quiet());
    assert.deepEqual([gone.status, gone.body], [204, null]);
    const missing = await one.provider.forward(request({ path }), quiet());
    assert.deepEqual([missing.status, missing.headers.get("x-amz-request-id")], [404, "R"]);
    assert.equal(await missing.text(), "<Error/>");
  }
});

Deno.test("a redirect is passed on without its destination, not followed", async () => {
  await using upstream = startUpstream(() =>
    new Response("<Error/>", {
      status: 307,
      headers: {
        "location": "http://127.0.0.1:9/",
        "x-amz-bucket-region": "eu-west-1",
        "keep-alive": "timeout=5",
      },
    })
  );
  await using one = aws(upstream.url);
  const response = await one.provider.forward(request({}), quiet());
  assert.equal(response.status, 307);
  assert.equal(response.headers.get("location"), null);
  assert.equal(response.headers.get("keep-alive"), null);
  assert.equal(response.headers.get("x-amz-bucket-region"), "eu-west-1");
  await response.body?.cancel();
  assert.equal(upstream.received.length, 1);
});

Deno.test("Bedrock's path is signed double-encoded and its body by its hash", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  const path = "/model-invocation-job/arn%3Aaws%3Abedrock%3Aus-west-2%3A1%3Amodel%2Fa/stop";
  for (const body of [null, new TextEncoder().encode("{}"), chunks(['{"a":', "1}"])]) {
    const response = await one.provider.forward(
      request({ service: "bedrock", method: "POST", path, body, region: "eu-west-1" }),
      quiet(),
    );
    await response.body?.cancel();
  }
  assert.deepEqual(upstream.received.map(({ body }) => body), ["", "{}", '{"a":1}']);
  for (const received of upstream.received) {
    assert.equal(received.target, path);
    assert.equal(received.headers.get("x-amz-content-sha256"), null);
    assert.equal(received.headers.get("content-length"), String(received.body?.length));
    assertSigned(received, "bedrock", "eu-west-1");
  }
});

Deno.test("a control call of over 1 MiB is refused", async () => {
  await using one = aws("http://127.0.0.1:9");
  const body = chunks(Array(17).fill("x".repeat(65_536)));
  await assert.rejects(
    one.provider.forward(request({ service: "bedrock", method: "POST", body }), quiet()),
    (error) => error instanceof Failure && error.kind === "too-large",
  );
});

const hosts: [service: "s3" | "bedrock", region: string | undefined, url: string][] = [
  ["s3", undefined, "https://s3.us-west-2.amazonaws.com/bucket/key"],
  ["s3", "eu-central-1", "https://s3.eu-central-1.amazonaws.com/bucket/key"],
  ["bedrock", "us-gov-west-1", "https://bedrock.us-gov-west-1.amazonaws.com/bucket/key"],
  ["s3", "cn-north-1", "https://s3.cn-north-1.amazonaws.com.cn/bucket/key"],
];
for (const [service, region, url] of hosts) {
  Deno.test(`${service} signed for ${region ?? "no region"} goes to ${url}`, async () => {
    await using outside = world();
    const asked: string[] = [];
    const provider = createAws(
      { name: "bedrock", kind: "bedrock", accounts: [], region: "us-west-2" },
      {
        ...outside.deps,
        env: () => "x",
        fetch: (input) => {
          asked.push(String(input));
          return Promise.resolve(new Response());
        },
      },
    );
    await provider.forward(request({ service, region }), quiet());
    assert.deepEqual(asked, [url]);
  });
}

for (const region of ["s3", "a.evil.example/", "US-WEST-2", ""]) {
  Deno.test(`the region "${region}" never enters a host name`, async () => {
    await using one = aws("http://127.0.0.1:9");
    await assert.rejects(
      one.provider.forward(request({ region }), quiet()),
      (error) => error instanceof Failure && error.kind === "invalid",
    );
  });
}

Deno.test("no region at all is a clear failure", async () => {
  await using outside = world();
  const provider = createAws(
    { name: "bedrock", kind: "bedrock", accounts: [] },
    { ...outside.deps, env: () => "x" },
  );
  await assert.rejects(provider.forward(request({ region: undefined }), quiet()), /AWS_REGION/);
});

Deno.test("an upstream that is not there is unavailable, its outcome unknown for writes", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using one = aws(`http://127.0.0.1:${port}`);
  for (const [method, path] of [["GET", "/b/k"], ["PUT", "/b/k"], ["GET", "/b/../k"]] as const) {
    await assert.rejects(
      one.provider.forward(request({ method, path }), quiet()),
      (error) =>
        error instanceof Failure && error.kind === "unavailable" &&
        error.details.outcomeUnknown === (method === "PUT" ? true : undefined),
    );
  }
});

Deno.test("without credentials nothing is sent and the body is let go", async () => {
  await using one = aws("http://127.0.0.1:9", { env: (name) => name.includes("ID") ? "x" : "" });
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
  await assert.rejects(
    one.provider.forward(request({ method: "PUT", body }), quiet()),
    (error) => error instanceof Failure && error.kind === "denied",
  );
  assert(cancelled);
});

Deno.test("an abort ends the upstream's request with the abort's own reason", async () => {
  const sawEnd = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (incoming) => {
    arrived.resolve();
    await incoming.text().catch(() => sawEnd.resolve());
    return new Response();
  });
  await using one = aws(`http://127.0.0.1:${server.addr.port}`);
  for (const path of ["/b/k", "/b/../k"]) {
    const stop = new AbortController();
    let step = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (step++ === 0) return controller.enqueue(new Uint8Array(10));
        await arrived.promise;
        stop.abort(new Error("the client went away"));
      },
    });
    const headers = new Headers({ "content-length": "20" });
    await assert.rejects(
      one.provider.forward(request({ method: "PUT", path, headers, body }), stop.signal),
      /the client went away/,
    );
    await sawEnd.promise;
  }
  await server.shutdown();
});

Deno.test("a download that the client leaves is left upstream too", async () => {
  const left = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => left.resolve(),
      }),
    ));
  await using one = aws(`http://127.0.0.1:${server.addr.port}`);
  const response = await one.provider.forward(request({}), quiet());
  await response.body?.cancel();
  await left.promise;
  await server.shutdown();
});
