import assert from "node:assert/strict";
import { all, objectRecord, openCatalog, scope } from "./memory.ts";

Deno.test("a bucket keeps the time of its first creation, and belongs to its tenant", async () => {
  using open = await openCatalog();
  const { buckets } = open.catalog;
  await buckets.create(scope, "b", { createdAt: 1 });
  await buckets.create(scope, "b", { createdAt: 2 });
  assert.deepEqual(await all(buckets.created(scope)), [{ name: "b", createdAt: 1 }]);
  assert.equal(await buckets.has({ ...scope, tenant: "other" }, "b"), false);
  assert.equal(await buckets.has({ ...scope, provider: "other" }, "b"), false);
  await buckets.remove(scope, "b");
  assert.equal(await buckets.has(scope, "b"), false);
});

Deno.test("buckets that hold objects are each named once, however many objects they hold", async () => {
  using open = await openCatalog();
  const { buckets, objects } = open.catalog;
  for (const bucket of ["b", "b-1", "b.1", "b1", "c"]) {
    for (const key of ["1", "2", "3"]) {
      await objects.set(scope, bucket, key, objectRecord(`${bucket}${key}`));
    }
  }
  await objects.set({ ...scope, tenant: "other" }, "d", "1", objectRecord("x"));
  assert.deepEqual(
    (await all(buckets.holding(scope))).map(({ name }) => name),
    ["b", "b-1", "b.1", "b1", "c"],
  );
  assert.equal(await buckets.holds(scope, "b"), true);
  assert.equal(await buckets.holds(scope, "d"), false);
});

Deno.test("the date of a bucket that was never created is kept, and does not make the bucket exist", async () => {
  using open = await openCatalog();
  const { buckets } = open.catalog;
  assert.equal(await buckets.date(scope, "b", 1), 1);
  assert.equal(await buckets.date(scope, "b", 2), 1);
  assert.equal(await buckets.has(scope, "b"), false);
  await buckets.create(scope, "b", { createdAt: 3 });
  assert.equal(await buckets.has(scope, "b"), true);
  assert.deepEqual(await all(buckets.created(scope)), [{ name: "b", createdAt: 1 }]);
});
