import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { TransportError } from "../../providers/failures.ts";
import { createUploader, type UploadRequest } from "../../providers/upload.ts";
import { chunks, quiet, serve, serveBytes, textOf, world } from "./harness.ts";

function put(url: string, body: ReadableStream<Uint8Array>, bytes: number): UploadRequest {
  return { method: "PUT", origin: url, path: "/up?x=1", headers: new Headers(), body, bytes };
}

/** A stream that never ends by itself, and a promise of why it was cancelled. */
function endless(first = "x".repeat(65_536)) {
  const cancelled = Promise.withResolvers<unknown>();
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++;
      controller.enqueue(new TextEncoder().encode(first));
    },
    cancel: (reason) => cancelled.resolve(reason),
  }, { highWaterMark: 0 });
  return { body, cancelled: cancelled.promise, pulls: () => pulls };
}

Deno.test("an upload arrives whole, with its exact length and no chunked framing", async () => {
  await using server = serve(async (request) =>
    Response.json({
      length: request.headers.get("content-length"),
      encoding: request.headers.get("transfer-encoding"),
      body: await request.text(),
    })
  );
  await using w = world();
  const reply = await w.deps.uploader.request(
    put(server.url, chunks(["ab", "", "cde"]), 5),
    quiet(),
  );
  assert.deepEqual(await reply.json(), { length: "5", encoding: null, body: "abcde" });
  assert.deepEqual(server.requests, ["PUT /up?x=1"]);
});

Deno.test("an empty body is sent with length 0", async () => {
  await using server = serve(async (request) =>
    new Response(`${request.headers.get("content-length")}:${await request.text()}`)
  );
  await using w = world();
  const reply = await w.deps.uploader.request(put(server.url, chunks([]), 0), quiet());
  assert.equal(await reply.text(), "0:");
});

Deno.test("a path arrives byte for byte", async () => {
  const path = "/b/../%2e%2E/./a//'%zz%20\"<>{}|^`?q='&a=%27";
  const heard = Promise.withResolvers<string>();
  await using server = serveBytes(async (connection, head) => {
    heard.resolve(head.split(" ")[1] ?? "");
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n"),
    );
  });
  await using w = world();
  const reply = await w.deps.uploader.request({
    method: "GET",
    origin: server.url,
    path,
    headers: new Headers(),
    body: null,
    bytes: 0,
  }, quiet());
  assert.equal(reply.status, 204);
  assert.equal(reply.headers.get("x-a"), "1");
  assert.equal(await heard.promise, path);
});

Deno.test("a body that breaks breaks the upload off, and its own error is thrown", async () => {
  const seen = Promise.withResolvers<string>();
  await using server = serve(async (request) => {
    try {
      seen.resolve(`whole: ${await request.text()}`);
    } catch {
      seen.resolve("broken off");
    }
    return new Response();
  });
  await using w = world();
  const error = new Failure("invalid", "The digest is wrong.", { s3: "BadDigest" });
  await assert.rejects(
    w.deps.uploader.request(put(server.url, chunks(["abc"], error), 9), quiet()),
    (thrown) => thrown === error,
  );
  assert.equal(await seen.promise, "broken off");
});

Deno.test("an empty body that breaks is never sent", async () => {
  await using server = serve(() => new Response());
  await using w = world();
  const error = new Error("digest");
  await assert.rejects(
    w.deps.uploader.request(put(server.url, chunks([], error), 0), quiet()),
    (thrown) => thrown === error,
  );
  assert.deepEqual(server.requests, []);
});

for (const [what, texts] of [["shorter", ["abc"]], ["longer", ["abcdef", "ghi"]]] as const) {
  Deno.test(`a body ${what} than declared is invalid and never ends as a whole upload`, async () => {
    const seen = Promise.withResolvers<string>();
    await using server = serve(async (request) => {
      await request.text().then((text) => seen.resolve(text), () => seen.resolve("broken off"));
      return new Response();
    });
    await using w = world();
    await assert.rejects(
      w.deps.uploader.request(put(server.url, chunks(texts), 7), quiet()),
      (thrown) => thrown instanceof Failure && thrown.details.s3 === "IncompleteBody",
    );
    assert.equal(await seen.promise, "broken off");
  });
}

Deno.test("a refusal while bytes are still sent ends the upload and cancels the body", async () => {
  await using server = serve(async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    reader.cancel().catch(() => {});
    return Response.json({ error: "too large" }, { status: 413 });
  });
  await using w = world();
  const source = endless();
  const reply = await w.deps.uploader.request(put(server.url, source.body, 2 ** 34), quiet());
  assert.equal(reply.status, 413);
  assert.deepEqual(await reply.json(), { error: "too large" });
  await source.cancelled;
});

Deno.test("success before the whole body was sent is not believed", async () => {
  await using server = serveBytes(async (connection) => {
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
    );
    await new Response(connection.readable).bytes().catch(() => {});
  });
  await using w = world();
  const source = endless();
  await assert.rejects(
    w.deps.uploader.request(put(server.url, source.body, 2 ** 34), quiet()),
    TransportError,
  );
  await source.cancelled;
});

Deno.test("an abort breaks the upload off with the signal's reason", async () => {
  const seen = Promise.withResolvers<string>();
  const started = Promise.withResolvers<void>();
  await using server = serve(async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    started.resolve();
    try {
      while (!(await reader.read()).done);
      seen.resolve("whole");
    } catch {
      seen.resolve("broken off");
    }
    return new Response();
  });
  await using w = world();
  const source = endless();
  const abort = new AbortController();
  const sending = w.deps.uploader.request(put(server.url, source.body, 2 ** 34), abort.signal);
  await started.promise;
  const reason = new Error("the client went away");
  abort.abort(reason);
  await assert.rejects(sending, (thrown) => thrown === reason);
  assert.equal(await seen.promise, "broken off");
  await source.cancelled;
});

Deno.test("an abort while the body stands still lets go of both sides", async () => {
  await using server = serve(async (request) => {
    await request.text().catch(() => {});
    return new Response();
  });
  await using w = world();
  const cancelled = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    pull: () => asked.resolve(),
    cancel: () => cancelled.resolve(),
  }, { highWaterMark: 0 });
  const abort = new AbortController();
  const sending = w.deps.uploader.request(put(server.url, body, 10), abort.signal);
  await asked.promise;
  abort.abort();
  await assert.rejects(sending, { name: "AbortError" });
  await cancelled.promise;
});

Deno.test("an upstream that stands still is given up, and the body is not read ahead", async () => {
  const hold = Promise.withResolvers<void>();
  await using _server = serveBytes(() => hold.promise);
  const uploader = createUploader({
    callMilliseconds: 10_000,
    replyMilliseconds: 10_000,
    idleMilliseconds: 200,
  });
  const source = endless();
  await assert.rejects(
    uploader.request(put(_server.url, source.body, 2 ** 34), quiet()),
    (thrown) => thrown instanceof TransportError && thrown.timedOut && !thrown.unsent,
  );
  await source.cancelled;
  // Socket buffers hold some megabytes; a body that is read ahead would have given gigabytes.
  assert.ok(source.pulls() < 1024, `${source.pulls()} chunks of 64 KiB`);
  hold.resolve();
  await uploader.close();
});

Deno.test("an upstream that never replies to a whole upload is given up", async () => {
  const hold = Promise.withResolvers<void>();
  await using server = serveBytes(() => hold.promise);
  const uploader = createUploader({
    callMilliseconds: 10_000,
    replyMilliseconds: 100,
    idleMilliseconds: 10_000,
  });
  for (const [texts, bytes] of [[["abc"], 3], [[], 0]] as const) {
    await assert.rejects(
      uploader.request(put(server.url, chunks(texts), bytes), quiet()),
      (thrown) => thrown instanceof TransportError && thrown.timedOut,
    );
  }
  hold.resolve();
  await uploader.close();
});

Deno.test("a port without a listener counts as nothing sent", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  await using w = world();
  await assert.rejects(
    w.deps.uploader.request(put(url, chunks(["abc"]), 3), quiet()),
    (thrown) => thrown instanceof TransportError && thrown.unsent,
  );
});

Deno.test("a reply that breaks off is an error of its body", async () => {
  await using server = serveBytes(async (connection) => {
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"),
    );
  });
  await using w = world();
  const reply = await w.deps.uploader.request(put(server.url, chunks(["abc"]), 3), quiet());
  await assert.rejects(textOf(reply.body!), TransportError);
});

Deno.test("a large body arrives whole, and a reply that is not read is let go", async () => {
  const total = 64 * 1024 * 1024;
  await using server = serve(async (request) => {
    let bytes = 0;
    for await (const chunk of request.body!) bytes += chunk.byteLength;
    return new Response(String(bytes));
  });
  await using w = world();
  const pieces = Array<string>(64).fill("y".repeat(1 << 20));
  const reply = await w.deps.uploader.request(put(server.url, chunks(pieces), total), quiet());
  assert.equal(await reply.text(), String(total));
  const unread = await w.deps.uploader.request(put(server.url, chunks(["abc"]), 3), quiet());
  await unread.body?.cancel();
});

Deno.test("a reply whose body stands still is given up", async () => {
  const hold = Promise.withResolvers<void>();
  await using server = serveBytes(async (connection) => {
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na"),
    );
    await hold.promise;
  });
  await using w = world({ idleMilliseconds: 100 });
  const reply = await w.deps.uploader.request(put(server.url, chunks(["abc"]), 3), quiet());
  await assert.rejects(
    textOf(reply.body!),
    (thrown) => thrown instanceof TransportError && thrown.timedOut,
  );
  hold.resolve();
});

Deno.test("a reply that trickles is given up, also where it is read as JSON", async () => {
  const over = Promise.withResolvers<void>();
  const trickle = async (connection: Deno.Conn) => {
    const write = (text: string) => connection.write(new TextEncoder().encode(text));
    await write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    let isOver = false;
    over.promise.then(() => (isOver = true));
    while (!isOver) {
      await write("1\r\n \r\n");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await using server = serveBytes(async (connection) => await trickle(connection).catch(() => {}));
  await using rate = world({ idleMilliseconds: 60 });
  const slow = await rate.deps.uploader.request(put(server.url, chunks(["abc"]), 3), quiet());
  await assert.rejects(textOf(slow.body!), { message: "The upstream is too slow" });
  await using whole = world({ replyMilliseconds: 100 });
  const request = { ...put(server.url, chunks(["abc"]), 3), wholeReply: true };
  const reply = async () => {
    const response = await whole.deps.uploader.request(request, quiet());
    await textOf(response.body!);
  };
  await assert.rejects(reply(), (error) => error instanceof TransportError && error.timedOut);
  over.resolve();
});

Deno.test("an upstream that takes a little now and then is given up", async () => {
  const over = new AbortController();
  await using server = serveBytes(async (connection) => {
    const bytes = new Uint8Array(10);
    while (!over.signal.aborted && await connection.read(bytes).catch(() => null) !== null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  const uploader = createUploader({
    callMilliseconds: 10_000,
    replyMilliseconds: 10_000,
    idleMilliseconds: 200,
  });
  const source = endless("x".repeat(1024));
  await assert.rejects(
    uploader.request(put(server.url, source.body, 2 ** 34), quiet()),
    (thrown) => thrown instanceof TransportError && thrown.timedOut && !thrown.unsent,
  );
  await source.cancelled;
  over.abort();
  await uploader.close();
});
