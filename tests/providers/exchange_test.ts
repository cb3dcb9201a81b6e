import assert from "node:assert/strict";
import { TransportError } from "../../providers/failures.ts";
import type { UploadRequest } from "../../providers/upload.ts";
import { quiet, serve, serveBytes, textOf, world } from "./harness.ts";

const encoder = new TextEncoder();

/** A request that is short and whole, and whose answer is waited for. */
function post(url: string, text: string | null, bytes?: number): UploadRequest {
  const body = text === null ? null : encoder.encode(text);
  return {
    method: "POST",
    origin: url,
    path: "/up?x=1",
    headers: [["content-type", "text/plain"]],
    body,
    bytes: bytes ?? body?.length ?? 0,
    wholeReply: true,
  };
}

const write = (connection: Deno.Conn, text: string) => connection.write(encoder.encode(text));

Deno.test("a short body goes out with its length, and a short answer comes back whole", async () => {
  await using server = serve(async ({ headers, body, method }) =>
    Response.json({
      method,
      length: headers.get("content-length"),
      encoding: headers.get("transfer-encoding"),
      type: headers.get("content-type"),
      body: body && await textOf(body),
    }, { headers: [["x-two", "1"], ["x-two", "2"]] })
  );
  await using w = world();
  for (const [text, length] of [["abcde", "5"], ["", "0"]] as const) {
    const reply = await w.deps.uploader.request(post(server.url, text), quiet());
    assert.equal(reply.headers.get("x-two"), "1, 2");
    const seen = await reply.json();
    assert.equal(seen.length, length);
    assert.equal(seen.body ?? "", text);
    assert.equal(seen.encoding, null);
    assert.equal(seen.type, "text/plain");
  }
  const bare = await w.deps.uploader.request({ ...post(server.url, null), method: "GET" }, quiet());
  assert.deepEqual((await bare.json()).method, "GET");
});

Deno.test("a body of another length than declared is refused before anything is sent", async () => {
  await using server = serve(() => new Response());
  await using w = world();
  for (const bytes of [4, 6]) {
    await assert.rejects(w.deps.uploader.request(post(server.url, "abcde", bytes), quiet()), {
      kind: "invalid",
    });
  }
  assert.deepEqual(server.requests, []);
});

Deno.test("a longer answer is a stream that is read on demand", async () => {
  const total = 48 * 2 ** 20;
  let sent = 0;
  await using server = serve(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          if (sent >= total) return controller.close();
          sent += 2 ** 18;
          controller.enqueue(new Uint8Array(2 ** 18));
        },
      }, { highWaterMark: 0 }),
    )
  );
  await using w = world();
  const reply = await w.deps.uploader.request(post(server.url, "ask"), quiet());
  const reader = reply.body!.getReader();
  assert.equal((await reader.read()).done, false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // Socket buffers hold some megabytes; what is not asked for stays at the server.
  assert.ok(sent < total, `${sent} bytes were sent to a reader that reads nothing`);
  let got = 0;
  reader.releaseLock();
  for await (const chunk of reply.body!) got += chunk.byteLength;
  assert.ok(got > 0 && got < total);
  sent = 0;
  const unread = await w.deps.uploader.request(post(server.url, "ask"), quiet());
  await unread.body!.cancel();
  const long = "y".repeat(70_000);
  for (const body of [() => long, () => ReadableStream.from([encoder.encode(long)])]) {
    await using other = serve(() => new Response(body()));
    const known = await w.deps.uploader.request(post(other.url, "ask"), quiet());
    assert.equal(await known.text(), long);
  }
});

Deno.test("an answer that breaks off is thrown where it is short, and else breaks its body", async () => {
  const answers = [
    "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\ncontent-",
    "",
  ];
  const long = `HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n${"x".repeat(70_000)}`;
  await using other = serveBytes(async (connection) => void await write(connection, long));
  await using patient = world();
  const begun = await patient.deps.uploader.request(post(other.url, "abc"), quiet());
  await assert.rejects(textOf(begun.body!), TransportError);
  for (const answer of answers) {
    await using server = serveBytes(async (connection) => void await write(connection, answer));
    await using w = world();
    const whole = w.deps.uploader.request(post(server.url, "abc"), quiet());
    await assert.rejects(whole, (error) => error instanceof TransportError && !error.unsent);
  }
});

Deno.test("an upstream that keeps still is given up, before and in its answer", async () => {
  const beginnings = [
    "",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n",
  ];
  for (const beginning of beginnings) {
    const hold = Promise.withResolvers<void>();
    await using server = serveBytes(async (connection) => {
      if (beginning !== "") await write(connection, beginning);
      await hold.promise;
    });
    await using w = world({ replyMilliseconds: 60, idleMilliseconds: 60 });
    const whole = async () =>
      textOf((await w.deps.uploader.request(post(server.url, "abc"), quiet())).body!);
    await assert.rejects(whole(), (error) => error instanceof TransportError && error.timedOut);
    hold.resolve();
  }
});

Deno.test("interim answers without end are not waited for", async () => {
  const over = new AbortController();
  await using server = serveBytes(async (connection) => {
    const interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
    while (!over.signal.aborted) await write(connection, interim).catch(() => over.abort());
  });
  await using w = world();
  await assert.rejects(w.deps.uploader.request(post(server.url, "abc"), quiet()), {
    message: "The upstream does not answer",
  });
});

Deno.test("an abort ends a request with its reason: before it, unanswered, and within its answer", async () => {
  const hold = Promise.withResolvers<void>();
  let asked = Promise.withResolvers<void>();
  let beginning = "";
  await using server = serveBytes(async (connection) => {
    if (beginning !== "") await write(connection, beginning);
    asked.resolve();
    await hold.promise;
  });
  await using w = world();
  const reason = new Error("the client went away");
  await assert.rejects(
    w.deps.uploader.request(post(server.url, "abc"), AbortSignal.abort(reason)),
    (thrown) => thrown === reason,
  );
  assert.deepEqual(server.requests, []);
  for (beginning of ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na"]) {
    asked = Promise.withResolvers();
    const abort = new AbortController();
    const sending = w.deps.uploader.request(post(server.url, "abc"), abort.signal);
    await asked.promise;
    abort.abort(reason);
    await assert.rejects(sending, (thrown) => thrown === reason);
  }
  const much = "a".repeat(70_000);
  beginning = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11170\r\n${much}\r\n`;
  const abort = new AbortController();
  const reply = await w.deps.uploader.request(post(server.url, "abc"), abort.signal);
  abort.abort(reason);
  await assert.rejects(
    textOf(reply.body!),
    (thrown) => thrown instanceof TransportError && thrown.cause === reason,
  );
  hold.resolve();
});

Deno.test("where no server listens nothing counts as sent", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  await using w = world();
  for (const text of ["abc", null]) {
    await assert.rejects(
      w.deps.uploader.request(post(url, text), quiet()),
      (thrown) => thrown instanceof TransportError && thrown.unsent,
    );
  }
});
