import assert from "node:assert/strict";
import { nativeTenant } from "../../catalog/keys.ts";
import { batchId, fileId } from "../../codecs/ids.ts";
import { all, batchIdOf, idsOf, jobRecord, openCatalog, scope, temporaryFolder } from "./memory.ts";

Deno.test("jobs are listed by submit time, from and before, both ways", async () => {
  using open = await openCatalog();
  const { jobs } = open.catalog;
  const records = [5_000, 1_000, 3_000, 2_000, 4_000].map((time) => jobRecord(time));
  for (const job of records) assert.ok(await jobs.adopt(scope, job, {}));
  await jobs.adopt({ ...scope, tenant: "other" }, jobRecord(2_500), {});
  const times = async (range: Parameters<typeof jobs.list>[1]) =>
    (await all(jobs.list(scope, range))).map(({ submittedAt }) => submittedAt);
  assert.deepEqual(await times({ descending: false }), [1_000, 2_000, 3_000, 4_000, 5_000]);
  assert.deepEqual(await times({ descending: true }), [5_000, 4_000, 3_000, 2_000, 1_000]);
  assert.deepEqual(await times({ descending: false, from: 2_000, before: 4_000 }), [2_000, 3_000]);
  assert.deepEqual(await times({ descending: true, from: 3_001 }), [5_000, 4_000]);
  assert.deepEqual(await times({ descending: false, from: 6_000, before: 2_000 }), []);
});

Deno.test("a page goes on after the last job of the one before, both ways", async () => {
  using open = await openCatalog();
  const { jobs } = open.catalog;
  // All of one millisecond: the rest of the id keeps them apart.
  const records = Array.from({ length: 6 }, () => jobRecord(7_000));
  for (const job of records) await jobs.adopt(scope, job, {});
  const ids = idsOf(records).sort();
  for (const descending of [false, true]) {
    const order = descending ? ids.toReversed() : ids;
    for (const [at, after] of order.entries()) {
      const found = await all(jobs.list(scope, { descending, after, from: 7_000, before: 7_001 }));
      assert.deepEqual(idsOf(found), order.slice(at + 1));
    }
  }
});

Deno.test("a batch is adopted once, whichever gateway sees it first", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const batch = batchId("batch_1");
  const native = { tenant: nativeTenant, provider: "cloud" };
  const outcomes = await Promise.all(
    [one, two, one, two].map(({ catalog }, n) =>
      catalog.jobs.adopt(native, jobRecord(1_000 + n, { batch, native: true }), { a: "b" })
    ),
  );
  assert.deepEqual(outcomes.filter((adopted) => adopted), [true]);
  assert.equal((await all(one.catalog.jobs.list(native, { descending: false }))).length, 1);
});

Deno.test("a job id that is taken is not adopted again for another batch", async () => {
  using open = await openCatalog();
  const first = jobRecord(1_000);
  assert.ok(await open.catalog.jobs.adopt(scope, first, {}));
  const second = { ...first, batch: batchId("batch_2") };
  assert.equal(await open.catalog.jobs.adopt(scope, second, {}), false);
  assert.equal(await open.catalog.jobs.batch("cloud", second.batch), undefined);
});

Deno.test("batches yield their jobs, in the order asked for, and whether these are over", async () => {
  using open = await openCatalog();
  const { jobs } = open.catalog;
  const records = Array.from({ length: 25 }, (_, n) => jobRecord(1_000 + n));
  for (const job of records) await jobs.adopt(scope, job, {});
  const last = records.at(-1);
  assert.ok(last);
  await jobs.update(scope, last.id, (job) => ({ ...job, status: "Stopped" }));
  const asked = [batchId("batch_x"), ...records.map(batchIdOf)];
  const owners = await jobs.batches("cloud", asked);
  assert.equal(owners[0], undefined);
  assert.deepEqual(owners.slice(1).map((owner) => owner?.id), idsOf(records));
  assert.deepEqual(owners.at(-1), { tenant: "default", id: last.id, over: true });
  assert.equal(owners.at(-2)?.over, false);
});

Deno.test("a job that is over is running no more, and keeps its description", async () => {
  using open = await openCatalog();
  const { jobs } = open.catalog;
  const [one, two] = [jobRecord(1_000), jobRecord(2_000, { message: "old" })];
  for (const job of [one, two]) await jobs.adopt(scope, job, {});
  const done = await jobs.update(scope, two.id, () => ({
    status: "Completed",
    stopRequested: false,
    modifiedAt: 9_000,
    results: [fileId("file-out")],
  }));
  assert.deepEqual(idsOf((await all(jobs.running())).map(({ job }) => job)), [one.id]);
  const { message: _, ...rest } = two;
  // What the progress does not tell any more is gone.
  assert.deepEqual(done, {
    ...rest,
    status: "Completed",
    modifiedAt: 9_000,
    results: ["file-out"],
  });
  assert.deepEqual(await jobs.get(scope, two.id), done);
});

Deno.test("moves of one job that come at once all happen, one after the other", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const job = jobRecord(1_000, { modifiedAt: 0 });
  await one.catalog.jobs.adopt(scope, job, {});
  await Promise.all(Array.from({ length: 20 }, (_, n) =>
    (n % 2 ? one : two).catalog.jobs.update(
      scope,
      job.id,
      (old) => ({ ...old, modifiedAt: old.modifiedAt + 1 }),
    )));
  assert.equal((await one.catalog.jobs.get(scope, job.id))?.modifiedAt, 20);
});

Deno.test("a native batch's input is left to its owner", async () => {
  using open = await openCatalog();
  const native = { tenant: nativeTenant, provider: "cloud" };
  await open.catalog.jobs.adopt(native, jobRecord(1_000, { native: true }), {});
  assert.equal(await open.catalog.objects.hasUses("cloud", fileId("file-in")), false);
});

Deno.test("tags are added, changed and taken away, and any name is just a name", async () => {
  using open = await openCatalog();
  const { jobs } = open.catalog;
  const job = jobRecord(1_000);
  await jobs.adopt(scope, job, Object.fromEntries([["__proto__", "p"], ["a", "1"], ["b", "2"]]));
  await jobs.setTags(scope, job.id, { a: "9", c: "3" }, ["b", "nothing"]);
  const tags = await jobs.tags(scope, job.id);
  assert.deepEqual(Object.entries(tags).sort(), [["__proto__", "p"], ["a", "9"], ["c", "3"]]);
});
