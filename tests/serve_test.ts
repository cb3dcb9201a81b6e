import assert from "node:assert/strict";
import { serve } from "../serve.ts";
import { connect, exchange } from "./raw.ts";

const options = { hostname: "127.0.0.1", port: 0, escaped: () => {} };
const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Deno.test("an error that escapes from the app is told of, and its words are not shown", async () => {
  const escaped: unknown[] = [];
  const listener = serve(() => Promise.reject(new Error("a secret")), {
    ...options,
    escaped: (error) => escaped.push(error),
  });
  const answer = await exchange(listener.url, get);
  assert.equal(answer?.status, 500);
  assert.equal(answer.body, "The gateway met an internal error.\n");
  assert.deepEqual(escaped.map(String), ["Error: a secret"]);
  await listener.drain(1_000);
});

Deno.test("an answer that streams is waited for", async () => {
  const rest = Promise.withResolvers<void>();
  const listener = serve(() => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode("one "));
        await rest.promise;
        controller.enqueue(new TextEncoder().encode("two"));
        controller.close();
      },
    });
    return Promise.resolve(new Response(body));
  }, options);
  const response = await fetch(listener.url);
  assert.equal(listener.isDraining(), false);
  let drained = false;
  const draining = listener.drain(60_000).then(() => (drained = true));
  assert.equal(listener.isDraining(), true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(drained, false);
  rest.resolve();
  assert.equal(await response.text(), "one two");
  await draining;
});

Deno.test("what does not end is cut off when its time is over", async () => {
  let aborted = false;
  const listener = serve((_, { signal }) => {
    signal.addEventListener("abort", () => (aborted = true));
    return new Promise(() => {});
  }, options);
  const connection = await connect(listener.url);
  await connection.write(get);
  const answered = connection.read();
  // The request is under way once the listener has taken it; nothing tells of it but time.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await listener.drain(20);
  assert.equal(await answered, undefined);
  assert.equal(aborted, true);
  connection.close();
});

Deno.test("a download that nobody reads is cut off when its time is over", async () => {
  const cancelled = Promise.withResolvers<void>();
  const listener = serve(() => {
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: () => cancelled.resolve(),
    });
    return Promise.resolve(new Response(body));
  }, options);
  const connection = await connect(listener.url);
  await connection.write(get);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await listener.drain(20);
  await cancelled.promise;
  connection.close();
});

Deno.test("a listener that nobody uses closes at once, and a second drain is harmless", async () => {
  const listener = serve(() => Promise.resolve(new Response("a")), options);
  await Promise.all([listener.drain(60_000), listener.drain(60_000)]);
  await assert.rejects(connect(listener.url), Deno.errors.ConnectionRefused);
});

Deno.test("a taken port is told of in a sentence", async () => {
  const listener = serve(() => Promise.resolve(new Response("a")), options);
  const port = Number(listener.url.split(":").at(-1));
  assert.throws(
    () => serve(() => Promise.resolve(new Response()), { ...options, port }),
    new RegExp(`^Error: Cannot listen on 127.0.0.1:${port}: another program listens there; end it`),
  );
  await listener.drain(0);
});
