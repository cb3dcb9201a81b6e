import assert from "node:assert/strict";
import type { JobEntry } from "../../catalog/entries.ts";
import { noAmounts } from "../../catalog/limits.ts";
import type { ShardedPlan } from "../../catalog/plan.ts";
import { fileId } from "../../codecs/ids.ts";
import {
  all,
  batchIdOf,
  jobRecord,
  journalRecord,
  objectRecord,
  openCatalog,
  scope,
  temporaryFolder,
} from "./memory.ts";

const promise = { token: "token", digest: "digest" };
const input = fileId("file-in");

Deno.test("an entry promises its job to the token, keeps its tags, and holds its input", async () => {
  using open = await openCatalog();
  const { journal, jobs, objects } = open.catalog;
  const job = jobRecord(1_000);
  const entry = journalRecord(job, { promise });
  assert.ok(await journal.begin(scope, entry, { a: "1" }));
  assert.equal(await journal.promised(scope, "token", "digest"), job.id);
  assert.equal(await journal.promised(scope, "token", "other"), undefined);
  assert.equal(await journal.promised({ ...scope, tenant: "b" }, "token", "digest"), undefined);
  assert.deepEqual(await jobs.tags(scope, job.id), { a: "1" });
  assert.ok(await objects.hasUses("cloud", input));
  assert.deepEqual(await all(journal.entries()), [{ scope, entry }]);
  assert.equal(await jobs.get(scope, job.id), undefined);
});

Deno.test("a token is promised to one job, however many begin at once on two handles", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const begun = await Promise.all(Array.from({ length: 20 }, (_, n) => {
    const { journal } = (n % 2 ? one : two).catalog;
    return journal.begin(scope, journalRecord(jobRecord(1_000 + n), { promise }), {});
  }));
  assert.equal(begun.filter((won) => won).length, 1);
  assert.equal((await all(one.catalog.journal.entries())).length, 1);
});

Deno.test("a token that stands for a job is never given to another, over or under way", async () => {
  using open = await openCatalog();
  const { journal } = open.catalog;
  const first = jobRecord(1_000);
  const second = journalRecord(jobRecord(2_000), { promise });
  await journal.begin(scope, journalRecord(first, { promise }), {});
  assert.equal(await journal.begin(scope, second, {}), false);
  await journal.finish(scope, first);
  assert.equal(await journal.begin(scope, second, {}), false);
  assert.equal(await journal.get(scope, second.job.id), undefined);
});

Deno.test("a lease keeps others out until it has run out", async () => {
  using open = await openCatalog();
  const { journal } = open.catalog;
  const job = jobRecord(1_000);
  await journal.begin(scope, journalRecord(job, { owner: "one", leaseUntil: 100, askedAt: 7 }), {});
  const lease = (owner: string, now: number, asked = false) =>
    journal.lease(scope, job.id, owner, now, now + 50, asked ? now : undefined);
  assert.equal(await lease("two", 99), undefined);
  assert.equal((await lease("one", 90))?.leaseUntil, 140);
  assert.equal(await lease("two", 139), undefined);
  const taken = await lease("two", 140);
  assert.deepEqual([taken?.owner, taken?.askedAt], ["two", 7]);
  assert.equal(await lease("one", 150), undefined);
  assert.equal((await lease("two", 160, true))?.askedAt, 160);
});

Deno.test("of many who want a lease that ran out one gets it", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const job = jobRecord(1_000);
  await one.catalog.journal.begin(scope, journalRecord(job), {});
  const leases = await Promise.all(
    Array.from(
      { length: 10 },
      (_, n) =>
        (n % 2 ? one : two).catalog.journal.lease(scope, job.id, `g${n}`, 200, 300, undefined),
    ),
  );
  assert.equal(leases.filter((lease) => lease).length, 1);
});

Deno.test("finishing turns the entry into a job that keeps token, tags and input", async () => {
  using open = await openCatalog();
  const { journal, jobs, objects } = open.catalog;
  const job = jobRecord(1_000);
  await journal.begin(scope, journalRecord(job, { promise }), { a: "1" });
  await journal.finish(scope, job);
  assert.equal(await journal.get(scope, job.id), undefined);
  assert.deepEqual(await jobs.get(scope, job.id), job);
  assert.equal(await journal.promised(scope, "token", "digest"), job.id);
  assert.deepEqual(await jobs.tags(scope, job.id), { a: "1" });
  assert.equal((await jobs.batch("cloud", batchIdOf(job)))?.id, job.id);
  assert.ok(await objects.hasUses("cloud", input));
  assert.equal(await journal.lease(scope, job.id, "one", 0, 1, 0), undefined);
});

Deno.test("a finish that is carried out once more, late, sets no job back", async () => {
  using open = await openCatalog();
  const { journal, jobs } = open.catalog;
  const job = jobRecord(1_000);
  await journal.begin(scope, journalRecord(job, { promise }), {});
  await journal.finish(scope, job);
  const ended = await jobs.update(scope, job.id, (old) => ({ ...old, status: "Completed" }));
  await journal.finish(scope, job);
  assert.deepEqual(await jobs.get(scope, job.id), ended);
  assert.deepEqual(await all(jobs.running()), []);
});

Deno.test("abandoning leaves an entry that another gateway holds by now", async () => {
  using open = await openCatalog();
  const { journal, objects } = open.catalog;
  const entry = journalRecord(jobRecord(1_000), { promise });
  await journal.begin(scope, entry, { a: "1" });
  const held = await journal.lease(scope, entry.job.id, "two", 200, 300, 200);
  await journal.abandon(scope, entry);
  assert.deepEqual(await journal.get(scope, entry.job.id), held);
  assert.equal(await journal.promised(scope, "token", "digest"), entry.job.id);
  assert.ok(await objects.hasUses("cloud", input));
});

Deno.test("abandoning frees token, tags and input, and leaves nothing of the job", async () => {
  using open = await openCatalog();
  const { journal, objects } = open.catalog;
  const entry = journalRecord(jobRecord(1_000), { promise });
  await journal.begin(scope, entry, { a: "1", b: "2" });
  await journal.abandon(scope, entry);
  assert.equal(await journal.promised(scope, "token", "digest"), undefined);
  assert.equal(await objects.hasUses("cloud", input), false);
  assert.deepEqual(await all(open.kv.list({ prefix: [] })), []);
});

Deno.test("abandoning leaves a token that was promised to another job since", async () => {
  using open = await openCatalog();
  const { journal } = open.catalog;
  const [old, young] = [jobRecord(1_000), jobRecord(2_000)];
  const entry = journalRecord(old, { promise });
  await journal.begin(scope, entry, {});
  await journal.abandon(scope, entry);
  await journal.begin(scope, journalRecord(young, { promise }), {});
  await journal.abandon(scope, entry);
  assert.equal(await journal.promised(scope, "token", "digest"), young.id);
});

Deno.test("of jobs that one token stands for the first is returned, however the parameters sort", async () => {
  using open = await openCatalog();
  const { journal } = open.catalog;
  const begun = ["m", "a", "z"].map((digest, n) =>
    journalRecord(jobRecord(1_000 - n), { promise: { token: "token", digest } })
  );
  for (const entry of begun) await journal.begin(scope, entry, {});
  const first = () => Promise.all(begun.map(({ job }) => journal.isFirst(scope, "token", job.id)));
  assert.deepEqual(await first(), [true, false, false]);
  const [one] = begun;
  assert.ok(one);
  await journal.abandon(scope, one);
  assert.deepEqual(await first(), [false, true, false]);
});

Deno.test("no job begins with an input that is being deleted", async () => {
  using open = await openCatalog();
  const { journal, objects } = open.catalog;
  await objects.set(scope, "bucket", "key", objectRecord("file-in"));
  const record = await objects.get(scope, "bucket", "key");
  assert.ok(record);
  await objects.remove(scope, "bucket", "key", record, "trash");
  const begun = journal.begin(scope, journalRecord(jobRecord(1_000), { promise }), {});
  await assert.rejects(begun, { kind: "invalid", message: /being deleted/ });
  assert.equal(await journal.promised(scope, "token", "digest"), undefined);
  assert.equal(await objects.hasUses(scope.provider, input), false);
});

Deno.test("who finishes an entry late leaves the job as it has become since", async () => {
  using open = await openCatalog();
  const { journal, jobs } = open.catalog;
  const job = jobRecord(1_000);
  await journal.begin(scope, journalRecord(job), {});
  await journal.finish(scope, job);
  await jobs.update(scope, job.id, (old) => ({ ...old, status: "Stopped" }));
  await journal.finish(scope, job);
  assert.equal((await jobs.get(scope, job.id))?.status, "Stopped");
  const range = { descending: false };
  assert.deepEqual(await jobs.matching(scope, range, { status: "Stopped" }), [job.id]);
  assert.deepEqual(await jobs.matching(scope, range, { status: job.status }), []);
  assert.equal(await journal.get(scope, job.id), undefined);
});

Deno.test("a create that another gateway has given up comes to no job without a batch", async () => {
  using open = await openCatalog();
  const { journal, quotas, jobs } = open.catalog;
  const source = { in: "catalog", text: "" } as const;
  const plan: ShardedPlan = {
    kind: "sharded",
    account: "main",
    source: { in: "object", provider: "cloud", file: input, held: source, bytes: 0 },
    from: "bedrock-converse",
    isDeclared: false,
    to: "openai-chat",
    back: "bedrock-converse",
    target: { provider: "cloud", modelId: "model" },
    onLoss: "report",
    retries: 0,
  };
  const amounts = { ...noAmounts, jobs: 1, records: 3 };
  const held = { accessKeyId: "A", month: "2026-11", limits: { maxJobs: 1 }, amounts };
  const sharded: JobEntry = { ...jobRecord(1_000), plan, status: "Submitted" };
  const begun = journalRecord(sharded);
  assert.ok(await journal.begin(scope, begun, {}, false, held));
  // A gateway that stands still loses its lease, and the other's sweep gives the create up.
  const theirs = await journal.lease(scope, sharded.id, "two", 200, 300, undefined);
  assert.ok(theirs);
  await journal.abandon(scope, theirs);
  await assert.rejects(journal.finish(scope, sharded), /given it up.*Send it again/s);
  assert.equal(await jobs.get(scope, sharded.id), undefined);
  assert.deepEqual((await quotas.get("A", "2026-11")).reserved, noAmounts);

  // One that the other has brought to its end is the job.
  const other: JobEntry = { ...jobRecord(2_000), plan, status: "Submitted" };
  assert.ok(await journal.begin(scope, journalRecord(other), {}, false, held));
  await journal.finish(scope, other);
  await journal.finish(scope, other);
  assert.equal((await jobs.get(scope, other.id))?.status, "Submitted");
  assert.deepEqual((await quotas.get("A", "2026-11")).reserved, amounts);

  // A batch that runs is a job, whatever became of its entry.
  const direct = jobRecord(3_000);
  await journal.finish(scope, direct);
  assert.ok(await jobs.get(scope, direct.id));
});
