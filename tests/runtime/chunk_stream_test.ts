import assert from "node:assert/strict";
import { chunkStream } from "../../runtime/chunk_stream.ts";

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) {
    if (text === "fail") throw new Error("It broke");
    yield new TextEncoder().encode(text);
  }
}

Deno.test("what chunks come from is let go of once, however the stream ends", async () => {
  const ends: Record<string, (stream: ReadableStream<Uint8Array>) => Promise<unknown>> = {
    "read to its end": (stream) => Array.fromAsync(stream),
    "cancelled before anything was read": (stream) => stream.cancel(),
    "cancelled in the middle": async (stream) => {
      for await (const _ of stream) break;
    },
  };
  for (const [how, end] of Object.entries(ends)) {
    let released = 0;
    await end(chunkStream(chunks("a", "b"), () => void released++));
    assert.equal(released, 1, how);
  }
  let released = 0;
  const broken = chunkStream(chunks("a", "fail"), () => void released++);
  await assert.rejects(Array.fromAsync(broken), /It broke/);
  assert.equal(released, 1);
});

Deno.test("no chunk is made before one is read", async () => {
  let made = 0;
  const stream = chunkStream(
    (async function* () {
      for (;;) {
        made++;
        yield new Uint8Array(1);
      }
    })(),
    () => {},
  );
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(made, 0);
  const reader = stream.getReader();
  await reader.read();
  assert.equal(made, 1);
  await reader.cancel();
});
