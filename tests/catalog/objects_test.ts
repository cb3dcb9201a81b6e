import assert from "node:assert/strict";
import type { Held } from "../../catalog/held.ts";
import { fileId } from "../../codecs/ids.ts";
import { Failure } from "../../codecs/failure.ts";
import { all, jobRecord, objectRecord, openCatalog, scope, temporaryFolder } from "./memory.ts";

const utf8 = new TextEncoder();
const start = new Uint8Array();

/** A provider file of an account. */
const held = (file: string, account: string): Held => ({
  in: "provider",
  file: fileId(file),
  account,
});

Deno.test("an object is found only under its own bucket, provider and tenant", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const record = objectRecord("file-1", { metadata: { a: "b" } });
  await objects.set(scope, "bucket", "key", record);
  assert.deepEqual(await objects.get(scope, "bucket", "key"), record);
  assert.equal(await objects.get(scope, "other", "key"), undefined);
  assert.equal(await objects.get({ ...scope, tenant: "b" }, "bucket", "key"), undefined);
  assert.equal(await objects.get({ ...scope, provider: "b" }, "bucket", "key"), undefined);
});

Deno.test("replacing an object throws the old file away in the same step", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const old = objectRecord("file-1", { held: held("file-1", "first") });
  await objects.set(scope, "bucket", "key", old);
  assert.deepEqual(
    await objects.set(
      scope,
      "bucket",
      "key",
      objectRecord("file-2", { held: held("file-2", "second") }),
    ),
    old,
  );
  assert.equal((await objects.file("cloud", fileId("file-1")))?.state, "trash");
  assert.equal((await objects.file("cloud", fileId("file-2")))?.state, "current");
  // The account that holds the file, not that of its successor.
  assert.deepEqual(await all(objects.trash()), [
    { provider: "cloud", file: "file-1", held: held("file-1", "first") },
  ]);
  await objects.forget("cloud", fileId("file-1"));
  assert.deepEqual(await all(objects.trash()), []);
  assert.equal(await objects.file("cloud", fileId("file-1")), undefined);
});

Deno.test("a write that is repeated after it was applied does not conflict with itself", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const record = objectRecord("file-1");
  await objects.set(scope, "bucket", "key", record, { absent: true });
  assert.equal(await objects.set(scope, "bucket", "key", record, { absent: true }), undefined);
  assert.deepEqual(await all(objects.trash()), []);
});

Deno.test("a write happens only where its condition holds", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const write = (file: string, condition: Parameters<typeof objects.set>[4]) =>
    objects.set(scope, "bucket", "key", objectRecord(file), condition);
  const kind = (expected: string) => (error: unknown) =>
    error instanceof Failure && error.kind === expected;
  await assert.rejects(write("file-1", { files: [] }), kind("not-found"));
  await write("file-1", { absent: true });
  await assert.rejects(write("file-2", { absent: true }), kind("precondition"));
  await assert.rejects(write("file-2", { notFiles: ["file-0", "file-1"] }), kind("precondition"));
  await assert.rejects(write("file-2", { files: ["file-9"] }), kind("precondition"));
  assert.equal((await objects.get(scope, "bucket", "key"))?.file, "file-1");
  await write("file-2", { files: ["file-9", "file-1"] });
  await write("file-3", { files: [] });
  assert.equal((await objects.get(scope, "bucket", "key"))?.file, "file-3");
});

Deno.test("an expired object counts as absent, and its file goes to the trash", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  await objects.set(scope, "bucket", "key", objectRecord("file-1", { expiresAt: 500 }));
  await objects.set(scope, "bucket", "key", objectRecord("file-2"), { absent: true });
  assert.deepEqual((await all(objects.trash())).map(({ file }) => file), ["file-1"]);
});

Deno.test("of many writers who want an absent key one wins", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const outcomes = await Promise.allSettled(
    Array.from(
      { length: 20 },
      (_, n) => objects.set(scope, "bucket", "key", objectRecord(`file-${n}`), { absent: true }),
    ),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  assert.deepEqual(await all(objects.trash()), []);
});

Deno.test("of many overwrites each loser is in the trash, the winner is not", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  await Promise.all(
    Array.from(
      { length: 20 },
      (_, n) => objects.set(scope, "bucket", "key", objectRecord(`file-${n}`)),
    ),
  );
  const winner = (await objects.get(scope, "bucket", "key"))?.file;
  const trash = (await all(objects.trash())).map(({ file }) => file);
  assert.equal(trash.length, 19);
  assert.ok(winner && !trash.includes(winner));
});

Deno.test("removing takes the name away only while it stands for that file", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const old = objectRecord("file-1");
  await objects.set(scope, "bucket", "key", old);
  await objects.set(scope, "bucket", "key", objectRecord("file-2"));
  await objects.remove(scope, "bucket", "key", old, "gone");
  assert.equal((await objects.get(scope, "bucket", "key"))?.file, "file-2");
  assert.deepEqual(await all(objects.trash()), []);
  await objects.remove(scope, "bucket", "key", objectRecord("file-2"), "trash");
  assert.equal(await objects.get(scope, "bucket", "key"), undefined);
  assert.deepEqual((await all(objects.trash())).map(({ file }) => file), ["file-2"]);
});

Deno.test("keys come in the order of their UTF-8 bytes, not of JavaScript strings", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  // U+FF5E is one unit 0xFF5E; U+1F600 is a surrogate pair that begins with 0xD83D.
  const keys = ["", "a", "a\0", "a\0b", "a/", "a/b", "aa", "é", "～", "😀"].slice(1);
  for (const key of keys.toReversed()) {
    await objects.set(scope, "bucket", key, objectRecord(`file-${key}`));
  }
  await objects.set(scope, "bucket2", "a", objectRecord("file-other"));
  const found = await objects.range(scope, "bucket", start, undefined, 100);
  assert.deepEqual(found.map(({ key }) => key), keys);
  const some = await objects.range(scope, "bucket", utf8.encode("a\0b"), utf8.encode("é"), 100);
  assert.deepEqual(some.map(({ key }) => key), ["a\0b", "a/", "a/b", "aa"]);
  const few = await objects.range(scope, "bucket", utf8.encode("a/"), undefined, 2);
  assert.deepEqual(few.map(({ key }) => key), ["a/", "a/b"]);
});

Deno.test("a range may hold more objects than one batch of the catalog", async () => {
  using open = await openCatalog();
  for (let at = 0; at < 1_100; at += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        open.catalog.objects.set(
          scope,
          "bucket",
          `${10_000 + at + n}`,
          objectRecord(`file-${at + n}`),
        )),
    );
  }
  const found = await open.catalog.objects.range(scope, "bucket", start, undefined, 1_050);
  assert.equal(found.length, 1_050);
  assert.equal(found.at(-1)?.key, "11049");
});

Deno.test("a key of 1,024 bytes is kept, one that Deno KV has no room for is refused", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  const longest = "😀".repeat(256);
  await objects.set(scope, "b".repeat(63), longest, objectRecord("file-1"));
  assert.equal((await objects.get(scope, "b".repeat(63), longest))?.file, "file-1");
  const tooLong = (error: unknown) =>
    error instanceof Failure && error.details.s3 === "KeyTooLongError";
  await assert.rejects(objects.get(scope, "bucket", "\0".repeat(1_024)), tooLong);
  await assert.rejects(
    objects.range(scope, "bucket", utf8.encode("p".repeat(3_000)), undefined, 1),
    tooLong,
  );
});

Deno.test("of files of all ages those that were put through the gateway are known", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  for (const file of ["file-a", "file-m", "file-z"]) {
    await objects.set(scope, "bucket", file, objectRecord(file));
  }
  await objects.set(scope, "bucket", "file-m", objectRecord("file-m2"));
  const asked = [..."zyxwvutsrqponmlkjihgfedcba"].map((letter) => fileId(`file-${letter}`));
  // In the trash is known, too.
  assert.deepEqual([...await objects.known("cloud", asked)].sort(), ["file-a", "file-m", "file-z"]);
  assert.deepEqual(await objects.known("other", asked), new Set());
  assert.deepEqual(await objects.known("cloud", []), new Set());
});

Deno.test("a file is in use while a job reads it or is being created", async () => {
  using open = await openCatalog();
  const { objects, jobs } = open.catalog;
  const file = fileId("file-in");
  const [one, two] = [jobRecord(1), jobRecord(2)];
  assert.equal(await objects.hasUses("cloud", file), false);
  assert.ok(await jobs.adopt(scope, one, {}));
  assert.ok(await jobs.adopt(scope, two, {}));
  await jobs.update(scope, one.id, (job) => ({ ...job, status: "Failed" }));
  assert.equal(await objects.hasUses("cloud", file), true);
  await jobs.update(scope, two.id, (job) => ({ ...job, status: "Completed" }));
  assert.equal(await objects.hasUses("cloud", file), false);
});

Deno.test("two processes' handles on one file lose no write to each other", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/deeper/catalog.kv`;
  using one = await openCatalog(path);
  using two = await openCatalog(path);
  await Promise.all(
    [one, two].flatMap(({ catalog }, handle) =>
      Array.from(
        { length: 40 },
        (_, n) =>
          catalog.objects.set(scope, "bucket", `key-${n % 8}`, objectRecord(`file-${handle}-${n}`)),
      )
    ),
  );
  const current = await one.catalog.objects.range(scope, "bucket", start, undefined, 100);
  assert.equal(current.length, 8);
  const trash = await all(two.catalog.objects.trash());
  // 80 files: 8 are named, and every other is known to be rubbish.
  assert.equal(
    new Set([...trash, ...current.map(({ record }) => record)].map(({ file }) => file)).size,
    80,
  );
});

Deno.test("what was written is there after the file is opened again", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  {
    using first = await openCatalog(path);
    await first.catalog.objects.set(scope, "bucket", "key", objectRecord("file-1"));
  }
  using again = await openCatalog(path);
  assert.equal((await again.catalog.objects.get(scope, "bucket", "key"))?.file, "file-1");
});
