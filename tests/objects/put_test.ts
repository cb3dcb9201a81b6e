import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { jobRecord, objectRecord, scope } from "../catalog/memory.ts";
import { gate, lostAnswer } from "../double.ts";
import { createWorld, newObject, quiet } from "./world.ts";

const kind = (expected: string) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;

Deno.test("an object is stored under a name that ends in .jsonl, and is found by key and by id", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const record = await objects.put(reach, newObject("dir/na me.JSONL"), quiet());
  const [file] = cloud.files.values();
  assert.match(file?.name ?? "", /^na me\.bw-one-0\.[A-Za-z0-9_-]+\.jsonl$/);
  const address = { bucket: "bucket", key: "dir/na me.JSONL" };
  assert.deepEqual((await objects.find(reach, address, quiet()))?.record, record);
  const byId = await objects.find(reach, { bucket: "elsewhere", key: record.file }, quiet());
  assert.deepEqual(byId?.name, { tenant: "default", ...address });
  const wrong = { ...address, ifMatch: ["file-9"] };
  await assert.rejects(objects.find(reach, wrong, quiet()), kind("precondition"));
  assert.ok(await objects.find(reach, { ...address, ifMatch: ["*"] }, quiet()));
  assert.ok(await objects.find(reach, { ...address, ifMatch: ["file-9", record.file] }, quiet()));
});

Deno.test("replacing an object deletes the old provider file once the new one is recorded", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key", "1"), quiet());
  cloud.before = (call) => {
    if (call === "files.delete") assert.equal(cloud.files.size, 2);
  };
  await objects.put(reach, newObject("key", "2"), quiet());
  assert.deepEqual([...cloud.files.values()].map(({ text }) => text), ["2"]);
  assert.equal(world.objects.leftNothing(), true);
});

Deno.test("an upload that the provider refuses leaves nothing and no doubt", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const refusal = new Failure("denied", "No");
  cloud.before = () => Promise.reject(refusal);
  const object = newObject("key");
  await assert.rejects(objects.put(reach, object, quiet()), refusal);
  assert.equal(objects.leftNothing(), true);
  assert.deepEqual(cloud.calls, ["files.put"]);
  // Its body was let go of.
  assert.ok(object.body instanceof ReadableStream);
  assert.equal((await object.body.getReader().read().catch(() => ({ done: true }))).done, true);
});

Deno.test("an object larger than the provider takes is refused before its first byte", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await assert.rejects(
    objects.put(reach, newObject("key", "x", { bytes: 1_001 }), quiet()),
    kind("too-large"),
  );
  assert.deepEqual(cloud.calls, []);
});

Deno.test("a name that must be free is refused early, and none of two racing writers is lost", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const absent = { condition: { absent: true } };
  const puts = await Promise.allSettled(
    ["1", "2"].map((text) => objects.put(reach, newObject("key", text, absent), quiet())),
  );
  assert.deepEqual(puts.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  // The loser's file is gone.
  assert.equal(cloud.files.size, 1);
  cloud.calls.length = 0;
  await assert.rejects(
    objects.put(reach, newObject("key", "3", absent), quiet()),
    kind("precondition"),
  );
  assert.deepEqual(cloud.calls, []);
});

Deno.test("a write that is to spare some files is refused early where one of them is there", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const sparing = (...notFiles: string[]) => ({ condition: { notFiles } });
  const first = await objects.put(reach, newObject("key", "1", sparing("file-x")), quiet());
  cloud.calls.length = 0;
  await assert.rejects(
    objects.put(reach, newObject("key", "2", sparing("file-x", first.file)), quiet()),
    kind("precondition"),
  );
  assert.deepEqual(cloud.calls, []);
  const second = await objects.put(reach, newObject("key", "2", sparing("file-x")), quiet());
  assert.notEqual(second.file, first.file);
  assert.equal(cloud.files.size, 1);
});

Deno.test("when the catalog cannot be written, the provider's file is deleted again", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const atomic = world.kv.atomic.bind(world.kv);
  world.kv.atomic = () => {
    throw new TypeError("database or disk is full");
  };
  await assert.rejects(objects.put(reach, newObject("key"), quiet()), /disk is full/);
  world.kv.atomic = atomic;
  assert.equal(cloud.files.size, 0);
  assert.equal(await objects.find(reach, { bucket: "bucket", key: "key" }, quiet()), undefined);
});

Deno.test("a file whose answer was lost is deleted at once, and no other is touched", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  for (let n = 0; n < 7; n++) cloud.addFile(`file-native-${n}`);
  await objects.put(reach, newObject("key"), quiet());
  cloud.after = (call) => call === "files.put" ? Promise.reject(lostAnswer()) : undefined;
  await assert.rejects(objects.put(reach, newObject("key", "2"), quiet()), kind("unavailable"));
  assert.equal(cloud.files.size, 8);
  assert.equal(
    (await objects.find(reach, { bucket: "bucket", key: "key" }, quiet()))?.record.bytes,
    3,
  );
});

Deno.test("a file that appears after its client went away is deleted by the sweep", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const gone = new AbortController();
  let late: (() => void) | undefined;
  cloud.after = (call, name, signal) => {
    if (call !== "files.put") return;
    // The provider goes on with it, unseen.
    const [file] = [...cloud.files.values()].filter((file) => file.name === name);
    assert.ok(file);
    cloud.files.delete(file.id);
    late = () => cloud.files.set(file.id, file);
    gone.abort();
    signal.throwIfAborted();
  };
  await assert.rejects(objects.put(reach, newObject("key"), gone.signal), { name: "AbortError" });
  assert.equal(objects.leftNothing(), false);
  await objects.sweep(0, quiet());
  late?.();
  await objects.sweep(0, quiet());
  assert.equal(cloud.files.size, 0);
  // It is looked for until nothing can appear any more.
  assert.equal(objects.leftNothing(), false);
  world.time += 121_000;
  await objects.sweep(0, quiet());
  assert.equal(objects.leftNothing(), true);
});

Deno.test("an upload whose body breaks is not looked for: the provider never had all of it", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const wrong = new Failure("invalid", "Wrong digest", { s3: "BadDigest" });
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(wrong) });
  await assert.rejects(objects.put(reach, newObject("key", "{}", { body }), quiet()), wrong);
  assert.deepEqual(cloud.calls, ["files.put"]);
  assert.equal(objects.leftNothing(), true);
});

Deno.test("a process does not say farewell while an upload is under way", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  const held = gate();
  cloud.after = () => held.wait();
  const put = objects.put(reach, newObject("key"), quiet());
  await held.reached;
  assert.equal(objects.leftNothing(), false);
  held.open();
  await put;
  assert.equal(objects.leftNothing(), true);
});

Deno.test("files of a dead process are swept, recorded ones and those of the living stay", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  await catalog.instances.seen("one", { startedAt: 0, seenAt: 2_000 });
  await catalog.instances.seen("dead", { startedAt: 0, seenAt: 1_000 });
  await catalog.instances.seen("dying", { startedAt: 0, seenAt: 1_500 });
  // On several pages, and old ones first: a page of none but old files is not the end.
  for (let n = 0; n < 9; n++) {
    cloud.addFile(`file-old-${n}`, { createdAt: new Date(0) });
    const createdAt = new Date(900 + n);
    if (n > 4) cloud.addFile(`file-dead-${n}`, { name: `a.bw-dead-${n}.jsonl`, createdAt });
  }
  // The dead process had recorded this one.
  cloud.addFile("file-recorded", { name: "key.bw-dead-9.jsonl" });
  await catalog.objects.set(scope, "bucket", "recorded", objectRecord("file-recorded"));
  cloud.addFile("file-alive", { name: "a.bw-one-7.jsonl" });
  cloud.addFile("file-dying", { name: "a.bw-dying-7.jsonl" });
  await objects.put(reach, newObject("key"), quiet());
  await objects.sweep(1_500, quiet());
  const left = [...cloud.files.keys()].filter((id) => !id.includes("old"));
  assert.deepEqual(left.sort(), ["file-0", "file-alive", "file-dying", "file-recorded"]);
  assert.deepEqual((await catalog.instances.all()).map(({ id }) => id), ["dying", "one"]);
});

Deno.test("a dead process is not forgotten before every account was searched", async () => {
  using world = await createWorld();
  const { objects, cloud, catalog } = world;
  await catalog.instances.seen("dead", { startedAt: 0, seenAt: 0 });
  cloud.addFile("file-dead", { name: "a.bw-dead-0.jsonl", createdAt: new Date(0) });
  cloud.before = (call) => call === "files.list" ? Promise.reject(lostAnswer()) : undefined;
  await objects.sweep(1, quiet());
  assert.equal((await catalog.instances.all()).length, 1);
  assert.equal(world.postponed.length, 1);
  cloud.before = () => {};
  await objects.sweep(1, quiet());
  assert.equal(cloud.files.size, 0);
  assert.deepEqual(await catalog.instances.all(), []);
});

Deno.test("a replaced file that a running job reads is deleted when that job ends", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const { file } = await objects.put(reach, newObject("key", "1"), quiet());
  const job = jobRecord(1_000, { file });
  await catalog.jobs.adopt(scope, job, {});
  await objects.put(reach, newObject("key", "2"), quiet());
  await objects.sweep(0, quiet());
  await objects.release(reach.provider, file, quiet());
  assert.ok(cloud.files.has(file));
  // It is no object any more, not even by its id.
  assert.equal(await objects.find(reach, { bucket: "bucket", key: file }, quiet()), undefined);
  await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Completed" }));
  await objects.release(reach.provider, file, quiet());
  assert.deepEqual([...cloud.files.values()].map(({ text }) => text), ["2"]);
});

Deno.test("a replaced file whose deletion failed is deleted by the sweep", async () => {
  using world = await createWorld();
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key", "1"), quiet());
  cloud.before = (call) => call === "files.delete" ? Promise.reject(lostAnswer()) : undefined;
  await objects.put(reach, newObject("key", "2"), quiet());
  assert.equal(cloud.files.size, 2);
  assert.deepEqual(world.postponed, ["a replaced file"]);
  cloud.before = () => {};
  await objects.sweep(0, quiet());
  assert.deepEqual([...cloud.files.values()].map(({ text }) => text), ["2"]);
});

Deno.test("a put whose record is in doubt keeps its file: the record may come yet", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  await objects.put(reach, newObject("key", "old"), quiet());
  const settled = Promise.withResolvers<void>();
  const { set } = catalog.objects;
  let late = () => Promise.resolve();
  Object.assign(catalog.objects, {
    set(...args: Parameters<typeof set>) {
      late = async () => void await set(...args);
      const details = { outcomeUnknown: true, settled: settled.promise };
      return Promise.reject(new Failure("unavailable", "No answer", details));
    },
  });
  await assert.rejects(objects.put(reach, newObject("key", "new"), quiet()), kind("unavailable"));
  Object.assign(catalog.objects, { set });
  await objects.sweep(0, quiet());
  assert.equal(cloud.files.size, 2);
  assert.equal(objects.leftNothing(), false);
  await late();
  settled.resolve();
  await settled.promise;
  await objects.sweep(0, quiet());
  assert.deepEqual([...cloud.files.values()].map(({ text }) => text), ["new"]);
  const found = await objects.find(reach, { bucket: "bucket", key: "key" }, quiet());
  assert.ok(found && cloud.files.has(found.record.file));
});

Deno.test("a put whose record never came leaves its file to the sweep", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const { set } = catalog.objects;
  const details = { outcomeUnknown: true, settled: Promise.resolve() };
  Object.assign(catalog.objects, {
    set: () => Promise.reject(new Failure("unavailable", "No answer", details)),
  });
  await assert.rejects(objects.put(reach, newObject("key"), quiet()), kind("unavailable"));
  Object.assign(catalog.objects, { set });
  assert.equal(cloud.files.size, 1);
  await objects.sweep(0, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("who was taken for dead records nothing of before, and goes on with its next put", async () => {
  using world = await createWorld();
  const other = await createWorld({ instance: "two", cloud: world.cloud, catalog: world });
  const { objects, reach, cloud, catalog } = world;
  await catalog.instances.seen("one", { startedAt: 0, seenAt: 1_000 });
  cloud.after = async (call) => {
    if (call !== "files.put") return;
    // Between the provider's accept and the record it stands still for too long.
    cloud.after = () => {};
    await other.objects.sweep(2_000, quiet());
  };
  await assert.rejects(objects.put(reach, newObject("key"), quiet()), kind("unavailable"));
  assert.equal(await objects.find(reach, { bucket: "bucket", key: "key" }, quiet()), undefined);
  assert.equal(cloud.files.size, 0);
  const record = await objects.put(reach, newObject("key"), quiet());
  assert.deepEqual([...cloud.files.keys()], [record.file]);
});
