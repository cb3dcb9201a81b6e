import assert from "node:assert/strict";
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import { openLocation } from "../../catalog/location.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { countingKv } from "./counting.ts";
import { jobRecord, scope, sleep, temporaryFolder } from "./memory.ts";

/** Two gateways' catalogs over one file, and what the first reads by keys. */
async function openTwo() {
  const folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const opened = await openLocation({ kind: "file", path }, { sleep });
  const counted = countingKv(opened.kv);
  const other = await openKv(path);
  return {
    one: createCatalog(counted.kv, sleep),
    two: createCatalog(other, sleep),
    reads: counted.reads,
    async [Symbol.asyncDispose]() {
      other.close();
      await opened.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const ended = (job: JobEntry): JobEntry => ({
  ...job,
  status: "Completed",
  endedAt: job.submittedAt + 1,
  modifiedAt: job.submittedAt + 1,
});

Deno.test("a job that is over is read once, whatever other processes write meanwhile", async () => {
  await using opened = await openTwo();
  const { one, two, reads } = opened;
  const job = jobRecord(1_000);
  await two.journal.finish(scope, job);
  assert.equal(await one.jobs.settled.look(scope, job.id), undefined);
  assert.equal((await one.jobs.get(scope, job.id))?.status, job.status);
  await two.results.end(scope, job.id, ended, []);
  assert.equal((await one.jobs.get(scope, job.id))?.status, "Completed");
  const settled = await one.jobs.settled.look(scope, job.id);
  assert.equal(settled?.status, "Completed");
  const before = reads.got;
  for (let n = 0; n < 3; n++) {
    await two.journal.finish(scope, jobRecord(2_000 + n));
    await two.jobs.setTags(scope, job.id, { n: `${n}` }, []);
    assert.deepEqual(await one.jobs.get(scope, job.id), settled);
    assert.deepEqual(await one.jobs.settled.look(scope, job.id), settled);
    assert.deepEqual(await one.jobs.tags(scope, job.id), { n: `${n}` });
  }
  assert.equal(reads.got, before);
});

Deno.test("a job that goes on is what its last writer made of it, of whatever process", async () => {
  await using opened = await openTwo();
  const { one, two } = opened;
  const job = jobRecord(1_000);
  await one.journal.finish(scope, job);
  for (const status of ["Scheduled", "InProgress", "Stopping"] as const) {
    for (const [writer, reader] of [[one, two], [two, one]] as const) {
      const name = `${status} ${writer === one}`;
      await writer.jobs.update(scope, job.id, (old) => ({ ...old, status, message: name }));
      assert.equal(await reader.jobs.settled.look(scope, job.id), undefined);
      assert.equal((await reader.jobs.get(scope, job.id))?.message, name);
    }
  }
});

Deno.test("a job that was over when it was found is settled only with its results", async () => {
  await using opened = await openTwo();
  const { one, two } = opened;
  const job = ended(jobRecord(1_000));
  await two.jobs.adopt(scope, job, {});
  assert.equal(await one.jobs.settled.look(scope, job.id), undefined);
  assert.equal((await one.jobs.get(scope, job.id))?.counts, undefined);
  const counts = { total: 3, processed: 3, success: 2, error: 1 };
  await two.results.end(scope, job.id, (old) => ({ ...old, counts }), []);
  assert.deepEqual((await one.jobs.get(scope, job.id))?.counts, counts);
  assert.deepEqual((await one.jobs.settled.look(scope, job.id))?.counts, counts);
  // Nothing changes it any more.
  await two.results.end(scope, job.id, (old) => ({ ...old, message: "late" }), []);
  assert.equal((await two.jobs.get(scope, job.id))?.message, undefined);
});

Deno.test("a job is settled only for its own tenant and provider, and can be forgotten", async () => {
  await using opened = await openTwo();
  const { one, two, reads } = opened;
  const job = jobRecord(1_000);
  await two.journal.finish(scope, job);
  await two.results.end(scope, job.id, ended, []);
  assert.ok(await one.jobs.settled.look(scope, job.id));
  for (const other of [{ ...scope, tenant: "other" }, { ...scope, provider: "other" }]) {
    assert.equal(await one.jobs.settled.look(other, job.id), undefined);
    assert.equal(await one.jobs.get(other, job.id), undefined);
  }
  one.jobs.settled.forget(scope, job.id);
  const before = reads.got;
  assert.ok(await one.jobs.get(scope, job.id));
  assert.equal(reads.got, before + 1);
});
