import assert from "node:assert/strict";
import { keys } from "../../catalog/keys.ts";
import { fileId } from "../../codecs/ids.ts";
import { createJobWorld, createRequest } from "../jobs/world.ts";
import { countingKv } from "./counting.ts";
import { createCatalog } from "../../catalog/catalog.ts";
import { createWorld, newObject, quiet } from "../objects/world.ts";
import { all, objectRecord, openCatalog, scope, sleep } from "./memory.ts";

Deno.test("what has expired is forgotten with every name, what has not stays", async () => {
  using open = await openCatalog();
  const { objects, links, expiry } = open.catalog;
  const old = objectRecord("file-old", { expiresAt: 5_000 });
  await objects.set(scope, "bucket", "a", old);
  for (const key of ["b", "c", "d"]) {
    await links.link(scope, "other", key, { ...old, modifiedAt: 2_000 }, false, {});
  }
  await objects.set(scope, "bucket", "later", objectRecord("file-later", { expiresAt: 5_001 }));
  await objects.set(scope, "bucket", "never", objectRecord("file-never"));
  await expiry.forgetExpired(4_999, quiet());
  assert.ok(await objects.get(scope, "bucket", "a"));
  await expiry.forgetExpired(5_000, quiet());
  assert.equal(await objects.get(scope, "bucket", "a"), undefined);
  for (const key of ["b", "c", "d"]) {
    assert.equal(await objects.get(scope, "other", key), undefined);
  }
  assert.equal(await objects.file(scope.provider, old.file), undefined);
  assert.deepEqual(await all(open.kv.list({ prefix: ["name"] })), []);
  assert.ok(await objects.get(scope, "bucket", "later"));
  assert.ok(await objects.get(scope, "bucket", "never"));
  const left = await all(open.kv.list({ prefix: keys.expiries() }));
  assert.deepEqual(left.map(({ key }) => key[3]), ["file-later"]);
});

Deno.test("a name that stands for another file since then is left as it is", async () => {
  using open = await openCatalog();
  const { objects, expiry } = open.catalog;
  await objects.set(scope, "bucket", "a", objectRecord("file-1", { expiresAt: 5_000 }));
  await objects.set(scope, "bucket", "a", objectRecord("file-2", { expiresAt: 9_000 }));
  assert.ok(await objects.trashed(scope.provider, fileId("file-1")));
  await expiry.forgetExpired(6_000, quiet());
  assert.equal((await objects.get(scope, "bucket", "a"))?.file, "file-2");
  // The provider has forgotten it: there is nothing to delete.
  assert.equal(await objects.trashed(scope.provider, fileId("file-1")), undefined);
});

Deno.test("looking for what has expired costs that, however many objects there are", async () => {
  using open = await openCatalog();
  const { kv, reads } = countingKv(open.kv);
  const { objects, expiry } = createCatalog(kv, sleep);
  for (let n = 0; n < 300; n++) {
    await objects.set(scope, "bucket", `k${n}`, objectRecord(`f${n}`, { expiresAt: 10_000 + n }));
  }
  Object.assign(reads, { listed: 0, got: 0 });
  await expiry.forgetExpired(9_000, quiet());
  assert.equal(reads.got, 0);
  assert.ok(reads.listed <= 100);
});

Deno.test("the sweep forgets expired objects without a request for them, their copies too", async () => {
  using world = await createWorld({ expiresAt: new Date(1_500_000) });
  const { objects, reach } = world;
  const record = await objects.put(reach, newObject("a.jsonl"), quiet());
  assert.equal(record.expiresAt, 1_500_000);
  const source = { bucket: "bucket", key: "a.jsonl" };
  const copy = { source, bucket: "bucket", key: "b.jsonl", accept: () => {}, condition: {} };
  await objects.copy(reach, copy, quiet());
  world.time = 1_500_000;
  for (const key of ["a.jsonl", "b.jsonl", record.file]) {
    assert.equal(await objects.find(reach, { bucket: "bucket", key }, quiet()), undefined, key);
  }
  assert.equal(await objects.findFile(reach, record.file, quiet()), undefined);
  await objects.sweep(0, quiet());
  assert.deepEqual(await all(world.kv.list({ prefix: ["object"] })), []);
  assert.deepEqual(await all(world.kv.list({ prefix: ["file"] })), []);
});

Deno.test("a native file that has expired is neither listed nor found", async () => {
  using world = await createWorld();
  world.cloud.addFile("file-native", { expiresAt: new Date(1_500_000) });
  const request = {
    bucket: "cloud-files",
    prefix: "",
    delimiter: "",
    maxKeys: 10,
    startAfter: "",
  };
  const listed = async () =>
    (await world.objects.list(world.reach, request, quiet())).objects.length;
  assert.equal(await listed(), 1);
  assert.ok(await world.objects.findFile(world.reach, "file-native", quiet()));
  world.time = 1_500_000;
  assert.equal(await listed(), 0);
  assert.equal(await world.objects.findFile(world.reach, "file-native", quiet()), undefined);
});

Deno.test("an object that has expired cannot be a job's input", async () => {
  using world = await createJobWorld({ expiresAt: new Date(1_500_000), virtual: true });
  const { objects, jobs, reach } = world;
  await objects.put(reach, newObject("a.jsonl"), quiet());
  const inputDataConfig = { s3InputDataConfig: { s3Uri: "s3://bucket/a.jsonl" } };
  const create = () => jobs.create(reach, undefined, createRequest({ inputDataConfig }), quiet());
  assert.ok(await create());
  world.time = 1_500_000;
  await assert.rejects(create(), /^Failure: The job's input was not found/);
});
