import assert from "node:assert/strict";
import { groupReads } from "../../catalog/grouped_reads.ts";
import { kvOver } from "../../catalog/kv.ts";

/** A KV in memory that reads in groups, and how many keys each read of the KV below it had. */
async function openGrouped() {
  const below = await Deno.openKv(":memory:");
  const reads: number[] = [];
  const counting = kvOver(below, {
    get(key, options) {
      reads.push(1);
      return below.get(key, options);
    },
    getMany(keys, options) {
      reads.push(keys.length);
      return below.getMany(keys, options);
    },
  });
  return { kv: groupReads(counting), below, reads, [Symbol.dispose]: () => below.close() };
}

Deno.test("keys that are asked for at once, or while a read is under way, are read together", async () => {
  using opened = await openGrouped();
  const { kv, below, reads } = opened;
  for (let n = 0; n < 25; n++) await below.set(["n", n], n);
  const found = await Promise.all(Array.from({ length: 25 }, (_, n) => kv.get<number>(["n", n])));
  assert.deepEqual(found.map(({ key, value }) => [key[1], value]), found.map((_, n) => [n, n]));
  assert.deepEqual(reads, [10, 10, 5]);
  assert.equal((await kv.get(["n", 3])).value, 3);
  const late = kv.get(["n", 1]);
  await Promise.resolve();
  await Promise.all([late, kv.get(["n", 2]), kv.get(["nothing"])]);
  assert.deepEqual(reads.slice(3), [1, 1, 2]);
});

Deno.test("a read shows what was written before it was asked for, however long it waited", async () => {
  using opened = await openGrouped();
  const { kv } = opened;
  const early = Array.from({ length: 30 }, () => kv.get<number>(["counter"]));
  for (let n = 1; n <= 20; n++) {
    await kv.set(["counter"], n);
    const reads = await Promise.all([kv.get<number>(["counter"]), kv.get(["other"])]);
    assert.equal(reads[0].value, n);
  }
  await Promise.all(early);
});

Deno.test("a key that cannot be read fails by itself, and not those that are read with it", async () => {
  using opened = await openGrouped();
  const { kv } = opened;
  await kv.set(["fine"], "fine");
  const [before, failed, after] = await Promise.allSettled([
    kv.get(["fine"]),
    kv.get(["x".repeat(5_000)]),
    kv.get(["fine"]),
  ]);
  assert.equal(before.status === "fulfilled" && before.value.value, "fine");
  assert.equal(failed.status, "rejected");
  assert.equal(after.status === "fulfilled" && after.value.value, "fine");
  assert.equal((await kv.get(["fine"])).value, "fine");
});
