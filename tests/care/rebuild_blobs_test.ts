import assert from "node:assert/strict";
import { compareBlobs } from "../../care/compare_blobs.ts";
import { rebuild } from "../../care/rebuild.ts";
import { createFolderStore } from "../../blobs/folder.ts";
import { keptBlobOf } from "../../catalog/held.ts";
import { keys } from "../../catalog/keys.ts";
import type { PackedParts } from "../../codecs/object_parts.ts";
import {
  all,
  type OpenCatalog,
  openCatalog,
  scope,
  sleep,
  temporaryFolder,
} from "../catalog/memory.ts";
import { createWorld, newObject, type ObjectWorld, quiet } from "../objects/world.ts";

const csv = "id,name\n1,a\n";
const chat =
  '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}\n';
const disk = { id: () => Promise.resolve("disk"), machine: "here" };

async function startStore() {
  const folder = await temporaryFolder();
  const blobs = createFolderStore({ folder: folder.path, due: Date.now });
  return {
    blobs,
    place: { blobs, disk: "disk" },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

type Store = Awaited<ReturnType<typeof startStore>>;

function worldOn({ blobs }: Store, keep: "needed" | "all" = "needed", catalog?: OpenCatalog) {
  return createWorld({ kept: { blobs, keep, disk }, ...(catalog && { catalog }) });
}

const placesOf = ({ cloud: { provider } }: ObjectWorld) =>
  provider.accounts.map((account) => ({ provider: provider.name, account }));

function rebuilt(world: ObjectWorld, open: OpenCatalog, { place }: Store) {
  const { kv, catalog } = open;
  const deps = { kv, catalog, now: () => world.time, sleep, region: "us-west-2", kept: place };
  return rebuild(deps, placesOf(world), quiet());
}

async function differences({ kv, catalog }: OpenCatalog, { place }: Store): Promise<string[]> {
  const found = await all(compareBlobs({ kv, catalog, now: () => 0 }, place, quiet()));
  return found.map(({ kind }) => kind).sort();
}

Deno.test("a lost catalog has its kept objects again, with all that they were put with", async () => {
  await using store = await startStore();
  using world = await worldOn(store, "all");
  const metadata = { colour: "red" };
  const parts: PackedParts = {
    runs: [[1, 1, csv.length]],
    checksums: { header: "x", bytes: new Uint8Array(4) },
  };
  await world.objects.put(world.reach, newObject("é/plain.csv", csv, { metadata }), quiet());
  await world.objects.put(world.reach, newObject("empty", ""), quiet());
  await world.objects.put(world.reach, newObject("twice", csv), quiet());
  await world.objects.put(world.reach, newObject("twice", `${csv}2,b\n`), quiet());
  await world.objects.put(
    world.reach,
    newObject("parts", csv, { parts }),
    quiet(),
  );
  await world.objects.put(world.reach, newObject("copied.jsonl", chat, { metadata }), quiet());
  assert.deepEqual(await differences(world, store), []);
  using fresh = await openCatalog();
  assert.deepEqual(await differences(fresh, store), Array(5).fill("unknown-blob"));
  const done = await rebuilt(world, fresh, store);
  assert.deepEqual(done, { mended: 0, jobs: 0, objects: 5, left: [], leftCount: 0 });
  for (const key of ["é/plain.csv", "empty", "twice", "parts", "copied.jsonl"]) {
    const was = await world.catalog.objects.get(scope, "bucket", key);
    assert.ok(was, key);
    assert.deepEqual(await fresh.catalog.objects.get(scope, "bucket", key), was);
  }
  assert.deepEqual(await differences(fresh, store), []);
  assert.equal((await rebuilt(world, fresh, store)).objects, 0);
});

Deno.test("a check names kept objects whose blob is gone, or is on a disk that is not seen", async () => {
  await using store = await startStore();
  using world = await worldOn(store);
  const { held } = await world.objects.put(world.reach, newObject("a", csv), quiet());
  const { blob } = keptBlobOf(held) ?? assert.fail();
  await store.blobs.remove(blob, quiet());
  assert.deepEqual(await differences(world, store), ["object-without-blob"]);
  const other = { ...store, place: { ...store.place, disk: "other" } };
  assert.deepEqual(await differences(world, other), ["blobs-elsewhere"]);
});

Deno.test("what was put after a backup takes its name again, and only then", async () => {
  for (const isRestored of [true, false]) {
    await using store = await startStore();
    using world = await worldOn(store);
    const old = await world.objects.put(world.reach, newObject("a", csv), quiet());
    using back = await openCatalog();
    await back.catalog.objects.set(scope, "bucket", "a", old);
    world.time += 5_000;
    // A job that reads the old one keeps its blob.
    await world.kv.set(["use", "cloud", old.file, "abcdefghij01"], true);
    const later = await world.objects.put(world.reach, newObject("a", `${csv}2,b\n`), quiet());
    const [madeAt, restoredAt] = [old.modifiedAt + 1, later.modifiedAt + 1];
    if (isRestored) await back.kv.set(keys.restored(), { madeAt, restoredAt });
    const done = await rebuilt(world, back, store);
    const { file } = await back.catalog.objects.get(scope, "bucket", "a") ?? assert.fail();
    assert.deepEqual([done.objects, file], isRestored ? [1, later.file] : [0, old.file]);
  }
});

Deno.test("a label of another blob, or of no object, is not believed", async () => {
  await using store = await startStore();
  using world = await worldOn(store);
  await world.objects.put(world.reach, newObject("a", csv), quiet());
  const [label] = await all(store.blobs.list("labels/", quiet()));
  const text = await new Response(
    await store.blobs.open(label?.name ?? "", { first: 0 }, quiet()) as BodyInit,
  ).text();
  const forged = [
    text.replace(/kept\/cloud\/[^"]*/g, "kept/cloud/bw-x-0.aaaaaaaaaaaa"),
    text.replace('"bucket":"bucket"', '"bucket":"../../etc"'),
    "{}",
    "no JSON",
  ];
  for (const one of forged) {
    const body = new Blob([one]).stream();
    await store.blobs.put(label?.name ?? "", { bytes: one.length, body }, quiet());
    using fresh = await openCatalog();
    const done = await rebuilt(world, fresh, store);
    assert.deepEqual([done.objects, done.leftCount], [0, 1], one);
    assert.match(done.left.join(), /it has no label/);
  }
});
