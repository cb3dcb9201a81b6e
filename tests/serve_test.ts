import assert from "node:assert/strict";
import { splitLines } from "../codecs/jsonl.ts";
import { type Listen, serve } from "../serve.ts";
import { connect, exchange } from "./raw.ts";

const options = { hostname: "127.0.0.1", port: 0, escaped: () => {} };
const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

Deno.test("an error that escapes from the app is logged, and its words are not shown", async () => {
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

Deno.test("a download that is not read is cut off when its time is over", async () => {
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

Deno.test("an unused listener closes at once, and a second drain is harmless", async () => {
  const listener = serve(() => Promise.resolve(new Response("a")), options);
  await Promise.all([listener.drain(60_000), listener.drain(60_000)]);
  await assert.rejects(connect(listener.url), Deno.errors.ConnectionRefused);
});

Deno.test("a taken port is reported in a sentence", async () => {
  const listener = serve(() => Promise.resolve(new Response("a")), options);
  const port = Number(listener.url.split(":").at(-1));
  assert.throws(
    () => serve(() => Promise.resolve(new Response()), { ...options, port }),
    new RegExp(`^Error: Cannot listen on 127.0.0.1:${port}: another program listens there; end it`),
  );
  await listener.drain(0);
});

Deno.test({
  name: "a listener that runs out of file descriptors answers what is under way, and listens again",
  ignore: Deno.build.os === "windows",
  async fn() {
    const program = new URL("flooded_server.ts", import.meta.url).pathname;
    const child = new Deno.Command("sh", {
      args: ["-c", `ulimit -n 100; exec "$0" run -A "$1"`, Deno.execPath(), program],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const lines = child.stdout.pipeThrough(splitLines({ maxLineBytes: 1_000 }))
      .pipeThrough(new TextDecoderStream()).getReader();
    // What does not come at all ends the wait for it.
    const patience = setTimeout(() => child.kill(), 20_000);
    const flood: Deno.Conn[] = [];
    try {
      const url = (await lines.read()).value ?? "";
      const slow = await connect(url);
      const control = await connect(url);
      await slow.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
      // Before it is at work, its connection would count as idle.
      assert.equal((await lines.read()).value, "at work");
      const port = Number(new URL(url).port);
      for (let n = 0; n < 100; n++) {
        const one = await Deno.connect({ port, hostname: "127.0.0.1" }).catch(() => undefined);
        if (one === undefined) break;
        flood.push(one);
      }
      assert.match((await lines.read()).value ?? "", /^The listener ended/);
      // The descriptors of the reserve are free now; what was accepted before goes on.
      await control.write("GET /go HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.equal((await control.read())?.body, "answered");
      assert.equal((await slow.read())?.body, "answered");
      assert.equal((await lines.read()).value, "The listener is open again");
      // The idle connections made room.
      assert.equal((await exchange(url, get))?.body, "answered");
      slow.close();
      control.close();
    } finally {
      clearTimeout(patience);
      for (const one of flood) one.close();
      child.kill("SIGKILL");
      await lines.cancel();
      await child.status;
    }
  },
});

/** Servers of which each ends as it is told to; the last of the list goes on. */
function ending(ends: Promise<void>[], refusals = 0) {
  let started = 0;
  const start: Listen = () => {
    if (started > 0 && refusals-- > 0) throw new Error("No descriptor is left");
    const finished = ends[started++] ?? Promise.resolve();
    const addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1234 };
    const shutdown = () => Promise.resolve();
    return { finished, addr, shutdown, ref() {}, unref() {}, [Symbol.asyncDispose]: shutdown };
  };
  return { start, started: () => started };
}

const app = () => Promise.resolve(new Response("a"));

Deno.test("listening again is tried until it goes well, as often as the listener ends", async () => {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const { start, started } = ending([first.promise, second.promise], 2);
  const told = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let again = 0;
  const warn = (message: string) => {
    if (message.endsWith("again")) told[again++]?.resolve();
  };
  const listener = serve(app, { ...options, warn }, start);
  first.reject(new Error("Too many open files"));
  await told[0]?.promise;
  assert.equal(started(), 2);
  second.reject(new Error("Too many open files"));
  await told[1]?.promise;
  assert.equal(started(), 3);
  await listener.drain(0);
});

Deno.test("a listener that cannot listen again is reported as lost", async () => {
  const end = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<Error>();
  const { start } = ending([end.promise], Infinity);
  const given = { ...options, reopenMilliseconds: 0, lost: lost.resolve };
  const listener = serve(app, given, start);
  end.reject(new Error("Too many open files"));
  assert.match((await lost.promise).message, /could not be opened again/);
  await listener.drain(0);
});

Deno.test("a listener that drains is not opened again", async () => {
  const end = Promise.withResolvers<void>();
  const { start, started } = ending([end.promise]);
  const listener = serve(app, options, start);
  end.reject(new Error("Too many open files"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  await listener.drain(0);
  assert.equal(started(), 1);
});
