import assert from "node:assert/strict";
import { inTime } from "../../runtime/in_time.ts";

Deno.test("work that ends in time comes back as it ended, and leaves no timer", async () => {
  assert.equal(await inTime(Promise.resolve("done"), 60_000), "done");
  await assert.rejects(inTime(Promise.reject(new Error("broke")), 60_000), /broke/);
});

Deno.test("work that takes longer goes on behind", async () => {
  const work = Promise.withResolvers<string>();
  assert.equal(await inTime(work.promise, 1), undefined);
  work.resolve("late");
  assert.equal(await inTime(work.promise, 60_000), "late");
});
