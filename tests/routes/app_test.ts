import assert from "node:assert/strict";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../gateway.ts";
import { connect, exchange } from "../raw.ts";

/** Runs a test on a gateway of its own. */
async function withGateway(
  work: (gateway: TestGateway) => Promise<void>,
  options?: TestGatewayOptions,
): Promise<void> {
  const gateway = await startTestGateway(options);
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
  }
}

const line = '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n';
const files = "/bedrock/files";

/** Requests that are answered before their body is read, and their answers' status. */
const unread: readonly [what: string, start: string, headers: string, status: number][] = [
  ["a path that is nobody's", "PUT /elsewhere", "", 404],
  ["a health check with a body", "GET /healthz", "", 200],
  ["a Host that is none", "PUT /bedrock/files/bucket/key", "Host: a/evil\r\n", 400],
  ["an unknown provider", `PUT ${files}/bucket/key`, "x-model-provider: none\r\n", 400],
  ["a bucket's name that is none", `PUT ${files}/B/key`, "", 400],
  ["a broken escape", `PUT ${files}/bucket/%zz`, "", 400],
  ["an operation that is not offered", `PUT ${files}/bucket/key?tagging`, "", 501],
  ["an operation that has no body", `DELETE ${files}/bucket/key`, "", 204],
  ["an object that is not there", `GET ${files}/bucket/key`, "", 404],
  ["a digest that is none", `PUT ${files}/bucket/key`, "content-md5: x\r\n", 400],
  ["a provider that takes no files", `PUT ${files}/b01/k`, "x-model-provider: anthropic\r\n", 501],
  ["a condition that fails", `PUT ${files}/bucket/key`, 'if-match: "file-x"\r\n', 404],
  ["a Bedrock operation that is none", "POST /bedrock/other", "", 404],
  [
    "a Bedrock job of no provider",
    "POST /bedrock/model-invocation-job",
    "x-model-provider: x\r\n",
    400,
  ],
];

Deno.test("a body that is not read does not stall the next request on its connection", async (t) => {
  await withGateway(async ({ url }) => {
    const body = "x".repeat(1_000_000);
    for (const [what, start, headers, status] of unread) {
      await t.step(what, async () => {
        const given = headers.includes("Host:") ? "" : "Host: a\r\n";
        const chosen = headers.includes("x-model-provider") ? "" : "x-model-provider: openai\r\n";
        const connection = await connect(url);
        try {
          // Written while the answer is awaited, as clients do that do not look at early answers.
          const written = connection.write(
            `${start} HTTP/1.1\r\n${given}${chosen}${headers}content-length: ${body.length}\r\n\r\n` +
              `${body}GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n`,
          );
          assert.equal((await connection.read())?.status, status);
          await written;
          const next = await connection.read();
          // Deno hands out no body with GET, and closes a connection that still has one to come.
          if (!next && start.startsWith("GET")) return;
          assert.equal(next?.body, '{"status":"ok"}');
        } finally {
          connection.close();
        }
      });
    }
    // Where nothing is kept, there are providers that take no files.
  }, { configuration: '{ "objects": { "keep": "never" } }' });
});

Deno.test("each answer of S3 has a request id, and an error names the same one", async () => {
  await withGateway(async ({ url, logged }) => {
    const headers = { "x-model-provider": "openai" };
    const put = await fetch(`${url}${files}/bucket/key.jsonl`, {
      method: "PUT",
      headers,
      body: line,
    });
    assert.equal(put.status, 200, await put.text());
    const missing = await fetch(`${url}${files}/bucket/none`, { headers });
    const xml = await missing.text();
    assert.equal(missing.status, 404);
    const ids = [put, missing].map((one) => one.headers.get("x-amz-request-id") ?? "");
    assert.equal(new Set(ids).size, 2);
    assert.ok(ids.every((id) => id.length >= 16), `${ids}`);
    assert.ok(xml.includes(`<RequestId>${ids[1]}</RequestId>`), xml);
    const events = logged.map((one) => JSON.parse(one));
    assert.deepEqual(
      ids.map((id) => events.find((event) => event.requestId === id)?.operation),
      ["PutObject", "GetObject"],
    );
  });
});

Deno.test("each answer of Bedrock has a request id, errors too", async () => {
  await withGateway(async ({ url }) => {
    const headers = { "x-model-provider": "openai" };
    const list = await fetch(`${url}/bedrock/model-invocation-jobs`, { headers });
    const wrong = await fetch(`${url}/bedrock/model-invocation-jobs?maxResults=x`, { headers });
    await Promise.all([list.text(), wrong.text()]);
    assert.deepEqual([list.status, wrong.status], [200, 400]);
    const ids = [list, wrong].map((one) => one.headers.get("x-amzn-requestid") ?? "");
    assert.equal(new Set(ids).size, 2);
    assert.ok(ids.every((id) => id.length >= 16), `${ids}`);
  });
});

Deno.test("a job's ARN is one segment, also with its slash escaped or not", async () => {
  await withGateway(async ({ url, logged }) => {
    const arn =
      "arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Amodel-invocation-job%2Fabcdefghijkl";
    const get = await exchange(
      url,
      `GET /bedrock/model-invocation-job/${arn} HTTP/1.1\r\nHost: a\r\nx-model-provider: openai\r\n\r\n`,
    );
    assert.equal(get?.headers.get("x-amzn-errortype"), "ResourceNotFoundException");
    assert.equal(JSON.parse(logged.at(-1) ?? "").operation, "GetModelInvocationJob");
    const stop = await exchange(
      url,
      `POST /bedrock/model-invocation-job/${arn}/stop HTTP/1.1\r\nHost: a\r\n` +
        `x-model-provider: openai\r\ncontent-length: 0\r\n\r\n`,
    );
    assert.equal(stop?.status, 404);
    assert.equal(JSON.parse(logged.at(-1) ?? "").operation, "StopModelInvocationJob");
  });
});

Deno.test("the gateway shows its health, its readiness, and where it speaks what", async () => {
  await withGateway(async ({ url }) => {
    const health = await fetch(`${url}/healthz`);
    assert.deepEqual([health.status, await health.json()], [200, { status: "ok" }]);
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 200);
    const told = await ready.json();
    assert.equal(told.catalog, "ok");
    assert.deepEqual(told.providers.map((one: { name: string }) => one.name).sort(), [
      "anthropic",
      "bedrock",
      "gemini",
      "openai",
    ]);
    const dashboard = await fetch(`${url}/`);
    assert.equal(dashboard.status, 200);
    assert.match(await dashboard.text(), /<h1>Jobs<\/h1>/);
    const lost = await fetch(`${url}/elsewhere`);
    assert.equal(lost.status, 404);
    assert.match(
      await lost.text(),
      /S3 at \/bedrock\/files and the Bedrock batch API at \/bedrock/,
    );
  });
});

Deno.test("the second port has S3 at its root, with the same objects", async () => {
  await withGateway(async ({ url, gateway: { s3Url = "" } }) => {
    const headers = { "x-model-provider": "openai" };
    const put = await fetch(`${s3Url}/my-bucket/a%2Fb.jsonl`, {
      method: "PUT",
      headers,
      body: line,
    });
    assert.equal(put.status, 200, await put.text());
    const mounted = await fetch(`${url}${files}/my-bucket/a/b.jsonl`, { headers });
    assert.equal(await mounted.text(), line);
    const port = s3Url.split(":").at(-1);
    const virtual = await exchange(
      s3Url,
      `GET /a/b.jsonl HTTP/1.1\r\nHost: my-bucket.localhost:${port}\r\nx-model-provider: openai\r\n\r\n`,
    );
    assert.equal(virtual?.body, line);
    const service = await fetch(`${s3Url}/`, { headers });
    assert.match(await service.text(), /<Bucket><Name>my-bucket<\/Name>/);
    // A bucket may be called like a path of the first port.
    const listed = await fetch(`${s3Url}/healthz?list-type=2`, { headers });
    assert.match(await listed.text(), /<Name>healthz<\/Name>/);
  }, { env: { BATCHWAY_S3_PORT: "0" } });
});

Deno.test("an upload that stands still is given up, and nothing of it is kept", async () => {
  await withGateway(async ({ url, sandbox }) => {
    const answer = await exchange(
      url,
      `PUT ${files}/bucket/key.jsonl HTTP/1.1\r\nHost: a\r\nx-model-provider: openai\r\n` +
        `content-length: 1000\r\n\r\n${line}`,
    );
    assert.equal(answer?.status, 400, `${answer?.body}`);
    assert.match(answer.body, /<Code>RequestTimeout<\/Code>/);
    assert.match(answer.body, /No byte of the body came for 0\.2 seconds/);
    const ledger = await (await fetch(`${sandbox.controlUrl}/ledger`)).json();
    assert.deepEqual(ledger.holdings.openai?.files?.items ?? [], []);
  }, { env: { BATCHWAY_IDLE_SECONDS: "0.2" } });
});

Deno.test("an upload that stands still on its way to S3 is given up too", async () => {
  await withGateway(async ({ url }) => {
    await (await fetch(`${url}${files}/bucket`, { method: "PUT" })).body?.cancel();
    const answer = await exchange(
      url,
      `PUT ${files}/bucket/key.jsonl HTTP/1.1\r\nHost: a\r\ncontent-length: 1000\r\n\r\n${line}`,
    );
    assert.equal(answer?.status, 400, `${answer?.body}`);
    assert.match(answer.body, /<Code>RequestTimeout<\/Code>/);
    assert.equal((await fetch(`${url}${files}/bucket/key.jsonl`, { method: "HEAD" })).status, 404);
  }, { env: { BATCHWAY_IDLE_SECONDS: "0.2" } });
});

Deno.test("more uploads at once than may be are asked to slow down, and others go on", async () => {
  await withGateway(async ({ url }) => {
    const head = `PUT ${files}/bucket/key HTTP/1.1\r\nHost: a\r\nx-model-provider: openai\r\n` +
      `content-length: ${line.length}\r\n\r\n`;
    const [first, second] = [await connect(url), await connect(url)];
    try {
      await first.write(head);
      // Under way once the gateway has taken it, which nothing tells.
      await new Promise((resolve) => setTimeout(resolve, 100));
      await second.write(head + line);
      const refused = await second.read();
      assert.equal(refused?.status, 503);
      assert.match(refused.body, /<Code>SlowDown<\/Code>/);
      assert.equal(refused.headers.get("retry-after"), "1");
      assert.equal((await fetch(`${url}/healthz`).then((one) => one.json())).status, "ok");
      await first.write(line);
      assert.equal((await first.read())?.status, 200);
    } finally {
      first.close();
      second.close();
    }
    const third = await exchange(url, head + line);
    assert.equal(third?.status, 200);
  }, { configuration: '{ "limits": { "concurrentUploads": 1 } }' });
});

Deno.test("an upload in flight is finished while newcomers are sent away", async () => {
  const { url, gateway, sandbox } = await startTestGateway();
  const upload = await connect(url);
  const kept = await connect(url);
  try {
    await kept.write("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.equal((await kept.read())?.status, 200);
    await upload.write(
      `PUT ${files}/bucket/key.jsonl HTTP/1.1\r\nHost: a\r\nx-model-provider: openai\r\n` +
        `content-length: ${line.length * 2}\r\nexpect: 100-continue\r\n\r\n`,
    );
    // The gateway asks for the body: the request is under way.
    assert.equal((await upload.read())?.status, 100);
    await upload.write(line);
    const closed = gateway.close();
    await kept.write(`PUT ${files}/bucket/new HTTP/1.1\r\nHost: a\r\ncontent-length: 3\r\n\r\nabc`);
    const away = await kept.read();
    assert.equal(away?.status, 503);
    assert.equal(away.headers.get("connection"), "close");
    assert.equal(away.headers.get("retry-after"), "1");
    await upload.write(line);
    const done = await upload.read();
    assert.equal(done?.status, 200, `${done?.body}`);
    assert.match(done.headers.get("etag") ?? "", /^"file-/);
    await closed;
    // Deno 2.9.6 leaves it to the client to act on `connection: close`, until the listener ends.
    assert.equal(await kept.read(), undefined);
    await assert.rejects(connect(url), Deno.errors.ConnectionRefused);
  } finally {
    upload.close();
    kept.close();
    await sandbox.close();
  }
});
