import assert from "node:assert/strict";
import { keys } from "../../catalog/keys.ts";
import type { ObjectEntry } from "../../catalog/entries.ts";
import { fileId } from "../../codecs/ids.ts";
import { all, objectRecord, openCatalog, scope } from "./memory.ts";

const etag = "0123456789abcdef0123456789abcdef";
const tagged = (file: string, modifiedAt: number, more: Partial<ObjectEntry> = {}) =>
  objectRecord(file, { etag, modifiedAt, ...more });

Deno.test("of several objects of one ETag the newest is found, only in its own bucket", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const found = async (bucket = "bucket", accepts = (_: ObjectEntry) => true) =>
    (await objects.ofEtag(scope, bucket, etag, accepts))?.key;
  assert.equal(await found(), undefined);
  await objects.set(scope, "bucket", "newest", tagged("file-1", 30));
  await objects.set(scope, "bucket", "a/old", tagged("file-2", 4));
  await objects.set(scope, "bucket", "zero\0", tagged("file-3", 20));
  await objects.set(scope, "other", "elsewhere", tagged("file-4", 99));
  await objects.set({ ...scope, tenant: "b" }, "bucket", "theirs", tagged("file-5", 99));
  await objects.set(scope, "bucket", "by-id", objectRecord("file-6", { modifiedAt: 99 }));
  assert.equal(await found(), "newest");
  assert.equal(await found("other"), "elsewhere");
  assert.equal(await found("bucket", ({ file }) => file !== "file-1"), "zero\0");
});

Deno.test("an ETag leads to nothing that was replaced, deleted, forgotten or renamed", async () => {
  using open = await openCatalog();
  const { objects, links } = open.catalog;
  const entries = async () =>
    (await all(open.kv.list({ prefix: ["etag"] }))).map(({ key }) => [key[4], key[5]]);
  await objects.set(scope, "bucket", "a", tagged("file-1", 1));
  await objects.set(scope, "bucket", "a", tagged("file-2", 2));
  assert.deepEqual(await entries(), [[etag, 2]]);
  await objects.set(scope, "bucket", "a", objectRecord("file-3", { modifiedAt: 3 }));
  assert.deepEqual(await entries(), []);
  const record = tagged("file-4", 4);
  await objects.set(scope, "bucket", "b", record);
  await links.link(scope, "bucket", "copy", { ...record, modifiedAt: 5 }, false, {});
  await links.link(scope, "bucket", "copy", { ...record, modifiedAt: 6 }, false, {});
  await links.link(scope, "bucket", "copy", { ...record, modifiedAt: 6 }, false, {});
  assert.deepEqual(await entries(), [[etag, 4], [etag, 6]]);
  assert.equal(await links.part(scope, "bucket", "copy", record), "named");
  assert.deepEqual(await entries(), [[etag, 4]]);
  await objects.remove(scope, "bucket", "b", record, "gone");
  assert.deepEqual(await entries(), []);
  await objects.set(scope, "bucket", "c", tagged("file-5", 7));
  await objects.forget(scope.provider, fileId("file-5"));
  assert.deepEqual(await entries(), []);
});

Deno.test("a write's conditions take the ETag as well as the file's id", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  await objects.set(scope, "bucket", "a", tagged("file-1", 1));
  const next = tagged("file-2", 2);
  for (const condition of [{ files: ["x"] }, { notFiles: [etag] }, { notFiles: ["file-1"] }]) {
    await assert.rejects(objects.set(scope, "bucket", "a", next, condition), {
      kind: "precondition",
    });
  }
  await objects.set(scope, "bucket", "a", next, { files: [etag] });
  await objects.set(scope, "bucket", "a", tagged("file-3", 3), { files: ["file-2"] });
  assert.equal((await objects.get(scope, "bucket", "a"))?.file, "file-3");
  assert.ok((await open.kv.get(keys.etag(scope, "bucket", etag, 3, "a"))).value);
});
