import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { type Call, createHttp, type Http } from "../../providers/http.ts";
import { openaiWording } from "../../providers/openai/wording.ts";
import { chunks, quiet, serve, serveBytes, type TestWorld, world } from "./harness.ts";

const key = "test-key-0123456789";

const http = (baseUrl: string, { deps }: TestWorld): Http =>
  createHttp({
    provider: "p",
    baseUrl,
    headers: () => ({ authorization: `Bearer ${key}` }),
    secrets: [key],
    wording: openaiWording,
  }, deps);

const get: Call = { method: "GET", path: "/x" };
const post: Call = { method: "POST", path: "/x", json: { a: 1 } };

const refuse = (status: number, headers: HeadersInit = {}, error: Record<string, unknown> = {}) =>
  Response.json({ error: { message: "no", ...error } }, { status, headers });

/** The failure that a call ends with. */
async function failure(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof Failure, `expected a Failure, got ${error}`);
  return error;
}

Deno.test("a call sends its JSON with the key, and reads the JSON of the reply", async () => {
  await using server = serve(async (request) =>
    Response.json({
      json: await request.json(),
      key: request.headers.get("authorization"),
      type: request.headers.get("content-type"),
      length: request.headers.get("content-length"),
    })
  );
  await using w = world();
  assert.deepEqual(await http(server.url, w).json(post, quiet()), {
    json: { a: 1 },
    key: `Bearer ${key}`,
    type: "application/json",
    length: "7",
  });
});

Deno.test("an anonymous call carries no key", async () => {
  await using server = serve((request) => Response.json(request.headers.has("authorization")));
  await using w = world();
  const call = { ...get, path: new URL(`${server.url}/session?id=1`), anonymous: true };
  assert.equal(await http("http://unused", w).json(call, quiet()), false);
  assert.deepEqual(server.requests, ["GET /session?id=1"]);
});

Deno.test("a reply without a body is undefined", async () => {
  await using server = serve(() => new Response(null, { status: 204 }));
  await using w = world();
  assert.equal(await http(server.url, w).json(get, quiet()), undefined);
});

Deno.test("a call that is safe to repeat is tried three times, with growing waits", async () => {
  await using server = serve(() => refuse(503));
  await using w = world();
  const error = await failure(http(server.url, w).json(get, quiet()));
  assert.equal(error.kind, "unavailable");
  assert.equal(error.details.outcomeUnknown, undefined);
  assert.equal(server.requests.length, 3);
  assert.deepEqual(w.waits, [500, 1000]);
});

Deno.test("a later try may succeed", async () => {
  let asked = 0;
  await using server = serve(() => asked++ === 0 ? refuse(500) : Response.json({ ok: true }));
  await using w = world();
  assert.deepEqual(await http(server.url, w).json(get, quiet()), { ok: true });
});

Deno.test("a call that must not be repeated is sent once, and its outcome is unknown", async () => {
  for (const reply of [() => refuse(500), () => new Response("<html>", { status: 502 })]) {
    await using server = serve(reply);
    await using w = world();
    const error = await failure(http(server.url, w).json(post, quiet()));
    assert.equal(error.details.outcomeUnknown, true);
    assert.equal(server.requests.length, 1);
  }
});

Deno.test("a call that must not be repeated is repeated after 429, which refuses it clearly", async () => {
  let asked = 0;
  await using server = serve(() =>
    asked++ === 0 ? refuse(429, { "retry-after": "3" }) : Response.json({ ok: true })
  );
  await using w = world();
  assert.deepEqual(await http(server.url, w).json(post, quiet()), { ok: true });
  assert.deepEqual(w.waits, [3000]);
});

Deno.test("a wait of more than a minute is left to the caller", async () => {
  await using server = serve(() => refuse(429, { "retry-after": "61" }));
  await using w = world();
  const error = await failure(http(server.url, w).json(get, quiet()));
  assert.equal(error.kind, "throttled");
  assert.equal(error.details.retryAfterSeconds, 61);
  assert.equal(server.requests.length, 1);
  assert.deepEqual(w.waits, []);
});

Deno.test("all waits of one call together are a minute at most", async () => {
  await using server = serve(() => refuse(429, { "retry-after": "40" }));
  await using w = world();
  await failure(http(server.url, w).json(get, quiet()));
  assert.deepEqual(w.waits, [40_000]);
});

Deno.test("without credit a call is refused for good", async () => {
  await using server = serve(() => refuse(429, {}, { code: "insufficient_quota" }));
  await using w = world();
  const error = await failure(http(server.url, w).json(get, quiet()));
  assert.equal(error.kind, "denied");
  assert.equal(error.details.bedrock, "ServiceQuotaExceededException");
  assert.equal(server.requests.length, 1);
});

Deno.test("a status that the call gives a meaning to is an answer", async () => {
  await using server = serve(() => refuse(409));
  await using w = world();
  const call: Call = { ...get, statuses: { 409: "conflict" }, subject: "batch b" };
  const error = await failure(http(server.url, w).json(call, quiet()));
  assert.equal(error.kind, "conflict");
  assert.match(error.message, /batch b/);
  assert.equal(server.requests.length, 1);
});

Deno.test("no failure shows the key, whatever the provider echoes", async () => {
  for (const status of [400, 401, 404, 429, 500]) {
    await using server = serve(() => refuse(status, {}, { message: `Wrong key ${key} given` }));
    await using w = world();
    const error = await failure(http(server.url, w).json(post, quiet()));
    assert.doesNotMatch(error.message, new RegExp(key), String(status));
  }
});

Deno.test("a port without a listener is tried again even for what must not be repeated", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  await using w = world();
  const error = await failure(http(url, w).json(post, quiet()));
  assert.equal(error.kind, "unavailable");
  assert.equal(error.details.outcomeUnknown, undefined);
  assert.equal(w.waits.length, 2);
  const upload = { ...post, body: chunks(["abc"]), bytes: 3 };
  const uploaded = await failure(http(url, w).upload(upload, quiet()));
  assert.equal(uploaded.kind, "unavailable");
  assert.equal(uploaded.details.outcomeUnknown, undefined);
});

Deno.test("interim answers are passed over, and without end they do not count as an answer", async () => {
  const hint = new TextEncoder().encode("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
  const answer = new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
  for (
    const [hints, isAnswered] of [[1, true], [20, true], [21, false], [Infinity, false]] as const
  ) {
    await using server = serveBytes(async (connection) => {
      try {
        for (let sent = 0; sent < hints; sent++) await connection.write(hint);
        await connection.write(answer);
      } catch {
        // The client has had enough.
      }
    });
    await using w = world();
    const calls = http(server.url, w);
    if (isAnswered) assert.deepEqual(await calls.json(get, quiet()), {});
    else assert.equal((await failure(calls.json(get, quiet()))).kind, "unavailable");
    if (isAnswered) assert.deepEqual(await calls.json(post, quiet()), {});
    else {
      // Whether it was carried out is not known.
      const error = await failure(calls.json(post, quiet()));
      assert.deepEqual([error.kind, error.details.outcomeUnknown], ["unavailable", true]);
    }
    const upload = { ...post, body: chunks(["abc"]), bytes: 3 };
    if (isAnswered) assert.deepEqual((await calls.upload(upload, quiet())).body, {});
    else assert.equal((await failure(calls.upload(upload, quiet()))).kind, "unavailable");
  }
});

Deno.test("a connection that is cut leaves the outcome unknown", async () => {
  await using server = serveBytes(() => Promise.resolve());
  await using w = world();
  const calls = http(server.url, w);
  assert.equal((await failure(calls.json(post, quiet()))).details.outcomeUnknown, true);
  assert.equal((await failure(calls.json(get, quiet()))).details.outcomeUnknown, undefined);
  assert.deepEqual(server.requests, ["POST /x", "GET /x", "GET /x", "GET /x"]);
});

Deno.test("a POST is sent once, also where a kept connection is cut after it arrived", async () => {
  const posts: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      const buffer = new Uint8Array(4096);
      for (let request = 0; request < 2; request++) {
        let text = "";
        while (!text.endsWith("{}")) {
          const read = await connection.read(buffer);
          if (read === null) break;
          text += new TextDecoder().decode(buffer.subarray(0, read));
        }
        if (text === "") break;
        posts.push(text.slice(0, text.indexOf(" HTTP/")));
        if (request === 1) break;
        await connection.write(
          new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
        );
      }
      connection.close();
    }
  })();
  await using w = world();
  const calls = http(`http://127.0.0.1:${listener.addr.port}`, w);
  const call: Call = { ...post, json: {} };
  await calls.json(call, quiet());
  // The connection is free again a turn after the reply was read.
  await new Promise((resolve) => setTimeout(resolve));
  const error = await failure(calls.json(call, quiet()));
  assert.equal(error.details.outcomeUnknown, true);
  assert.deepEqual(posts, ["POST /x", "POST /x"]);
  listener.close();
  await serving;
});

Deno.test("a reply of JSON that is cut in two is tried again", async () => {
  let asked = 0;
  await using server = serveBytes(async (connection) => {
    const body = asked++ === 0 ? '{"a"' : '{"a":1}';
    await connection.write(
      new TextEncoder().encode(`HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n${body}`),
    );
  });
  await using w = world();
  assert.deepEqual(await http(server.url, w).json(get, quiet()), { a: 1 });
});

Deno.test("a call that is not answered in time is given up", async () => {
  const hold = Promise.withResolvers<void>();
  await using server = serveBytes(() => hold.promise);
  await using w = world({ callMilliseconds: 100 });
  const error = await failure(http(server.url, w).json(post, quiet()));
  assert.equal(error.kind, "unavailable");
  assert.equal(error.details.outcomeUnknown, true);
  assert.match(error.message, /in time/);
  hold.resolve();
});

Deno.test("an abort ends the call with its reason, also between two tries", async () => {
  const reason = new Error("the client went away");
  const abort = new AbortController();
  const asked = Promise.withResolvers<void>();
  const hold = Promise.withResolvers<void>();
  await using server = serveBytes(async () => {
    asked.resolve();
    await hold.promise;
  });
  await using w = world();
  const call = http(server.url, w).json(get, abort.signal);
  await asked.promise;
  abort.abort(reason);
  await assert.rejects(call, (thrown) => thrown === reason);
  hold.resolve();

  const between = new AbortController();
  await using busy = serve(() => {
    between.abort(reason);
    return refuse(503);
  });
  await assert.rejects(http(busy.url, w).json(get, between.signal), (thrown) => thrown === reason);
  assert.equal(busy.requests.length, 1);
});

Deno.test("a redirect is not followed", async () => {
  await using target = serve(() => Response.json({}));
  await using server = serve(() => Response.redirect(`${target.url}/stolen`, 307));
  await using w = world();
  const calls = http(server.url, w);
  for (
    const call of [
      () => calls.json(get, quiet()),
      () => calls.open(get, quiet()),
      () => calls.upload({ ...post, body: chunks(["abc"]), bytes: 3 }, quiet()),
    ]
  ) {
    const error = await failure(call());
    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /redirect/);
  }
  assert.deepEqual(target.requests, []);
});

Deno.test("HTML, broken JSON and endless JSON are not the API's form", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new TextEncoder().encode(" ".repeat(1 << 20))),
      }),
    );
  for (const reply of [() => new Response("<html>"), () => new Response('{"a":'), endless]) {
    await using server = serve(reply);
    await using w = world();
    const error = await failure(http(server.url, w).json(get, quiet()));
    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /not of its API's form/);
  }
});

Deno.test("a refusal of an upload is classified, and the body is cancelled", async () => {
  await using server = serve((request) => {
    request.body?.cancel().catch(() => {});
    return refuse(401);
  });
  await using w = world();
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: () => cancelled.resolve(),
  });
  const call = { ...post, body, bytes: 2 ** 34 };
  const error = await failure(http(server.url, w).upload(call, quiet()));
  assert.equal(error.kind, "denied");
  await cancelled.promise;
});

Deno.test("an upload whose reply is lost may have been stored", async () => {
  await using server = serve(async (request) => {
    await request.text();
    return refuse(500);
  });
  await using w = world();
  const call = { ...post, body: chunks(["abc"]), bytes: 3 };
  const error = await failure(http(server.url, w).upload(call, quiet()));
  assert.equal(error.details.outcomeUnknown, true);
  assert.equal(server.requests.length, 1);
});
