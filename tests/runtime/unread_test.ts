import assert from "node:assert/strict";
import { cancelUnread } from "../../runtime/unread.ts";

Deno.test("a body that is not read is cancelled, with the reason", async () => {
  const reasons: unknown[] = [];
  const body = new ReadableStream({ cancel: (reason) => void reasons.push(reason) });
  await cancelUnread(body, "is not needed");
  assert.deepEqual(reasons, ["is not needed"]);
});

Deno.test("a body that is being read stays its reader's", async () => {
  const body = new Response("text").body;
  assert.ok(body);
  const reader = body.getReader();
  await cancelUnread(body);
  const { value } = await reader.read();
  assert.equal(value?.byteLength, 4);
  await reader.cancel();
});

Deno.test("a body that broke, or is absent, is not an error", async () => {
  await cancelUnread(null);
  await cancelUnread(undefined);
  const broken = new ReadableStream({
    start: (controller) => controller.error(new Error("broke")),
  });
  await cancelUnread(broken);
});
