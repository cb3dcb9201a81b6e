import assert from "node:assert/strict";
import { readAtMost, readWhole, watchedBody } from "../../providers/body.ts";
import type { TransportError } from "../../providers/failures.ts";
import { chunks, quiet, textOf } from "./harness.ts";

const watched = (body: ReadableStream<Uint8Array>, idleMilliseconds = 10_000) =>
  watchedBody(body, {
    idleMilliseconds,
    signal: quiet(),
    failure: (error: TransportError) => new Error(`worded: ${error.message}`),
  });

/** A body that says when it was cancelled. */
function cancellable(texts: readonly string[]) {
  const cancelled = Promise.withResolvers<void>();
  const inner = chunks(texts).getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = await inner.read();
      if (value !== undefined) controller.enqueue(value);
    },
    cancel: () => cancelled.resolve(),
  }, { highWaterMark: 0 });
  return { body, cancelled: cancelled.promise };
}

Deno.test("a reader that goes away cancels the upstream", async () => {
  const { body, cancelled } = cancellable(["abc"]);
  await watched(body).cancel();
  await cancelled;
});

Deno.test("a body that breaks off or stands still fails in words, after what came before", async () => {
  const broken = watched(chunks(["abc"], new Error("reset"))).getReader();
  assert.equal(new TextDecoder().decode((await broken.read()).value), "abc");
  await assert.rejects(broken.read(), { message: "worded: The body broke off" });

  const still = cancellable(["abc"]);
  await assert.rejects(textOf(watched(still.body, 50)), /worded: The upstream stands/);
  await still.cancelled;
});

Deno.test("an aborted reader sees the reason of the abort", async () => {
  const abort = new AbortController();
  const reason = new Error("gone");
  const body = watchedBody(chunks([], new Error("reset")), {
    idleMilliseconds: 10_000,
    signal: abort.signal,
    failure: (error) => error,
  });
  abort.abort(reason);
  await assert.rejects(textOf(body), (thrown) => thrown === reason);
});

Deno.test("a bounded read stops at its limit and cancels the rest", async () => {
  const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
  const long = cancellable(["abc", "def"]);
  assert.equal(text(await readAtMost(long.body, 4)), "abcd");
  await long.cancelled;
  assert.equal(text(await readAtMost(chunks(["abc"], new Error("cut")), 9)), "abc");

  assert.equal(text(await readWhole(chunks(["abc", "d"]), 4)), "abcd");
  const over = cancellable(["abc", "de"]);
  assert.equal(await readWhole(over.body, 4), undefined);
  await over.cancelled;
  await assert.rejects(readWhole(chunks(["abc"], new Error("cut")), 9), /cut/);
});

/** A body that gives a byte every few milliseconds, for ever. */
function trickle(milliseconds: number) {
  const cancelled = Promise.withResolvers<void>();
  let timer: ReturnType<typeof setTimeout>;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
      controller.enqueue(new Uint8Array(1));
    },
    cancel() {
      clearTimeout(timer);
      cancelled.resolve();
    },
  }, { highWaterMark: 0 });
  return { body, cancelled: cancelled.promise };
}

Deno.test("a body that trickles, or takes too long, is given up as one that stands still", async () => {
  const slow = trickle(5);
  await assert.rejects(textOf(watched(slow.body, 40)), /worded: The upstream is too slow/);
  await slow.cancelled;
  const long = trickle(5);
  const bounded = watchedBody(long.body, {
    idleMilliseconds: 10_000,
    wholeMilliseconds: 40,
    signal: quiet(),
    failure: (error) => new Error(`${error.timedOut} ${error.message}`),
  });
  await assert.rejects(textOf(bounded), /true The upstream takes too long/);
  await long.cancelled;
});
