import assert from "node:assert/strict";
import { withIdleLimit } from "../../codecs/idle_limit.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("a body that moves passes byte for byte", async () => {
  const body = ReadableStream.from(["a", "", "bc"].map(encode));
  assert.equal(await new Response(withIdleLimit(body, 60_000)).text(), "abc");
});

Deno.test("a body that stands still breaks with RequestTimeout, and its source is cancelled", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encode("a")),
    cancel: (reason) => cancelled.resolve(reason),
  });
  const reader = withIdleLimit(body, 20).getReader();
  assert.deepEqual((await reader.read()).value, encode("a"));
  await assert.rejects(reader.read(), {
    kind: "invalid",
    message: "No byte of the body came for 0.02 seconds. Send it again without a pause",
    details: { s3: "RequestTimeout" },
  });
  assert.match(String(await cancelled.promise), /No byte of the body/);
});

Deno.test("a reader that takes its time does not count as the sender's pause", async () => {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (++pulls > 3) controller.close();
      else controller.enqueue(encode(`${pulls}`));
    },
  }, { highWaterMark: 0 });
  const reader = withIdleLimit(body, 20).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  assert.equal(text, "123");
});

Deno.test("nothing is asked of the source before the reader asks", async () => {
  let pulls = 0;
  const body = new ReadableStream<Uint8Array>({ pull: () => void pulls++ }, { highWaterMark: 0 });
  const limited = withIdleLimit(body, 60_000);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(pulls, 0);
  await limited.cancel();
});

Deno.test("a source's own error and a reader's cancellation pass through", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("the line broke")),
  });
  await assert.rejects(new Response(withIdleLimit(broken, 60_000)).text(), /the line broke/);
  let reason: unknown;
  const open = new ReadableStream<Uint8Array>({ cancel: (why) => void (reason = why) });
  await withIdleLimit(open, 60_000).cancel("enough");
  assert.equal(reason, "enough");
});

Deno.test("0 is no limit, and bytes are counted all the same", async () => {
  let bytes = 0;
  const body = ReadableStream.from(["a", "bc"].map(encode));
  assert.equal(await new Response(withIdleLimit(body, 0, (n) => (bytes += n))).text(), "abc");
  assert.equal(bytes, 3);
});

Deno.test("a body that trickles breaks with RequestTimeout, however steadily it comes", async () => {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      controller.enqueue(encode("a"));
    },
  }, { highWaterMark: 0 });
  await assert.rejects(new Response(withIdleLimit(body, 100)).text(), {
    message: "The body came at fewer than 1024 bytes a second. Send it again, and faster",
    details: { s3: "RequestTimeout" },
  });
});
