import assert from "node:assert/strict";
import { createCatalog } from "../../catalog/catalog.ts";
import { writeJob } from "../../catalog/jobs.ts";
import { keys, nativeTenant, type Scope } from "../../catalog/keys.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import type { JobStatus } from "../../codecs/job_status.ts";
import { type JobPage, listJobs, type ListJobsRequest } from "../../jobs/list.ts";
import { countingKv, type Reads } from "../catalog/counting.ts";
import { idsOf, jobRecord, openCatalog, scope, sleep } from "../catalog/memory.ts";
import { createDouble } from "../double.ts";

const native: Scope = { ...scope, tenant: nativeTenant };
const newest = { maxResults: 100, sortOrder: "Descending" } as const;

/** A catalog of jobs, and what lists them and counts. */
async function jobsOf(count: number) {
  const { kv, reads } = countingKv((await openCatalog()).kv);
  const catalog = createCatalog(kv, sleep);
  const reach = { tenant: scope.tenant, native: true, provider: createDouble().provider };
  const records: JobEntry[] = [];
  for (let at = 0; at < count; at += 100) {
    const step = kv.atomic();
    for (let n = at; n < Math.min(at + 100, count); n++) {
      const status: JobStatus = n % 1_000 === 500 ? "Failed" : "Completed";
      const job = jobRecord(1_000_000 + n, { name: `job-${n}`, status });
      records.push(job);
      writeJob(step, n % 5 === 0 ? native : scope, job, undefined);
    }
    assert.ok((await step.commit()).ok);
  }
  const list = (more: Partial<ListJobsRequest> = {}) =>
    listJobs({ catalog }, reach, { ...newest, ...more });
  /** Lists, and tells what was read for it. */
  const counted = async (more: Partial<ListJobsRequest>): Promise<[JobPage, Reads]> => {
    Object.assign(reads, { listed: 0, got: 0 });
    return [await list(more), { ...reads }];
  };
  return { kv, catalog, reads, records, list, counted, [Symbol.dispose]: () => kv.close() };
}

Deno.test("a page costs the page, whatever it asks for and however many jobs there are", async () => {
  for (const count of [1_000, 5_000]) {
    using world = await jobsOf(count);
    const middle = 1_000_000 + count / 2;
    const asked: Partial<ListJobsRequest>[] = [
      {},
      { sortOrder: "Ascending" },
      { submitTimeAfter: middle },
      { submitTimeBefore: middle },
      { sortOrder: "Ascending", submitTimeAfter: middle },
      { statusEquals: "Completed" },
      { statusEquals: "Completed", submitTimeBefore: middle },
    ];
    for (const more of asked) {
      const [page, reads] = await world.counted(more);
      assert.equal(page.jobs.length, 100);
      // A page and one more, of the caller's jobs and of native ones; the records once.
      assert.equal(reads.listed, 202, JSON.stringify(more));
      assert.equal(reads.got, more.statusEquals ? 100 : 0, JSON.stringify(more));
    }
  }
});

Deno.test("a rare status costs the jobs that have it", async () => {
  using world = await jobsOf(5_000);
  const [page, reads] = await world.counted({ statusEquals: "Failed" });
  assert.deepEqual(
    page.jobs.map(({ name }) => name),
    [4_500, 3_500, 2_500, 1_500, 500].map((n) => `job-${n}`),
  );
  assert.equal(page.next, undefined);
  assert.equal(reads.got, 5);
  const [none, nothing] = await world.counted({ statusEquals: "Stopped" });
  assert.deepEqual(none.jobs, []);
  assert.equal(nothing.got, 0);
});

Deno.test("a part of a name costs names, and no job that has another", async () => {
  using world = await jobsOf(1_000);
  const [page, reads] = await world.counted({ nameContains: "b-77" });
  const names = [779, 778, 777, 776, 775, 774, 773, 772, 771, 770, 77].map((n) => `job-${n}`);
  assert.deepEqual(page.jobs.map(({ name }) => name), names);
  assert.equal(reads.got, names.length);
  const [both] = await world.counted({ nameContains: "b-5", statusEquals: "Failed" });
  assert.deepEqual(both.jobs.map(({ name }) => name), ["job-500"]);
});

Deno.test("pages of every filter and order hold each job once, native ones among them", async () => {
  using world = await jobsOf(300);
  const filters: [Partial<ListJobsRequest>, (job: JobEntry) => boolean][] = [
    [{}, () => true],
    [{ statusEquals: "Completed" }, () => true],
    [{ nameContains: "7" }, ({ name }) => name.includes("7")],
    [{ submitTimeAfter: 1_000_100, submitTimeBefore: 1_000_222, statusEquals: "Completed" }, (
      { submittedAt },
    ) => submittedAt > 1_000_100 && submittedAt < 1_000_222],
  ];
  for (const sortOrder of ["Ascending", "Descending"] as const) {
    for (const [filter, fits] of filters) {
      const found: JobEntry[] = [];
      let after: JobPage["next"];
      do {
        const request = { ...filter, sortOrder, maxResults: 7, ...(after && { after }) };
        const page = await world.list(request);
        found.push(...page.jobs);
        assert.ok(page.jobs.length === 7 || page.next === undefined);
        after = page.next;
      } while (after !== undefined);
      const expected = idsOf(world.records.filter(fits));
      if (sortOrder === "Descending") expected.reverse();
      assert.deepEqual(idsOf(found), expected);
    }
  }
});

Deno.test("a job that moves on is listed only under its new status, and keeps its name", async () => {
  using world = await jobsOf(10);
  const job = world.records[3];
  assert.ok(job);
  await world.catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Stopped" }));
  const stopped = await world.list({ statusEquals: "Stopped" });
  assert.deepEqual(idsOf(stopped.jobs), [job.id]);
  const completed = await world.list({ statusEquals: "Completed" });
  assert.equal(completed.jobs.length, 9);
  // Not only in passing, by being read and left out.
  const found = await world.catalog.jobs.matching(scope, { descending: true }, {
    status: "Completed",
  });
  assert.ok(!found.includes(job.id));
  assert.deepEqual(idsOf((await world.list({ nameContains: job.name })).jobs), [job.id]);
});

Deno.test("a caller that may use only some buckets has full pages of the jobs in these", async () => {
  using world = await jobsOf(300);
  const reach = {
    tenant: scope.tenant,
    native: false,
    provider: createDouble().provider,
    mayUse: (bucket: string) => bucket === "mine",
  };
  const mine = jobRecord(1_000_050, {
    name: "mine-1",
    inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://mine/in" } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://mine/out/" } },
  });
  const later = { ...mine, ...pick(jobRecord(1_000_250)), name: "mine-2" };
  for (const job of [mine, later]) await world.catalog.jobs.adopt(scope, job, {});
  const list = (more: Partial<ListJobsRequest>) =>
    listJobs({ catalog: world.catalog }, reach, { ...newest, maxResults: 1, ...more });
  for (const filter of [{}, { nameContains: "mine" }, { statusEquals: mine.status }]) {
    const first = await list(filter);
    assert.deepEqual(idsOf(first.jobs), [later.id]);
    assert.equal(first.next, later.id);
    const second = await list({ ...filter, ...(first.next && { after: first.next }) });
    assert.deepEqual(idsOf(second.jobs), [mine.id]);
    assert.equal(second.next, undefined);
  }
});

Deno.test("a page looks at a bounded number of jobs, and may be short", async () => {
  using world = await jobsOf(2_500);
  const reach = {
    tenant: scope.tenant,
    native: false,
    provider: createDouble().provider,
    mayUse: (bucket: string) => bucket === "mine",
  };
  const mine = jobRecord(1_000_050, {
    name: "mine",
    status: "Completed",
    inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://mine/in" } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://mine/out/" } },
  });
  await world.catalog.jobs.adopt(scope, mine, {});
  const filters: Partial<ListJobsRequest>[] = [
    {},
    { statusEquals: "Completed" },
    { nameContains: "n" },
    { nameContains: "mine" },
    { sortOrder: "Ascending" },
  ];
  for (const filter of filters) {
    const found: JobEntry[] = [];
    let after: JobPage["next"];
    let pages = 0;
    do {
      Object.assign(world.reads, { listed: 0, got: 0 });
      const page = await listJobs({ catalog: world.catalog }, reach, {
        ...newest,
        maxResults: 1,
        ...filter,
        ...(after && { after }),
      });
      assert.ok(world.reads.listed + world.reads.got <= 2_600, JSON.stringify(world.reads));
      found.push(...page.jobs);
      after = page.next;
      pages++;
    } while (after !== undefined && pages < 10);
    assert.deepEqual(idsOf(found), [mine.id], JSON.stringify(filter));
    assert.ok(pages <= 5, `${pages} pages`);
  }
});

Deno.test("a search for a rare name ends its page after a bounded number of entries", async () => {
  using world = await jobsOf(10);
  // Names of others, old and native, by their index alone: no job of these is to be read.
  const names = Array.from({ length: 12_000 }, (_, n) => jobRecord(2_000_000 + n).id);
  for (let at = 0; at < names.length; at += 500) {
    const step = world.kv.atomic();
    for (const id of names.slice(at, at + 500)) step.set(keys.jobName(scope, id), "other");
    assert.ok((await step.commit()).ok);
  }
  const rare = { nameContains: "job-", maxResults: 5 };
  const [first, { listed }] = await world.counted(rare);
  // The native ones were all found, and are told once the others were looked at as far.
  assert.deepEqual(first.jobs, []);
  assert.equal(first.next, names.at(-10_000));
  assert.ok(listed <= 10_600, `${listed}`);
  const [second] = await world.counted({ ...rare, ...(first.next && { after: first.next }) });
  const [third] = await world.counted({ ...rare, ...(second.next && { after: second.next }) });
  assert.deepEqual(
    [...second.jobs, ...third.jobs].map(({ name }) => name),
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map((n) => `job-${n}`),
  );
  assert.equal(third.next, undefined);
});

Deno.test("a list ends once its client has gone", async () => {
  using world = await jobsOf(500);
  const gone = new AbortController();
  const reach = {
    tenant: scope.tenant,
    native: false,
    provider: createDouble().provider,
    mayUse: () => {
      gone.abort(new Error("the client has gone"));
      return false;
    },
  };
  const listing = listJobs({ catalog: world.catalog }, reach, newest, gone.signal);
  await assert.rejects(listing, /the client has gone/);
  assert.ok(world.reads.listed <= 300, `${world.reads.listed}`);
});

function pick(job: JobEntry) {
  return { id: job.id, plan: job.plan, submittedAt: job.submittedAt };
}
