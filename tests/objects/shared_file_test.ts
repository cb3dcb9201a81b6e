/** A service that stores by content: one provider file, and objects of several owners that need it. */
import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { jobRecord, scope } from "../catalog/memory.ts";
import { contentId } from "../double.ts";
import { createWorld, newObject, type ObjectWorld, quiet } from "./world.ts";

const text = '{"a":1}\n';
const file = fileId(`file-${contentId(text)}`);
const bucket = "bucket";

/** A world with two tenants. */
async function createShared() {
  const world = await createWorld({ byContent: true });
  const a = world.reach;
  return { world, a, b: { ...a, tenant: "other", native: false } };
}

async function textOf(world: ObjectWorld, reach: ObjectWorld["reach"], key: string) {
  const found = await world.objects.find(reach, { bucket, key }, quiet());
  if (!found) return undefined;
  return await new Response(
    await world.objects.read(reach, found, undefined, quiet()) as ReadableStream<
      Uint8Array<ArrayBuffer>
    >,
  ).text();
}

Deno.test("one tenant's delete leaves the other's object, and the last one's deletes the file", async () => {
  for (const first of ["a", "b"] as const) {
    const shared = await createShared();
    using world = shared.world;
    const { objects, cloud } = world;
    const [one, two] = first === "a" ? [shared.a, shared.b] : [shared.b, shared.a];
    await objects.put(shared.a, newObject("key", text), quiet());
    await objects.put(shared.b, newObject("key", text), quiet());
    assert.equal(cloud.files.size, 1);
    await objects.remove(one, { bucket, key: "key" }, quiet());
    await objects.sweep(0, quiet());
    assert.equal(await textOf(world, one, "key"), undefined);
    assert.equal(await textOf(world, two, "key"), text);
    await objects.remove(two, { bucket, key: "key" }, quiet());
    assert.equal(cloud.files.size, 0);
  }
});

Deno.test("a put of other content, and a copy, count the names of every tenant", async () => {
  const { world: made, a, b } = await createShared();
  using world = made;
  const { objects, cloud } = world;
  await objects.put(a, newObject("key", text), quiet());
  await objects.put(b, newObject("key", text), quiet());
  const copy = { source: { bucket, key: "key" }, bucket, key: "copy", accept() {}, condition: {} };
  await objects.copy(b, copy, quiet());
  await objects.put(a, newObject("key", "another"), quiet());
  await objects.put(b, newObject("key", "another"), quiet());
  assert.ok(cloud.files.has(file));
  assert.equal(await textOf(world, b, "copy"), text);
  await objects.put(b, newObject("copy", "another"), quiet());
  assert.ok(!cloud.files.has(file));
  assert.equal(await textOf(world, a, "key"), "another");
});

Deno.test("a second put of the same content has its own metadata, and its own key", async () => {
  const { world: made, a } = await createShared();
  using world = made;
  const { objects } = world;
  await objects.put(a, newObject("key", text, { metadata: { n: "1" } }), quiet());
  await objects.put(
    a,
    newObject("key", text, { metadata: { n: "2" }, contentType: "x/y" }),
    quiet(),
  );
  await objects.put(a, newObject("other", text, { metadata: { n: "3" } }), quiet());
  const recordOf = async (key: string) => (await objects.find(a, { bucket, key }, quiet()))?.record;
  assert.deepEqual((await recordOf("key"))?.metadata, { n: "2" });
  assert.equal((await recordOf("key"))?.contentType, "x/y");
  assert.deepEqual((await recordOf("other"))?.metadata, { n: "3" });
  const request = { bucket, prefix: "", delimiter: "", maxKeys: 10, startAfter: "" };
  const { objects: listed } = await objects.list(a, request, quiet());
  assert.deepEqual(listed.map(({ key }) => key), ["key", "other"]);
  await objects.remove(a, { bucket, key: "key" }, quiet());
  assert.equal(await textOf(world, a, "other"), text);
  const condition = { absent: true };
  await assert.rejects(
    objects.put(a, newObject("other", text, { condition }), quiet()),
    (error) => error instanceof Failure && error.kind === "precondition",
  );
});

Deno.test("each owner finds only its own object by the file's id, within its buckets", async () => {
  const { world: made, a, b } = await createShared();
  using world = made;
  const { objects } = world;
  await objects.put(a, newObject("of-a", text), quiet());
  await objects.put(b, newObject("of-b", text, { bucket: "closed" }), quiet());
  await objects.put(b, newObject("of-b", text), quiet());
  const named = async (reach: ObjectWorld["reach"]) =>
    (await objects.findFile(reach, file, quiet()))?.name;
  assert.equal((await named(a))?.key, "of-a");
  assert.equal((await named(b))?.key, "of-b");
  const limited = { ...b, mayUse: (one: string) => one === bucket };
  assert.equal((await named(limited))?.bucket, bucket);
  assert.equal(await named({ ...b, mayUse: () => false }), undefined);
  assert.equal(await named({ ...a, tenant: "third" }), undefined);
});

Deno.test("a write that is refused after its upload leaves a file that another object needs", async () => {
  const { world: made, a, b } = await createShared();
  using world = made;
  const { objects, cloud } = world;
  await objects.put(a, newObject("key", text), quiet());
  for (const body of [text, "of nobody else"]) {
    const key = `key-${body.length}`;
    cloud.after = async (call) => {
      cloud.after = () => {};
      if (call === "files.put") await objects.put(b, newObject(key, "faster"), quiet());
    };
    await assert.rejects(
      objects.put(b, newObject(key, body, { condition: { absent: true } }), quiet()),
      (error) => error instanceof Failure && error.kind === "precondition",
    );
  }
  assert.equal(await textOf(world, a, "key"), text);
  assert.ok(!cloud.files.has(fileId(`file-${contentId("of nobody else")}`)));
});

Deno.test("a put of what is being deleted is asked to come again, and then stays", async () => {
  const { world: made, a, b } = await createShared();
  using world = made;
  const { objects, cloud } = world;
  await objects.put(a, newObject("key", text), quiet());
  let refused: unknown;
  cloud.before = async (call) => {
    if (call !== "files.delete") return;
    cloud.before = () => {};
    refused = await objects.put(b, newObject("key", text), quiet()).catch((error) => error);
  };
  await objects.remove(a, { bucket, key: "key" }, quiet());
  assert.ok(refused instanceof Failure && refused.kind === "unavailable", String(refused));
  await objects.put(b, newObject("key", text), quiet());
  await objects.sweep(0, quiet());
  assert.equal(await textOf(world, b, "key"), text);
});

Deno.test("a file that a job keeps in the trash is taken out by a put of its content", async () => {
  const { world: made, a, b } = await createShared();
  using world = made;
  const { objects, cloud, catalog } = world;
  await objects.put(a, newObject("key", text), quiet());
  const job = jobRecord(1_000, { file });
  await catalog.jobs.adopt(scope, job, {});
  await objects.remove(a, { bucket, key: "key" }, quiet());
  assert.ok(await catalog.objects.trashed("cloud", file));
  await objects.put(b, newObject("key", text), quiet());
  await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Completed" }));
  await objects.sweep(0, quiet());
  assert.equal(await textOf(world, b, "key"), text);
  await objects.remove(b, { bucket, key: "key" }, quiet());
  assert.equal(cloud.files.size, 0);
});

Deno.test("a native file of the same content goes on being native when its object is deleted", async () => {
  const { world: made, a } = await createShared();
  using world = made;
  const { objects, cloud } = world;
  cloud.addFile(file, { createdAt: new Date(world.time - 600_000) }, text);
  await objects.put(a, newObject("key", text), quiet());
  await objects.remove(a, { bucket, key: "key" }, quiet());
  await objects.sweep(0, quiet());
  assert.ok(cloud.files.has(file));
  assert.ok(await objects.find(a, { bucket, key: file }, quiet()));
});
