import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createFolderStore } from "../../blobs/folder.ts";
import type { BlobStore } from "../../blobs/store.ts";
import { Failure } from "../../codecs/failure.ts";
import { createDisk, isDiskFailure } from "../../runtime/disk.ts";
import type { KeptDeps } from "../../objects/kept.ts";
import { jobRecord, openCatalog, scope, temporaryFolder } from "../catalog/memory.ts";
import { createDouble } from "../double.ts";
import { createWorld, newObject, type ObjectWorld, quiet } from "./world.ts";

const chat =
  '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}\n';
const csv = "id,name\n1,a\n";
const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const address = { bucket: "bucket", key: "key" };

type Settings = Partial<Omit<KeptDeps, "blobs" | "copies" | "randomBytes">>;

/** A folder with a store, and worlds that keep objects in it. */
async function startStore() {
  const folder = await temporaryFolder();
  const store = createFolderStore({ folder: folder.path, due: Date.now });
  return {
    store,
    kept: (more: Settings = {}) => ({ blobs: store, keep: "needed" as const, ...more }),
    /** Names of blobs, each of which has its label but for some. */
    async names(unlabelled = 0) {
      const all = (await Array.fromAsync(store.list("", quiet()))).map(({ name }) => name);
      const blobs = all.filter((name) => !name.startsWith("labels/"));
      const labels = all.filter((name) => name.startsWith("labels/"));
      assert.equal(labels.length, blobs.length - unlabelled);
      assert.ok(labels.every((name) => blobs.includes(name.slice("labels/".length))));
      return blobs;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function textOf(world: ObjectWorld, key = "key", range?: { first: number; last: number }) {
  const found = await world.objects.find(world.reach, { bucket: "bucket", key }, quiet());
  if (!found) return undefined;
  const body = await world.objects.read(world.reach, found, range, quiet());
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

const isKind = (kind: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind;

Deno.test("what the provider cannot use is kept with S3's ETag, and read and deleted as any object", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept() });
  const { objects, reach, cloud } = world;
  const record = await objects.put(reach, newObject("key", csv), quiet());
  assert.deepEqual([record.etag, record.held.in], [md5(csv), "store"]);
  assert.equal(await textOf(world), csv);
  assert.equal(await textOf(world, "key", { first: 3, last: 6 }), "name");
  assert.equal((await folder.names()).length, 1);
  const page = await objects.list(reach, {
    bucket: "bucket",
    prefix: "",
    delimiter: "",
    maxKeys: 10,
    startAfter: "",
  }, quiet());
  assert.deepEqual(page.objects.map(({ record: { etag } }) => etag), [md5(csv)]);
  await objects.remove(reach, address, quiet());
  assert.deepEqual([await textOf(world), await folder.names()], [undefined, []]);
  assert.deepEqual(cloud.calls.filter((call) => call !== "files.head"), []);
});

Deno.test("what the provider can use goes to it, and to no store", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept() });
  const record = await world.objects.put(world.reach, newObject("key", chat), quiet());
  assert.deepEqual([record.held.in, record.etag], ["provider", record.file]);
  assert.deepEqual(await folder.names(), []);
});

Deno.test("kept objects and provider files replace each other, and what was replaced goes", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept() });
  const { objects, reach, cloud } = world;
  for (const [text, files, blobs] of [[csv, 0, 1], [chat, 1, 0], [`${csv}2,b\n`, 0, 1]] as const) {
    await objects.put(reach, newObject("key", text), quiet());
    assert.equal(await textOf(world), text);
    assert.deepEqual([cloud.files.size, (await folder.names()).length], [files, blobs]);
  }
});

Deno.test("a copy of a kept object outlives it, and takes the place of a provider file", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept() });
  const { objects, reach, cloud } = world;
  await objects.put(reach, newObject("key", csv), quiet());
  await objects.put(reach, newObject("other", chat), quiet());
  const copied = await objects.copy(reach, {
    source: address,
    bucket: "bucket",
    key: "other",
    accept: () => {},
    condition: {},
  }, quiet());
  assert.equal(copied.etag, md5(csv));
  assert.equal(cloud.files.size, 0);
  await objects.remove(reach, address, quiet());
  assert.equal(await textOf(world, "other"), csv);
  await objects.remove(reach, { bucket: "bucket", key: "other" }, quiet());
  assert.deepEqual(await folder.names(), []);
});

Deno.test("a kept object that a running job reads is there until the job is over", async () => {
  for (const loss of ["delete", "replace"] as const) {
    await using folder = await startStore();
    using world = await createWorld({ kept: folder.kept() });
    const { objects, reach, catalog } = world;
    const { file } = await objects.put(reach, newObject("key", csv), quiet());
    const job = jobRecord(1_000, { file });
    await catalog.jobs.adopt(scope, job, {});
    if (loss === "delete") await objects.remove(reach, address, quiet());
    else await objects.put(reach, newObject("key", chat), quiet());
    await objects.sweep(0, quiet());
    assert.equal((await folder.names()).length, 1, loss);
    await catalog.jobs.update(scope, job.id, () => ({ ...job, status: "Completed" }));
    await objects.release(reach.provider, file, quiet());
    assert.deepEqual(await folder.names(), [], loss);
  }
});

Deno.test("a put that breaks, or is refused by its condition, leaves nothing", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept() });
  const { objects, reach } = world;
  const broken = new Failure("invalid", "The digest is wrong");
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(2 ** 21)),
    pull: (controller) => controller.error(broken),
  });
  const object = newObject("key", csv, { body, bytes: 2 ** 21 + 5 });
  await assert.rejects(objects.put(reach, object, quiet()), (error) => error === broken);
  await objects.put(reach, newObject("key", csv), quiet());
  const stale = newObject("key", "more\n", { condition: { files: [md5("other")] } });
  await assert.rejects(objects.put(reach, stale, quiet()), isKind("precondition"));
  assert.equal((await folder.names()).length, 1);
  assert.equal(await textOf(world), csv);
});

Deno.test("what a dead process kept and did not record goes with the sweep, and nothing else", async () => {
  await using folder = await startStore();
  using open = await openCatalog();
  const cloud = createDouble();
  const dies = (store: BlobStore): BlobStore => ({
    ...store,
    async put(name, blob, signal) {
      await store.put(name, blob, signal);
      throw new Error("the process died");
    },
  });
  const dead = await createWorld({
    catalog: open,
    cloud,
    instance: "dead",
    kept: { ...folder.kept({ keep: "all" }) },
  });
  await dead.objects.put(dead.reach, newObject("key", csv), quiet());
  await dead.objects.put(dead.reach, newObject("copied", chat), quiet());
  const dying = await createWorld({
    catalog: open,
    cloud,
    instance: "dead",
    kept: { ...folder.kept(), blobs: dies(folder.store) },
  });
  await assert.rejects(dying.objects.put(dying.reach, newObject("lost", csv), quiet()), /died/);
  assert.equal((await folder.names(1)).length, 3);
  const alive = await createWorld({ catalog: open, cloud, instance: "alive", kept: folder.kept() });
  const record = { startedAt: 0, seenAt: 1, nextAt: Date.now() + 1_000 };
  await open.kv.set(["instance", "dead"], record);
  await alive.objects.sweep(2, quiet());
  assert.equal((await folder.names()).length, 2);
  assert.deepEqual([await textOf(alive), await textOf(alive, "copied")], [csv, chat]);
});

Deno.test("with copies of all, what the provider holds is read from the copy, and both go together", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept({ keep: "all" }) });
  const { objects, reach, cloud } = world;
  const record = await objects.put(reach, newObject("key", chat), quiet());
  assert.equal(record.etag, record.file);
  cloud.calls.length = 0;
  assert.equal(await textOf(world), chat);
  assert.deepEqual(cloud.calls, []);
  assert.equal((await folder.names()).length, 1);
  await objects.remove(reach, address, quiet());
  assert.deepEqual([cloud.files.size, await folder.names()], [0, []]);
});

Deno.test("where the provider or the store refuses an object, neither has it", async () => {
  await using folder = await startStore();
  const refused = new Failure("unavailable", "No room");
  const full: BlobStore = {
    ...folder.store,
    async put(_, { body }) {
      await body.getReader().read();
      throw refused;
    },
  };
  using world = await createWorld({ kept: { ...folder.kept({ keep: "all" }), blobs: full } });
  const object = () => newObject("key", chat);
  await assert.rejects(world.objects.put(world.reach, object(), quiet()), isKind("unavailable"));
  assert.ok(world.cloud.calls.includes("files.put"));
  assert.equal(world.cloud.files.size, 0);
  using other = await createWorld({ kept: folder.kept({ keep: "all" }) });
  other.cloud.before = (call) => {
    if (call === "files.put") throw new Failure("invalid", "Not a file");
  };
  await assert.rejects(other.objects.put(other.reach, object(), quiet()), isKind("invalid"));
  assert.deepEqual(await folder.names(), []);
});

Deno.test("kept objects expire at the midnight after their days, and their bytes go", async () => {
  await using folder = await startStore();
  using world = await createWorld({ kept: folder.kept({ expireDays: 3 }) });
  world.time = Date.UTC(2026, 0, 15, 10, 30);
  const record = await world.objects.put(world.reach, newObject("key", csv), quiet());
  assert.equal(record.expiresAt, Date.UTC(2026, 0, 19));
  world.time = Date.UTC(2026, 0, 18, 23, 59);
  await world.objects.sweep(0, quiet());
  assert.equal(await textOf(world), csv);
  world.time = Date.UTC(2026, 0, 19, 0, 1);
  assert.equal(await textOf(world), undefined);
  await world.objects.sweep(0, quiet());
  assert.deepEqual(await folder.names(), []);
});

Deno.test("a gateway that does not see the disk says which machine has the object", async () => {
  await using folder = await startStore();
  using open = await openCatalog();
  const cloud = createDouble();
  const at = (id: string, machine: string) => ({ id: () => Promise.resolve(id), machine });
  const world = (disk: Settings["disk"] & object) =>
    createWorld({ catalog: open, cloud, kept: folder.kept({ disk }) });
  const one = await world(at("1111", "web-1"));
  const two = await world(at("2222", "web-2"));
  await one.objects.put(one.reach, newObject("key", csv), quiet());
  await assert.rejects(
    textOf(two),
    (error) =>
      error instanceof Failure && error.kind === "unavailable" &&
      /web-1 .*1111/.test(error.message),
  );
  // The name goes at once, and the bytes with the sweep of their own machine.
  await two.objects.remove(two.reach, address, quiet());
  await two.objects.sweep(0, quiet());
  assert.equal(await textOf(one), undefined);
  assert.equal((await folder.names()).length, 1);
  await one.objects.sweep(0, quiet());
  assert.deepEqual(await folder.names(), []);
  assert.deepEqual(two.postponed, []);
});

Deno.test("what was kept stays readable where nothing is kept any more", async () => {
  await using folder = await startStore();
  using open = await openCatalog();
  const cloud = createDouble();
  const before = await createWorld({ catalog: open, cloud, kept: folder.kept() });
  await before.objects.put(before.reach, newObject("key", csv), quiet());
  const after = await createWorld({ catalog: open, cloud, kept: folder.kept({ keep: "never" }) });
  assert.equal(await textOf(after), csv);
  const record = await after.objects.put(after.reach, newObject("key", csv), quiet());
  assert.equal(record.held.in, "provider");
  assert.deepEqual(await folder.names(), []);
});

Deno.test("a full disk is said, leaves nothing, loses nothing, and puts succeed once there is room", async () => {
  await using folder = await temporaryFolder();
  const disk = createDisk("objects that are kept");
  let isFull = false;
  const store = createFolderStore({
    folder: folder.path,
    due: Date.now,
    disk: {
      ...disk,
      write: (work) =>
        disk.write(() => {
          if (!isFull) return work();
          return Promise.reject(Object.assign(new Error("No space left"), { code: "ENOSPC" }));
        }),
    },
  });
  const names = async () => (await Array.fromAsync(store.list("kept/", quiet()))).length;
  for (const keep of ["needed", "all"] as const) {
    using world = await createWorld({ kept: { blobs: store, keep } });
    const { objects, reach, cloud } = world;
    const text = keep === "all" ? chat : csv;
    await objects.put(reach, newObject("key", text), quiet());
    isFull = true;
    await assert.rejects(
      objects.put(reach, newObject("key", text.repeat(2)), quiet()),
      (error) => isDiskFailure(error) && /disk is full/.test(String(error)),
    );
    assert.deepEqual([await textOf(world), await names()], [text, 1]);
    assert.equal(cloud.files.size, keep === "all" ? 1 : 0);
    isFull = false;
    await objects.put(reach, newObject("key", text.repeat(2)), quiet());
    assert.equal(await textOf(world), text.repeat(2));
    await objects.remove(reach, address, quiet());
    assert.deepEqual(await Array.fromAsync(store.list("", quiet())), []);
  }
});
