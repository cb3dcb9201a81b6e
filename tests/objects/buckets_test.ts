import assert from "node:assert/strict";
import { createBuckets } from "../../objects/buckets.ts";
import { createWorld, newObject, quiet } from "./world.ts";

async function bucketWorld(implicit: boolean) {
  const world = await createWorld();
  const catalog = world.catalog.buckets;
  const aborted: string[] = [];
  const abortUploads = (_: unknown, bucket: string) => Promise.resolve(void aborted.push(bucket));
  const buckets = createBuckets({ catalog, now: () => world.time, implicit, abortUploads });
  const names = async (prefix = "", after = "", limit = 100) =>
    (await buckets.list(world.reach, { prefix, after, limit })).buckets.map(({ name }) => name);
  const pass = (milliseconds: number) => void (world.time += milliseconds);
  return {
    ...world,
    buckets,
    aborted,
    names,
    pass,
    [Symbol.dispose]: () => world[Symbol.dispose](),
  };
}

Deno.test("where buckets are implicit each name is one, and none else until it is created", async () => {
  using free = await bucketWorld(true);
  await free.buckets.check(free.reach, "any");
  using strict = await bucketWorld(false);
  const { buckets, reach } = strict;
  const missing = { details: { s3: "NoSuchBucket", fields: { BucketName: "mine" } } };
  await assert.rejects(buckets.check(reach, "mine"), missing);
  await buckets.create(reach, "mine");
  await buckets.check(reach, "mine");
  await assert.rejects(buckets.check({ ...reach, tenant: "other" }, "mine"), missing);
  await buckets.remove(reach, "mine");
  await assert.rejects(buckets.check(reach, "mine"), missing);
  for (const native of ["cloud", "cloud-files"]) await buckets.check(reach, native);
});

Deno.test("a bucket with something in it is not deleted, and exists though it was never created", async () => {
  using world = await bucketWorld(false);
  const { buckets, reach, objects, aborted } = world;
  await objects.put(reach, newObject("key"), quiet());
  await buckets.check(reach, "bucket");
  await assert.rejects(buckets.remove(reach, "bucket"), {
    details: {
      s3: "BucketNotEmpty",
      fields: { BucketName: "bucket" },
    },
  });
  await objects.remove(reach, { bucket: "bucket", key: "key" }, quiet());
  assert.deepEqual(aborted, []);
  await buckets.remove(reach, "bucket");
  assert.deepEqual(aborted, ["bucket"]);
});

Deno.test("buckets are listed by name, each once, in pages: created, holding, and native", async () => {
  using world = await bucketWorld(true);
  const { buckets, reach, objects, names } = world;
  assert.deepEqual(await names(), ["cloud", "cloud-files"]);
  await objects.put(reach, newObject("a"), quiet());
  world.pass(5_000);
  for (const name of ["bucket", "zoo"]) await buckets.create(reach, name);
  assert.deepEqual(await names(), ["bucket", "cloud", "cloud-files", "zoo"]);
  assert.deepEqual(await names("", "", 2), ["bucket", "cloud"]);
  assert.deepEqual(await names("", "cloud", 2), ["cloud-files", "zoo"]);
  assert.deepEqual(await names("clo"), ["cloud", "cloud-files"]);
  const page = async (limit: number) =>
    (await buckets.list(reach, { prefix: "", after: "", limit })).isTruncated;
  assert.deepEqual([await page(3), await page(4)], [true, false]);
  const hidden = await buckets.list({ ...reach, native: false }, {
    prefix: "",
    after: "",
    limit: 9,
  });
  assert.deepEqual(hidden.buckets.map(({ name }) => name), ["bucket", "zoo"]);
});

Deno.test("the buckets that show native files cannot be deleted", async () => {
  using world = await bucketWorld(true);
  await assert.rejects(world.buckets.remove(world.reach, "cloud-files"), { kind: "denied" });
});

Deno.test("a bucket keeps its date whatever it holds, whether or not anybody created it", async () => {
  using world = await bucketWorld(false);
  const { buckets, reach, objects } = world;
  const dates = async (native: boolean) =>
    (await buckets.list({ ...reach, native }, { prefix: "", after: "", limit: 9 })).buckets
      .map(({ name, createdAt }) => `${name} ${createdAt}`);
  await objects.put(reach, newObject("m"), quiet());
  await objects.put(reach, newObject("m", "{}\n", { bucket: "cloud" }), quiet());
  const first = await dates(true);
  assert.deepEqual(first, ["bucket 1000000", "cloud 0", "cloud-files 0"]);
  world.pass(60_000);
  await objects.put(reach, newObject("a"), quiet());
  await objects.put(reach, newObject("a", "{}\n", { bucket: "cloud" }), quiet());
  assert.deepEqual(await dates(true), first);
  await objects.remove(reach, { bucket: "bucket", key: "m" }, quiet());
  assert.deepEqual(await dates(false), ["bucket 1000000", "cloud 0"]);
  await buckets.create(reach, "bucket");
  assert.deepEqual(await dates(true), first);
  // A date alone is no bucket.
  await objects.remove(reach, { bucket: "bucket", key: "a" }, quiet());
  await buckets.remove(reach, "bucket");
  assert.deepEqual(await dates(true), ["cloud 0", "cloud-files 0"]);
});

Deno.test("a list of buckets ends once its client has gone", async () => {
  using world = await bucketWorld(true);
  for (const bucket of ["a", "b", "c"]) {
    await world.objects.put(world.reach, newObject("key", "{}\n", { bucket }), quiet());
  }
  const gone = AbortSignal.abort(new Error("the client has gone"));
  const range = { prefix: "", after: "", limit: 10 };
  await assert.rejects(world.buckets.list(world.reach, range, gone), /the client has gone/);
  assert.equal((await world.buckets.list(world.reach, range, quiet())).buckets.length, 5);
});
