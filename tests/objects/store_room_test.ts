import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { blobName, fileId } from "../../codecs/ids.ts";
import { createStoreRoom } from "../../objects/store_room.ts";
import { objectRecord, openCatalog, scope } from "../catalog/memory.ts";

const signal = AbortSignal.timeout(30_000);
const isFull = (error: unknown) =>
  error instanceof Failure && error.details.s3 === "SlowDown" &&
  /limits\.storeBytes/.test(error.message);

function kept(name: string, bytes: number) {
  const file = fileId(name);
  const held = { in: "store", of: "objects", blob: blobName(name) } as const;
  return { ...objectRecord(name), file, held, bytes };
}

Deno.test("one tenant cannot take the whole store, and what it deletes comes back with a count", async () => {
  using open = await openCatalog();
  const { copies, objects } = open.catalog;
  let now = 0;
  const room = createStoreRoom({ most: 800, copies, uptime: () => now });
  for (let n = 0; n < 6; n++) {
    room.take("greedy", 100)?.keep();
    await objects.set({ ...scope, tenant: "greedy" }, "bucket", `k${n}`, kept(`b${n}`, 100));
  }
  await objects.set({ ...scope, tenant: "greedy" }, "bucket", "in", objectRecord("file-in"));
  assert.throws(() => room.take("greedy", 1), isFull);
  const others = room.take("modest", 100);
  assert.ok(others);
  assert.throws(() => room.take("modest", 1), isFull);
  room.take("third", 100);
  assert.throws(() => room.take("fourth", 1), isFull);
  others.leave();
  room.take("fourth", 100);
  now = 1;
  await room.measure(signal);
  assert.throws(() => room.take("greedy", 1), isFull);
  const first = kept("b0", 100);
  await objects.remove({ ...scope, tenant: "greedy" }, "bucket", "k0", first, "gone");
  await room.measure(signal);
  assert.throws(() => room.take("greedy", 1), isFull, "it was counted a moment ago");
  now = 700_000;
  await room.measure(signal);
  assert.throws(() => room.take("greedy", 1), isFull, "others have what is shared");
  assert.deepEqual([...await copies.keptBytes(signal)], [["greedy", 500]]);
});

Deno.test("without a bound nothing is counted", async () => {
  using open = await openCatalog();
  const room = createStoreRoom({ most: undefined, copies: open.catalog.copies, uptime: () => 0 });
  assert.equal(room.take("a", 1e15), undefined);
  await room.measure(signal);
});
