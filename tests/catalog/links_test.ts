import assert from "node:assert/strict";
import { fileId } from "../../codecs/ids.ts";
import { createLinkCatalog } from "../../catalog/links.ts";
import { all, objectRecord, openCatalog, scope, sleep } from "./memory.ts";

const file = fileId("file-1");
const record = objectRecord("file-1");

Deno.test("a file of two names goes to the trash with the last of them, whichever that is", async () => {
  for (const order of [["a", "b"], ["b", "a"]] as const) {
    using open = await openCatalog();
    const { objects, links } = open.catalog;
    await objects.set(scope, "bucket", "a", record);
    await links.link(scope, "other", "b", objectRecord("file-1", { modifiedAt: 2 }), false, {});
    const bucketOf = { a: "bucket", b: "other" };
    const [first, last] = order;
    assert.equal(await links.part(scope, bucketOf[first], first, record), "named");
    assert.equal(await objects.get(scope, bucketOf[first], first), undefined);
    assert.deepEqual(await all(objects.trash()), []);
    // The file is found by its id under the name that it still has.
    const owner = await objects.file("cloud", file);
    assert.deepEqual([owner?.bucket, owner?.key, owner?.state], [bucketOf[last], last, "current"]);
    assert.equal(await links.part(scope, bucketOf[last], last, record), "last");
    assert.deepEqual((await all(objects.trash())).map((one) => one.file), ["file-1"]);
    await objects.forget("cloud", file);
    assert.equal(await objects.get(scope, bucketOf[last], last), undefined);
    assert.deepEqual(await all(open.kv.list({ prefix: [] })), []);
  }
});

Deno.test("replacing one name of a file leaves the file to the other", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  await objects.set(scope, "bucket", "a", record);
  await links.link(scope, "bucket", "b", objectRecord("file-1", { modifiedAt: 2 }), false, {});
  await objects.set(scope, "bucket", "a", objectRecord("file-2"));
  assert.deepEqual(await all(objects.trash()), []);
  await objects.set(scope, "bucket", "b", objectRecord("file-3"));
  assert.deepEqual((await all(objects.trash())).map((one) => one.file), ["file-1"]);
});

Deno.test("a copy over an object throws that one's file away", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  const old = objectRecord("file-2");
  await objects.set(scope, "bucket", "a", record);
  await objects.set(scope, "bucket", "b", old);
  const copy = objectRecord("file-1", { modifiedAt: 2 });
  assert.deepEqual(await links.link(scope, "bucket", "b", copy, false, {}), { replaced: old });
  assert.deepEqual((await all(objects.trash())).map((one) => one.file), ["file-2"]);
});

Deno.test("a copy that was applied although its commit failed does not conflict with itself", async () => {
  using open = await openCatalog();
  const { kv } = open;
  await open.catalog.objects.set(scope, "bucket", "a", record);
  let commits = 0;
  const losing = {
    get: kv.get.bind(kv),
    list: kv.list.bind(kv),
    atomic() {
      const step = kv.atomic();
      const commit = step.commit.bind(step);
      step.commit = async () => {
        const answer = await commit();
        return commits++ === 0 ? { ok: false } : answer;
      };
      return step;
    },
  } as unknown as Deno.Kv;
  const links = createLinkCatalog(losing, sleep);
  const copy = objectRecord("file-1", { modifiedAt: 2 });
  await links.link(scope, "bucket", "b", copy, false, { absent: true });
  assert.equal(commits, 1);
  assert.deepEqual(await open.catalog.objects.get(scope, "bucket", "b"), copy);
});

Deno.test("a file that is being deleted is given no other name, and restored may be", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  await objects.set(scope, "bucket", "a", record);
  assert.equal(await links.part(scope, "bucket", "a", record), "last");
  assert.equal(await links.link(scope, "bucket", "b", record, false, {}), "gone");
  assert.equal(await objects.get(scope, "bucket", "b"), undefined);
  await links.restore(scope, "bucket", "a", record);
  assert.deepEqual(await all(objects.trash()), []);
  const copy = objectRecord("file-1", { modifiedAt: 2 });
  assert.deepEqual(await links.link(scope, "bucket", "b", copy, false, {}), {
    replaced: undefined,
  });
});

Deno.test("while one caller copies and another deletes, no name is left without its file", async () => {
  for (let round = 0; round < 30; round++) {
    using open = await openCatalog();
    const { objects, links } = open.catalog;
    await objects.set(scope, "bucket", "a", record);
    const [, linked] = await Promise.all([
      links.part(scope, "bucket", "a", record),
      links.link(scope, "bucket", "b", objectRecord("file-1", { modifiedAt: 2 }), false, {}),
      links.link(scope, "bucket", "c", objectRecord("file-1", { modifiedAt: 2 }), false, {}),
    ]);
    const names = await objects.range(scope, "bucket", new Uint8Array(), undefined, 10);
    const copies = names.filter(({ key }) => key !== "a");
    const trash = await all(objects.trash());
    assert.equal(trash.length, copies.length === 0 ? 1 : 0);
    assert.equal(linked === "gone", !copies.some(({ key }) => key === "b"));
  }
});

Deno.test("of many deletions of many names exactly one takes the last", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  await objects.set(scope, "bucket", "0", record);
  const keys = Array.from({ length: 10 }, (_, n) => `${n}`);
  for (const key of keys.slice(1)) {
    await links.link(scope, "bucket", key, objectRecord("file-1", { modifiedAt: 2 }), false, {});
  }
  const losses = await Promise.all(keys.map((key) => links.part(scope, "bucket", key, record)));
  assert.equal(losses.filter((loss) => loss === "last").length, 1);
});

Deno.test("a native file is one again once its copies are gone, and shown all the while", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  await links.link(scope, "bucket", "a", record, true, {});
  assert.deepEqual(await objects.hidden("cloud", [file]), new Set());
  // Its mark may be that of a dead process: it must not be taken for a lost file.
  assert.deepEqual(await objects.known("cloud", [file]), new Set([file]));
  assert.equal(await links.part(scope, "bucket", "a", record), "named");
  assert.equal(await objects.file("cloud", file), undefined);
  assert.deepEqual(await all(objects.trash()), []);
});

Deno.test("a native file that was copied loses its id as a name, and keeps the other", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  await links.link(scope, "bucket", "a", record, true, {});
  assert.equal(await links.partNative(scope, file, "main"), "named");
  assert.deepEqual(await objects.hidden("cloud", [file]), new Set([file]));
  assert.equal(await links.part(scope, "bucket", "a", record), "last");
});

Deno.test("a native file without another name is kept from copies while it is being deleted", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  assert.equal(await links.partNative(scope, file, "main"), "last");
  assert.equal(await links.link(scope, "bucket", "a", record, true, {}), "gone");
  await links.restoreNative("cloud", file);
  assert.deepEqual(await all(open.kv.list({ prefix: [] })), []);
  assert.equal(await objects.file("cloud", file), undefined);
});
