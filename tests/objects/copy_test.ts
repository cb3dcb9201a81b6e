import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import type { CopyRequest } from "../../objects/copy.ts";
import { jobRecord, scope } from "../catalog/memory.ts";
import { gate } from "../double.ts";
import { createWorld, newObject, quiet } from "./world.ts";

const bucket = "bucket";

function request(from: string, to: string, more: Partial<CopyRequest> = {}): CopyRequest {
  return {
    source: { bucket, key: from },
    bucket,
    key: to,
    accept: () => {},
    condition: {},
    ...more,
  };
}

Deno.test("a copy has its source's bytes, id and description, and a time of its own", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const source = await objects.put(
    reach,
    newObject("a", "{}\n", { metadata: { a: "b" } }),
    quiet(),
  );
  world.time += 5_000;
  const copy = await objects.copy(reach, request("a", "b"), quiet());
  assert.deepEqual(copy, { ...source, modifiedAt: world.time });
  assert.deepEqual((await objects.find(reach, { bucket, key: "b" }, quiet()))?.record, copy);
  assert.equal(cloud.calls.filter((call) => call !== "files.put").length, 0);
});

Deno.test("source and copy are independent: the file goes with the last of them", async () => {
  for (const order of [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]]) {
    using world = await createWorld();
    const { objects, reach, cloud } = world;
    await objects.put(reach, newObject("a"), quiet());
    await objects.copy(reach, request("a", "b"), quiet());
    await objects.copy(reach, request("b", "c"), quiet());
    for (const [at, key] of order.entries()) {
      await objects.remove(reach, { bucket, key }, quiet());
      assert.equal(await objects.find(reach, { bucket, key }, quiet()), undefined);
      assert.equal(cloud.files.size, at === 2 ? 0 : 1, `${order} after ${key}`);
      for (const other of order.slice(at + 1)) {
        assert.ok(await objects.find(reach, { bucket, key: other }, quiet()), other);
      }
    }
    assert.equal(cloud.calls.filter((call) => call === "files.delete").length, 1);
  }
});

Deno.test("replacing the source, or the copy, deletes no file that the other needs", async () => {
  for (const replaced of ["a", "b"]) {
    using world = await createWorld();
    const { objects, reach, cloud } = world;
    const { file } = await objects.put(reach, newObject("a"), quiet());
    await objects.copy(reach, request("a", "b"), quiet());
    const { file: newer } = await objects.put(reach, newObject(replaced, "{}\n{}\n"), quiet());
    await objects.sweep(0, quiet());
    assert.deepEqual([...cloud.files.keys()].sort(), [file, newer].sort());
    await objects.remove(reach, { bucket, key: replaced === "a" ? "b" : "a" }, quiet());
    assert.deepEqual([...cloud.files.keys()], [newer]);
  }
});

Deno.test("a copy over an object deletes that one's file, but not while a job reads it", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  await objects.put(reach, newObject("a"), quiet());
  for (const inUse of [false, true]) {
    const { file } = await objects.put(reach, newObject("b"), quiet());
    const job = jobRecord(1_000, { file });
    if (inUse) await catalog.jobs.adopt(scope, job, {});
    await objects.copy(reach, request("a", "b"), quiet());
    assert.equal(cloud.files.has(file), inUse);
    if (!inUse) continue;
    await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Completed" }));
    await objects.sweep(0, quiet());
    assert.equal(cloud.files.has(file), false);
  }
  assert.equal(cloud.files.size, 1);
});

Deno.test("what a job reads under one name stays when the other goes", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const { file } = await objects.put(reach, newObject("a"), quiet());
  await objects.copy(reach, request("a", "b"), quiet());
  const job = jobRecord(1_000, { file });
  await catalog.jobs.adopt(scope, job, {});
  await objects.remove(reach, { bucket, key: "a" }, quiet());
  await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Completed" }));
  await objects.release(reach.provider, file, quiet());
  await objects.sweep(0, quiet());
  assert.ok(cloud.files.has(file));
  assert.ok(await objects.find(reach, { bucket, key: "b" }, quiet()));
});

Deno.test("conditions on source and destination decide before anything changes", async () => {
  using world = await createWorld();
  const { objects, reach } = world;
  const { file } = await objects.put(reach, newObject("a"), quiet());
  const copy = (more: Partial<CopyRequest>) =>
    objects.copy(reach, request("a", "b", more), quiet());
  const accept = () => {
    throw new Failure("precondition", "No");
  };
  await assert.rejects(copy({ accept }), { kind: "precondition" });
  await assert.rejects(copy({ condition: { files: [] } }), { kind: "not-found" });
  await assert.rejects(copy({ source: { bucket, key: "a", ifMatch: ["file-9"] } }), {
    kind: "precondition",
  });
  assert.equal(await objects.find(reach, { bucket, key: "b" }, quiet()), undefined);
  await copy({ source: { bucket, key: "a", ifMatch: [file] }, condition: { absent: true } });
  await assert.rejects(copy({ condition: { absent: true } }), { kind: "precondition" });
  await copy({ condition: { files: [file] } });
});

Deno.test("a copy onto itself changes the description and nothing else", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const { file } = await objects.put(reach, newObject("a"), quiet());
  const description = { contentType: "text/plain", headers: {}, metadata: { new: "1" } };
  await objects.copy(reach, request("a", "a", { description }), quiet());
  const found = await objects.find(reach, { bucket, key: "a" }, quiet());
  assert.deepEqual([found?.record.file, found?.record.metadata], [file, { new: "1" }]);
  await objects.sweep(0, quiet());
  assert.equal(cloud.files.size, 1);
  await objects.remove(reach, { bucket, key: "a" }, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("another tenant's object is not a source, by its key or by its id", async () => {
  using world = await createWorld();
  const { objects, reach } = world;
  const { file } = await objects.put(reach, newObject("a"), quiet());
  const other = { ...reach, tenant: "other" };
  await assert.rejects(objects.copy(other, request("a", "b"), quiet()), { kind: "not-found" });
  await assert.rejects(objects.copy(other, request(file, "b"), quiet()), { kind: "not-found" });
});

Deno.test("moving a native file to a name of its own keeps the file", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  cloud.addFile("file-native");
  const native = { bucket: "cloud-files", key: "file-native" };
  const listed = async () => {
    const all = { bucket: native.bucket, prefix: "", delimiter: "", maxKeys: 9, startAfter: "" };
    return (await objects.list(reach, all, quiet())).objects.map(({ key }) => key);
  };
  await objects.copy(reach, request("", "mine", { source: native }), quiet());
  assert.deepEqual(await listed(), ["file-native"]);
  await objects.remove(reach, native, quiet());
  assert.equal(cloud.files.size, 1);
  assert.deepEqual(await listed(), []);
  assert.ok(await objects.find(reach, { bucket, key: "mine" }, quiet()));
  await objects.remove(reach, { bucket, key: "mine" }, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("deleting the copy of a native file leaves the native file", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  cloud.addFile("file-native");
  const source = { bucket: "cloud-files", key: "file-native" };
  await objects.copy(reach, request("", "mine", { source }), quiet());
  await objects.remove(reach, { bucket, key: "mine" }, quiet());
  assert.equal(cloud.files.size, 1);
  assert.ok(await objects.find(reach, source, quiet()));
});

Deno.test("a copy that comes while the provider deletes the source finds none", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("a"), quiet());
  const held = gate();
  cloud.before = (call) => call === "files.delete" ? held.wait() : undefined;
  const removed = objects.remove(reach, { bucket, key: "a" }, quiet());
  await held.reached;
  await assert.rejects(objects.copy(reach, request("a", "b"), quiet()), { kind: "not-found" });
  held.open();
  await removed;
  assert.equal(await objects.find(reach, { bucket, key: "b" }, quiet()), undefined);
});

Deno.test("a native file whose deletion the provider refuses stays", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  cloud.addFile("file-native");
  const address = { bucket: "any", key: "file-native" };
  cloud.before = (call) => {
    if (call === "files.delete") throw new Failure("denied", "No");
  };
  await assert.rejects(objects.remove(reach, address, quiet()), { kind: "denied" });
  assert.ok(await objects.find(reach, address, quiet()));
  await objects.sweep(0, quiet());
  assert.equal(cloud.files.size, 1);
});
