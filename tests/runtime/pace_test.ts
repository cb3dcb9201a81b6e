import assert from "node:assert/strict";
import { type Pace, pacedBody, paceOf, type Slowness, watchPace } from "../../runtime/pace.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const long: Pace = paceOf(60_000);
const bound = (pace: Pace) => ({ pace, failure: (why: Slowness) => new Error(`too ${why}`) });

/** A body that gives these texts, each after a pause, and never ends. */
function source(texts: readonly string[], milliseconds = 0) {
  const cancelled = Promise.withResolvers<unknown>();
  const rest = texts.values();
  let timer: ReturnType<typeof setTimeout>;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
      const { done, value } = rest.next();
      if (done) return await new Promise(() => {});
      controller.enqueue(encode(value));
    },
    cancel(reason) {
      clearTimeout(timer);
      cancelled.resolve(reason);
    },
  }, { highWaterMark: 0 });
  return { body, cancelled: cancelled.promise };
}

async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** A watch on a clock that a test turns, with what it came to. */
function watched(pace: Pace) {
  let time = 0;
  const found: Slowness[] = [];
  const watch = watchPace(pace, (why) => found.push(why), () => time);
  return {
    found,
    close: () => watch.close(),
    /** So many bytes move after so much time of waiting. */
    after(milliseconds: number, bytes: number) {
      watch.wait();
      time += milliseconds;
      watch.moved(bytes);
    },
    /** Nobody waits for so long. */
    rest: (milliseconds: number) => void (time += milliseconds),
  };
}

Deno.test("a body that moves passes byte for byte, and its bytes are counted", async () => {
  let bytes = 0;
  const body = ReadableStream.from(["a", "", "bc"].map(encode));
  const paced = pacedBody(body, {
    sender: bound(long),
    reader: bound(long),
    count: (n) => (bytes += n),
  });
  assert.equal(await textOf(paced), "abc");
  assert.equal(bytes, 3);
});

Deno.test("a sender that stands still breaks the body, and its source is cancelled", async () => {
  const { body, cancelled } = source(["a"]);
  const reader = pacedBody(body, { sender: bound(paceOf(20)) }).getReader();
  assert.deepEqual((await reader.read()).value, encode("a"));
  await assert.rejects(reader.read(), { message: "too still" });
  assert.match(String(await cancelled), /too still/);
});

Deno.test("a reader that takes its time does not count as the sender's pause", async () => {
  const { body } = source(["1", "2"]);
  // Longer than a busy machine keeps a timer waiting.
  const reader = pacedBody(body, { sender: bound(paceOf(300)) }).getReader();
  for (const digit of ["1", "2"]) {
    assert.deepEqual((await reader.read()).value, encode(digit));
    await pause(350);
  }
  await reader.cancel();
});

Deno.test("a reader that stands still breaks the body, and its source is cancelled", async () => {
  const { body, cancelled } = source(["1", "2"]);
  const reader = pacedBody(body, { reader: bound(paceOf(20)) }).getReader();
  await reader.read();
  assert.match(String(await cancelled), /too still/);
  await assert.rejects(reader.read(), { message: "too still" });
});

Deno.test("a sender that takes its time does not count as the reader's pause", async () => {
  const { body } = source(["1", "2"], 350);
  const reader = pacedBody(body, { reader: bound(paceOf(300)) }).getReader();
  for (const digit of ["1", "2"]) {
    assert.deepEqual((await reader.read()).value, encode(digit));
  }
  await reader.cancel();
});

Deno.test("nothing is asked of the source before the reader asks", async () => {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({ pull: () => void pulls++ }, { highWaterMark: 0 });
  const paced = pacedBody(body, { sender: bound(long), reader: bound(long) });
  await pause(0);
  assert.equal(pulls, 0);
  await paced.cancel();
});

Deno.test("a source's own error is worded, and a reader's cancellation passes through", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("the line broke")),
  });
  const words = (error: unknown) => new Error(`worded: ${error}`);
  const worded = pacedBody(broken, { sender: bound(long), broken: words });
  await assert.rejects(textOf(worded), /worded: Error: the line broke/);
  const { body, cancelled } = source([]);
  await pacedBody(body, { sender: bound(long) }).cancel("enough");
  assert.equal(await cancelled, "enough");
});

Deno.test("a trickle is too slow, however steadily it comes, and on either side", async () => {
  const texts = Array<string>(100).fill("a");
  const sent = pacedBody(source(texts, 8).body, { sender: bound(paceOf(50)) });
  await assert.rejects(textOf(sent), { message: "too slow" });
  const reader = pacedBody(source(texts).body, { reader: bound(paceOf(50)) }).getReader();
  await assert.rejects(async () => {
    for (;;) {
      await reader.read();
      await pause(8);
    }
  }, { message: "too slow" });
});

Deno.test("the rate is that of each window of waiting, whatever came before", () => {
  const pace: Pace = { idleMilliseconds: 10_000, wholeMilliseconds: 1e6, leastBytesPerSecond: 100 };
  const slow = watched(pace);
  slow.after(1, 1e9);
  for (let n = 0; n < 10; n++) slow.after(1_000, 99);
  assert.deepEqual(slow.found, [], "the first window had much");
  for (let n = 0; n < 10; n++) slow.after(1_000, 99);
  assert.deepEqual(slow.found, ["slow"]);
  const enough = watched(pace);
  for (let n = 0; n < 50; n++) {
    enough.after(1_000, 100);
    enough.rest(100_000);
  }
  assert.deepEqual(enough.found, []);
  enough.close();
});

Deno.test("the whole has its own end, however fast the bytes come", async () => {
  const texts = Array<string>(1_000).fill("x".repeat(1_000));
  const pace: Pace = { idleMilliseconds: 10_000, wholeMilliseconds: 60, leastBytesPerSecond: 1 };
  const { body, cancelled } = source(texts, 5);
  await assert.rejects(textOf(pacedBody(body, { sender: bound(pace) })), { message: "too long" });
  assert.match(String(await cancelled), /too long/);
});

Deno.test("a short body is whole when it ends, however slowly it came", async () => {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await pause(250);
      controller.enqueue(encode("a"));
      await pause(250);
      controller.close();
    },
  }, { highWaterMark: 0 });
  assert.equal(await textOf(pacedBody(body, { sender: bound(paceOf(450)) })), "a");
});
