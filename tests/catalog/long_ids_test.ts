import assert from "node:assert/strict";
import { examine } from "../../care/examine.ts";
import { keys } from "../../catalog/keys.ts";
import { dropMoment } from "../../catalog/moment.ts";
import { batchId, fileId } from "../../codecs/ids.ts";
import { all, jobRecord, objectRecord, openCatalog, scope, sleep } from "./memory.ts";

const { provider } = scope;

/** Ids of the greatest length, which differ in their last character alone. */
const long = (end: string) => `file-${"x".repeat(2_042)}${end}`;
const first = fileId(long("1"));
const second = fileId(long("2"));
const key = "k".repeat(1_024);

for (const length of [256, 257, 2_048]) {
  Deno.test(`a file of an id of ${length} characters has names, an end and a place in the trash`, async () => {
    using open = await openCatalog();
    const { kv, catalog: { objects, links, expiry } } = open;
    const id = fileId("f".repeat(length));
    const record = objectRecord(id, { expiresAt: 9_000 });
    await objects.set(scope, "bucket", key, record);
    await links.link(scope, "bucket", `copy-${key.slice(5)}`, record, false, {});
    assert.equal((await objects.file(provider, id))?.key, key);
    assert.deepEqual(await all(examine(kv, sleep)), []);

    await objects.remove(scope, "bucket", key, record, "trash");
    await objects.remove(scope, "bucket", `copy-${key.slice(5)}`, record, "trash");
    assert.deepEqual((await all(objects.trash())).map(({ file }) => file), [id]);
    assert.deepEqual(await all(examine(kv, sleep)), []);

    await objects.forget(provider, id);
    await objects.set(scope, "bucket", "again", record);
    await expiry.forgetExpired(9_001, new AbortController().signal);
    assert.equal(await objects.get(scope, "bucket", "again"), undefined);
    assert.equal(await objects.file(provider, id), undefined);
  });
}

Deno.test("a backup that comes back keeps the file of a long id that an object names", async () => {
  using open = await openCatalog();
  const { kv, catalog: { objects } } = open;
  const record = objectRecord(first);
  await objects.set(scope, "bucket", "a", record);
  const owner = await objects.file(provider, first);
  // As a moment in the middle of a delete: thrown away, and still named.
  await kv.set(keys.file(provider, first), { ...owner, state: "trash" });
  await kv.set(keys.trashed(provider, first), { id: first, held: record.held });
  await dropMoment(kv, sleep, 2_000, 1_000);
  assert.deepEqual(await all(objects.trash()), []);
  assert.equal((await objects.file(provider, first))?.state, "current");
});

Deno.test("long ids that begin alike are not mixed up", async () => {
  using open = await openCatalog();
  const { objects } = open.catalog;
  await objects.set(scope, "bucket", "1", objectRecord(first));
  assert.deepEqual(await objects.known(provider, [first, second]), new Set([first]));
  assert.equal(await objects.file(provider, second), undefined);
});

Deno.test("a job with long ids is found by its batch, and care mends what leads to it", async () => {
  using open = await openCatalog();
  const { kv, catalog: { objects, jobs } } = open;
  await objects.set(scope, "bucket", "a", objectRecord(first));
  const batch = batchId(`batch_${"y".repeat(2_000)}`);
  const job = jobRecord(1_000, { file: first, batch, results: [second] });
  await jobs.adopt(scope, job, {});
  assert.equal((await jobs.batch(provider, batch))?.id, job.id);
  assert.equal(await objects.hasUses(provider, first), true);
  assert.equal(await objects.hasUses(provider, second), false);
  assert.deepEqual(await all(examine(kv, sleep)), []);

  await kv.delete(keys.batch(provider, batch));
  await kv.delete(keys.file(provider, first));
  for await (const { mend } of examine(kv, sleep)) assert.ok(await mend?.());
  assert.equal((await jobs.batch(provider, batch))?.id, job.id);
  assert.equal((await objects.file(provider, first))?.id, first);
  assert.deepEqual(await all(examine(kv, sleep)), []);
});

Deno.test("a batch entry of another job than the one with its long id is found", async () => {
  using open = await openCatalog();
  const { kv, catalog: { jobs } } = open;
  const job = jobRecord(1_000, { batch: batchId("b".repeat(300)) });
  await jobs.adopt(scope, job, {});
  const stray = keys.batch(provider, batchId("c".repeat(300)));
  await kv.set(stray, { tenant: scope.tenant, id: job.id, over: false });
  assert.deepEqual((await all(examine(kv, sleep))).map(({ kind }) => kind), ["stray-batch"]);
});
