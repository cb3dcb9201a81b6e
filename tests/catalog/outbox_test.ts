/** Events: written with the change that they report, and with no other. */
import assert from "node:assert/strict";
import { rebuild } from "../../care/rebuild.ts";
import { createCatalog } from "../../catalog/catalog.ts";
import { judgeEntry } from "../../catalog/entry_kinds.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { keys } from "../../catalog/keys.ts";
import type { Outbox } from "../../catalog/outbox.ts";
import type { JobStatus } from "../../codecs/job_status.ts";
import {
  all,
  jobRecord,
  journalRecord,
  objectRecord,
  openCatalog,
  scope,
  sleep,
} from "./memory.ts";

const hook = { id: "t1", name: "https://a.example/" };
const bus = { id: "t2", name: "bus" };

/** A catalog that writes events for two receivers; only the second is sent those of other tenants. */
async function openOutbox() {
  const { kv, [Symbol.dispose]: dispose } = await openCatalog();
  let commits = 0;
  const outbox: Outbox = {
    targetsOf: (tenant) => tenant === scope.tenant ? [hook, bus] : [bus],
    committed: () => void commits++,
  };
  const catalog = createCatalog(kv, sleep, undefined, undefined, outbox);
  const waiting = async (target = hook.id) =>
    (await all(catalog.outbox.waiting(target))).map(({ entry, number }) =>
      `${number} ${entry.event.status}`
    );
  return { kv, catalog, waiting, commits: () => commits, [Symbol.dispose]: dispose };
}

/** A move to a status. */
function to(status: JobStatus, more: Partial<JobEntry> = {}) {
  return (job: JobEntry): JobEntry => ({ ...job, status, modifiedAt: job.modifiedAt + 1, ...more });
}

Deno.test("each change of a job's status is one event for each receiver, in order", async () => {
  using open = await openOutbox();
  const { catalog, waiting, kv } = open;
  const job = jobRecord(1_000, { status: "Submitted" });
  await catalog.journal.begin(scope, journalRecord(job), {});
  assert.deepEqual(await waiting(), []);
  await catalog.journal.finish(scope, job);
  await catalog.jobs.update(scope, job.id, to("InProgress"));
  // Nothing but its counts.
  await catalog.jobs.update(scope, job.id, (old) => ({
    ...old,
    counts: { total: 2, processed: 1, success: 1, error: 0 },
  }));
  await catalog.jobs.update(scope, job.id, () => undefined);
  await catalog.results.end(
    scope,
    job.id,
    to("Failed", { message: "why", counts: { total: 2, processed: 2, success: 1, error: 1 } }),
    [{ bucket: "out", key: "x", object: objectRecord("f") }],
  );
  await catalog.results.end(scope, job.id, to("Completed"), []);
  const expected = ["1 Submitted", "2 InProgress", "3 Failed"];
  assert.deepEqual(await waiting(hook.id), expected);
  assert.deepEqual(await waiting(bus.id), expected);
  const [, , last] = await all(catalog.outbox.waiting(bus.id));
  const { id, ...event } = last?.entry.event ?? assert.fail();
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(event, {
    job: job.id,
    name: job.name,
    modelId: "model",
    region: "us-west-2",
    status: "Failed",
    message: "why",
    submittedAt: 1_000,
    modifiedAt: 1_002,
    counts: { total: 2, processed: 2, success: 1, error: 1 },
  });
  const ids = (await all(catalog.outbox.waiting())).map(({ entry }) => entry.event.id);
  assert.equal(new Set(ids).size, 3);
  for await (const { key, value } of kv.list({ prefix: [] })) {
    assert.equal(judgeEntry(key, value), "right", JSON.stringify(key));
  }
  assert.ok(open.commits() >= 3);
});

Deno.test("the events of one job are found, those that wait and those that are done, within a bound", async () => {
  using open = await openOutbox();
  const { outbox, jobs, journal } = open.catalog;
  const [before, job, after] = [jobRecord(1_000), jobRecord(2_000), jobRecord(3_000)];
  for (const one of [before, job, after]) await journal.finish(scope, one);
  await jobs.update(scope, job.id, to("Completed"));
  const done = async (at: number, id: string, target: string, most: number) => {
    const own = (await all(outbox.waiting(target))).filter(({ entry }) => entry.event.job === id);
    for (const one of own.slice(0, most)) {
      await outbox.finish(one, { outcome: "delivered", at, tries: 1 });
    }
  };
  await done(500_000, before.id, hook.id, 9);
  await done(500_001, job.id, hook.id, 1);
  await done(500_002, after.id, hook.id, 9);
  const words = async (most: number) => {
    const { events, isWhole } = await outbox.ofJob(scope, job, most);
    return [
      isWhole,
      ...events.map(({ number, target, entry }) =>
        `${number} ${target} ${"outcome" in entry ? entry.outcome : "waits"}`
      ).sort(),
    ];
  };
  const waits = ["1 t2 waits", "2 t1 waits", "2 t2 waits"];
  assert.deepEqual(await words(10), [true, "1 t1 delivered", ...waits]);
  assert.deepEqual(await words(1), [false, ...waits]);
  const other = { ...scope, tenant: "other" };
  assert.deepEqual(await outbox.ofJob(other, job, 10), { events: [], isWhole: true });
});

Deno.test("a receiver is sent the events of its tenants only", async () => {
  using open = await openOutbox();
  const other = { ...scope, tenant: "other" };
  await open.catalog.journal.finish(other, jobRecord(1_000));
  assert.deepEqual(await open.waiting(hook.id), []);
  assert.deepEqual(await open.waiting(bus.id), ["1 InProgress"]);
});

Deno.test("a job that is found, mended or recorded twice is not an event", async () => {
  using open = await openOutbox();
  const { catalog, waiting, kv } = open;
  const found = jobRecord(1_000, { status: "Completed" });
  await catalog.jobs.adopt(scope, found, {});
  const made = jobRecord(2_000);
  await catalog.journal.finish(scope, made);
  await catalog.journal.finish(scope, { ...made, status: "Submitted" });
  await kv.delete(keys.jobName(scope, made.id));
  await rebuild(
    { kv, catalog, now: Date.now, sleep, region: "us-west-2" },
    [],
    new AbortController().signal,
  );
  assert.ok((await kv.get(keys.jobName(scope, made.id))).value);
  assert.deepEqual(await waiting(), ["1 InProgress"]);
  // Late results of a job that was over when it was found.
  await catalog.results.end(scope, found.id, (old) => ({ ...old }), []);
  assert.deepEqual(await waiting(), ["1 InProgress"]);
});

Deno.test("a step that is not committed leaves no event, and one that is repeated one", async () => {
  using open = await openOutbox();
  const { catalog, waiting } = open;
  const job = jobRecord(1_000, { status: "Submitted" });
  await catalog.journal.finish(scope, job);
  await Promise.all(
    Array.from(
      { length: 8 },
      () =>
        catalog.jobs.update(
          scope,
          job.id,
          (old) => old.status === "InProgress" ? undefined : to("InProgress")(old),
        ),
    ),
  );
  await assert.rejects(
    catalog.results.end(scope, job.id, to("Completed"), [], () => {
      throw new Error("no room");
    }),
    /no room/,
  );
  assert.deepEqual(await waiting(), ["1 Submitted", "2 InProgress"]);
});

Deno.test("an event that is done leaves the queue, and can be sent again to today's receivers", async () => {
  using open = await openOutbox();
  const { catalog: { journal, outbox }, waiting } = open;
  await journal.finish(scope, jobRecord(1_000));
  const [first] = await all(outbox.waiting(hook.id));
  assert.ok(first);
  await outbox.postpone(first.key, { nextAt: 9, tries: 1, error: "503" });
  assert.deepEqual((await all(outbox.waiting(hook.id)))[0]?.entry.error, "503");
  await outbox.finish(first, { outcome: "given-up", at: 50, tries: 2, error: "503" });
  await outbox.finish(first, { outcome: "delivered", at: 51, tries: 3 });
  assert.deepEqual(await waiting(hook.id), []);
  const [done, ...others] = await all(outbox.done());
  assert.ok(done);
  assert.deepEqual(others, []);
  assert.equal(done.entry.outcome, "given-up");
  await outbox.sendAgain(done.scope, done.number, done.entry.event, [hook], 60, [done.key]);
  assert.deepEqual(await waiting(hook.id), ["1 InProgress"]);
  assert.deepEqual(await all(outbox.done()), []);
  const [again] = await all(outbox.waiting(hook.id));
  assert.ok(again);
  await outbox.finish(again, { outcome: "delivered", at: 50, tries: 1 });
  await outbox.forget(50);
  assert.equal((await all(outbox.done())).length, 1);
  await outbox.forget(51);
  assert.equal((await all(outbox.done())).length, 0);
});
