import assert from "node:assert/strict";
import type { PartEntry, UploadEntry } from "../../catalog/entries.ts";
import type { UploadAddress } from "../../catalog/uploads.ts";
import { Failure } from "../../codecs/failure.ts";
import { all, objectRecord, openCatalog, scope } from "./memory.ts";

const record: UploadEntry = { startedAt: 1, contentType: "a/b", headers: {}, metadata: {} };
const upload = (id: string, key = "key"): UploadAddress => ({ scope, bucket: "bucket", key, id });
const part = (file: string, bytes: number): PartEntry => ({
  file,
  bytes,
  md5: file,
  modifiedAt: 1,
  checksums: {},
});
const accept = () => {};
const isCode = (code: string) => (error: unknown) =>
  error instanceof Failure && (error.details.s3 ?? error.kind) === code;

Deno.test("the sum of the parts stays exact when parts come at once and are replaced", async () => {
  using open = await openCatalog();
  const { uploads } = open.catalog;
  await uploads.create(upload("one"), record);
  const set = (number: number, bytes: number) =>
    uploads.setPart(upload("one"), number, part(`${number}-${bytes}`, bytes), 0, accept);
  await Promise.all(Array.from({ length: 20 }, (_, at) => set(at + 1, 100)));
  assert.equal(await uploads.bytes("one"), 2_000);
  assert.equal((await set(3, 1))?.bytes, 100);
  assert.equal(await uploads.bytes("one"), 1_901);
  const numbers = (await uploads.parts("one", 18, 10)).map(({ number }) => number);
  assert.deepEqual(numbers, [19, 20]);
});

Deno.test("a part that is not accepted, or whose upload is no more, is not recorded", async () => {
  using open = await openCatalog();
  const { uploads } = open.catalog;
  await uploads.create(upload("one"), record);
  const refuse = (bytes: number) => {
    throw new Failure("too-large", `${bytes}`);
  };
  const refused = uploads.setPart(upload("one"), 1, part("a", 7), 0, refuse);
  await assert.rejects(refused, isCode("too-large"));
  await uploads.remove(upload("one"), 0);
  const late = uploads.setPart(upload("one"), 1, part("a", 7), 0, accept);
  await assert.rejects(late, isCode("NoSuchUpload"));
  assert.deepEqual(await all(uploads.partOwners()), []);
});

Deno.test("while an upload is claimed no part comes, and no other process claims it or takes it away", async () => {
  using open = await openCatalog();
  const { uploads } = open.catalog;
  await uploads.create(upload("one"), record);
  const lease = uploads.lease(upload("one"));
  const claim = (owner: string, now: number) => lease.take({ owner, now, until: now + 10 });
  assert.ok(await claim("a", 0));
  assert.ok(!await claim("b", 5));
  assert.ok(await claim("a", 5));
  const late = uploads.setPart(upload("one"), 1, part("a", 7), 9, accept);
  await assert.rejects(late, isCode("conflict"));
  await assert.rejects(uploads.remove(upload("one"), 9), isCode("conflict"));
  // Its owner died over it.
  assert.ok(await claim("b", 15));
  assert.ok(!await lease.prolong("a", 30));
  await lease.release("a");
  assert.ok(!await claim("c", 16));
  await lease.release("b");
  await uploads.setPart(upload("one"), 1, part("a", 7), 16, accept);
  assert.ok(await claim("c", 16));
  assert.ok(await lease.prolong("c", 30));
  assert.ok(!await uploads.lease(upload("two")).take({ owner: "c", now: 0, until: 9 }));
  await uploads.remove(upload("one"), 30);
  assert.ok(!await lease.prolong("c", 40));
});

Deno.test("a finished upload is gone and remembered for a time, its parts are found as left over", async () => {
  using open = await openCatalog();
  const { uploads } = open.catalog;
  for (const id of ["one", "two", "three"]) {
    await uploads.create(upload(id), record);
    for (const number of [1, 2, 3]) {
      await uploads.setPart(upload(id), number, part(`${number}`, 1), 0, accept);
    }
  }
  const { tenant, provider } = scope;
  const done = { tenant, provider, bucket: "bucket", key: "key", completedAt: 5 };
  await uploads.finish(upload("one"), { ...done, record: objectRecord("file-1") });
  assert.equal(await uploads.get(upload("one")), undefined);
  assert.equal(await uploads.bytes("one"), 0);
  assert.deepEqual((await all(uploads.all())).map(({ id }) => id).sort(), ["three", "two"]);
  assert.deepEqual((await all(uploads.partOwners())).sort(), ["one", "three", "two"]);
  await uploads.forgetParts("one");
  assert.deepEqual((await all(uploads.partOwners())).sort(), ["three", "two"]);
  await uploads.forgetCompleted(5);
  assert.equal((await uploads.completed("one"))?.record.file, "file-1");
  await uploads.forgetCompleted(6);
  assert.equal(await uploads.completed("one"), undefined);
});

Deno.test("an upload is found only under its own tenant, bucket and key", async () => {
  using open = await openCatalog();
  const { uploads } = open.catalog;
  await uploads.create(upload("one"), record);
  assert.ok(await uploads.get(upload("one")));
  assert.equal(await uploads.get(upload("one", "other")), undefined);
  const other = { ...upload("one"), scope: { ...scope, tenant: "other" } };
  assert.equal(await uploads.get(other), undefined);
});
