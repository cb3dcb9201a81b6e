import assert from "node:assert/strict";
import { cutBody } from "../../runtime/cut_body.ts";

/** A body of these chunks, and what became of it. */
function bodyOf(chunks: readonly string[], end: "close" | "break" = "close") {
  const left = [...chunks];
  const seen = { pulled: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      seen.pulled++;
      const chunk = left.shift();
      if (chunk !== undefined) controller.enqueue(new TextEncoder().encode(chunk));
      else if (end === "close") controller.close();
      else throw new Error("broken");
    },
    cancel() {
      seen.cancelled = true;
    },
  }, { highWaterMark: 0 });
  return { body, seen };
}

const textOf = (stream: ReadableStream<Uint8Array>): Promise<string> =>
  new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();

Deno.test("any range of a body is cut out of any chunks", async () => {
  const whole = "abcdefghij";
  for (const cuts of [["abcdefghij"], [..."abcdefghij"], ["abc", "", "defg", "hij"]]) {
    for (let first = 0; first < 12; first++) {
      assert.equal(await textOf(cutBody(bodyOf(cuts).body, { first })), whole.slice(first));
      for (let last = first; last < 12; last++) {
        const part = cutBody(bodyOf(cuts).body, { first, last });
        assert.equal(await textOf(part), whole.slice(first, last + 1));
      }
    }
  }
});

Deno.test("what follows the range is cancelled, not read", async () => {
  const { body, seen } = bodyOf(["abc", "def", "ghi"]);
  assert.equal(await textOf(cutBody(body, { first: 1, last: 3 })), "bcd");
  assert.deepEqual(seen, { pulled: 2, cancelled: true });
});

Deno.test("nothing is read before it is asked for, and a reader that goes away cancels the body", async () => {
  const { body, seen } = bodyOf(["abc"]);
  const part = cutBody(body, { first: 1 });
  assert.equal(seen.pulled, 0);
  await part.cancel();
  assert.equal(seen.cancelled, true);
});

Deno.test("a body that breaks within the range breaks the range", async () => {
  const { body } = bodyOf(["abc"], "break");
  await assert.rejects(textOf(cutBody(body, { first: 0, last: 5 })), /broken/);
});
