import assert from "node:assert/strict";
import { IdSet } from "../../runtime/id_set.ts";

Deno.test("a set knows each of many ids once, through all its growing", () => {
  const set = new IdSet();
  for (let n = 0; n < 5_000; n++) assert.equal(set.add(`record-${n}`), true);
  for (let n = 0; n < 5_000; n++) assert.equal(set.add(`record-${n}`), false);
  assert.equal(set.size, 5_000);
  assert.equal(set.has("record-4999"), true);
  assert.equal(set.has("record-5000"), false);
});

Deno.test("a full set takes no more ids and calls them new", () => {
  const set = new IdSet(2);
  assert.deepEqual(["a", "b", "c", "c", "a"].map((id) => set.add(id)), [
    true,
    true,
    true,
    true,
    false,
  ]);
  assert.equal(set.isFull, true);
  assert.equal(set.has("c"), false);
});
