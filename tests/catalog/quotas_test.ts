import assert from "node:assert/strict";
import { keys } from "../../catalog/keys.ts";
import { type Amounts, endOfMonth, type Limits, monthOf, noAmounts } from "../../catalog/limits.ts";
import type { ReservationEntry } from "../../catalog/quotas.ts";
import { Failure } from "../../codecs/failure.ts";
import {
  jobRecord,
  journalRecord,
  type OpenCatalog,
  openCatalog,
  scope,
  temporaryFolder,
} from "./memory.ts";

const month = "2026-11";

function reservation(limits: Limits, amounts: Partial<Amounts> = {}): ReservationEntry {
  return { accessKeyId: "A", month, limits, amounts: { ...noAmounts, jobs: 1, ...amounts } };
}

function begin(open: OpenCatalog, at: number, held: ReservationEntry, token?: string) {
  const job = jobRecord(at);
  const promise = token === undefined ? {} : { promise: { token, digest: "digest" } };
  const entry = journalRecord(job, promise);
  const begun = open.catalog.journal.begin(scope, entry, {}, false, held);
  return { job, entry, begun };
}

const sums = async ({ catalog }: OpenCatalog, of = month) => await catalog.quotas.get("A", of);

const isQuota = (limit: RegExp) => (error: unknown) =>
  error instanceof Failure && error.details.bedrock === "ServiceQuotaExceededException" &&
  limit.test(error.message);

Deno.test("a month is a calendar month of UTC, and ends with its last day", () => {
  assert.equal(monthOf(Date.UTC(2026, 10, 30, 23, 59, 59, 999)), "2026-11");
  assert.equal(monthOf(Date.UTC(2026, 11, 1)), "2026-12");
  assert.equal(endOfMonth("2026-11"), "2026-12-01T00:00:00Z");
  assert.equal(endOfMonth("2026-12"), "2027-01-01T00:00:00Z");
  assert.equal(endOfMonth("2028-02"), "2028-03-01T00:00:00Z");
});

Deno.test("a job reserves as it begins, and counts what it used as it ends, once", async () => {
  using open = await openCatalog();
  const held = reservation({ maxJobs: 5, maxRecords: 100 }, { records: 40, cost: 800 });
  const { job, begun } = begin(open, 1_000, held);
  assert.ok(await begun);
  assert.deepEqual(await sums(open), { used: noAmounts, reserved: held.amounts });
  const { journal, jobs, results } = open.catalog;
  await journal.finish(scope, job);
  const counts = { total: 40, processed: 30, success: 30, error: 0 };
  const end = (old: typeof job) => ({ ...old, status: "PartiallyCompleted", counts } as const);
  await results.end(scope, job.id, end, [], () => ({ cost: 500 }));
  const ended = { used: { jobs: 1, records: 30, bytes: 0, cost: 500 }, reserved: noAmounts };
  assert.deepEqual(await sums(open), ended);
  await jobs.update(scope, job.id, (old) => ({ ...old, message: "again" }));
  await results.end(scope, job.id, end, [], () => ({ cost: 500 }));
  assert.deepEqual(await sums(open), ended);
});

Deno.test("a job that fails before its first record counts as a job and gives the rest back", async () => {
  using open = await openCatalog();
  const { job, begun } = begin(
    open,
    1_000,
    reservation({ maxRecords: 9 }, { records: 9, cost: 9 }),
  );
  assert.ok(await begun);
  await open.catalog.journal.finish(scope, job);
  await open.catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Failed" }));
  assert.deepEqual(await sums(open), { used: { ...noAmounts, jobs: 1 }, reserved: noAmounts });
});

Deno.test("an end of which nothing is known leaves what was reserved", async () => {
  using open = await openCatalog();
  const held = reservation({ maxRecords: 9 }, { records: 9, cost: 7 });
  const { job, begun } = begin(open, 1_000, held);
  assert.ok(await begun);
  await open.catalog.journal.finish(scope, job);
  await open.catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Stopped" }));
  assert.deepEqual(await sums(open), { used: held.amounts, reserved: noAmounts });
});

Deno.test("a create that comes to nothing gives all back, and one that is repeated reserves once", async () => {
  using open = await openCatalog();
  const held = reservation({ maxJobs: 1 }, { records: 3 });
  const first = begin(open, 1_000, held, "token");
  assert.ok(await first.begun);
  assert.equal(await begin(open, 2_000, held, "token").begun, false);
  assert.deepEqual((await sums(open)).reserved, held.amounts);
  await open.catalog.journal.abandon(scope, first.entry);
  assert.deepEqual(await sums(open), { used: noAmounts, reserved: noAmounts });
  assert.ok(await begin(open, 3_000, held, "token").begun);
});

Deno.test("a refusal names the limit, what is used and reserved, what is added and when it resets", async () => {
  using open = await openCatalog();
  const limits = { maxJobs: 9, maxRecords: 10, maxCost: 0.5 };
  assert.ok(await begin(open, 1_000, reservation(limits, { records: 8, cost: 4e8 })).begun);
  await assert.rejects(
    begin(open, 2_000, reservation(limits, { records: 3 })).begun,
    isQuota(
      /10 records a month \(--max-records\): 0 records used and 8 records reserved .* adds 3 records\..* 2026-12-01T00:00:00Z/,
    ),
  );
  await assert.rejects(
    begin(open, 3_000, reservation(limits, { records: 2, cost: 100_000_001 })).begun,
    isQuota(/USD 0\.5 a month \(--max-cost\): USD 0 used and USD 0\.4 reserved/),
  );
  assert.ok(await begin(open, 4_000, reservation(limits, { records: 2, cost: 1e8 })).begun);
  const next = { ...reservation(limits, { records: 10 }), month: "2026-12" };
  assert.ok(await begin(open, 5_000, next).begun);
  assert.equal((await sums(open, "2026-12")).reserved.records, 10);
});

Deno.test("creates on two handles of a catalog never exceed a limit together", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const sizes = [7, 1, 5, 3, 9, 2, 4, 8, 6, 5, 3, 1, 2, 7, 4, 6];
  const begun = await Promise.allSettled(
    sizes.map((records, n) =>
      begin(n % 2 ? one : two, 1_000 + n, reservation({ maxRecords: 30 }, { records })).begun
    ),
  );
  const sum = sizes.reduce(
    (all, size, n) => all + (begun[n]?.status === "fulfilled" ? size : 0),
    0,
  );
  assert.ok(sum > 20 && sum <= 30, `${sum}`);
  for (const one of begun) {
    if (one.status === "rejected") assert.ok(isQuota(/--max-records/)(one.reason), `${one.reason}`);
  }
  assert.equal((await sums(one)).reserved.records, sum);
});

Deno.test("records that are found to be more than there is room for change nothing", async () => {
  using open = await openCatalog();
  const { quotas } = open.catalog;
  const held = reservation({ maxRecords: 10 }, { records: 2 });
  const { job, begun } = begin(open, 1_000, held);
  assert.ok(await begun);
  assert.ok(await begin(open, 2_000, held).begun);
  assert.match(await quotas.correct(scope, job.id, { records: 9 }) ?? "", /adds 9 records/);
  assert.equal((await sums(open)).reserved.records, 4);
  assert.equal(await quotas.correct(scope, job.id, { records: 8 }), undefined);
  assert.equal(await quotas.correct(scope, job.id, { records: 8 }), undefined);
  assert.equal((await sums(open)).reserved.records, 10);
});

Deno.test("bytes of puts count once recorded, come back where they fail, and those of the dead are freed", async () => {
  using open = await openCatalog();
  const { quotas, instances } = open.catalog;
  await instances.register("alive");
  const put = (id: string, instance: string, bytes: number) => ({
    accessKeyId: "A",
    month,
    instance,
    id,
    bytes,
  });
  const limits = { maxBytes: 100 };
  await quotas.reservePut(put("1", "alive", 60), limits);
  await quotas.reservePut(put("2", "dead", 40), limits);
  await assert.rejects(
    quotas.reservePut(put("3", "alive", 1), limits),
    (error: unknown) =>
      error instanceof Failure && error.kind === "denied" && /--max-bytes/.test(error.message),
  );
  await quotas.sweepPuts(AbortSignal.timeout(5_000));
  assert.equal((await sums(open)).reserved.bytes, 60);
  await quotas.releasePut(put("1", "alive", 60));
  await quotas.releasePut(put("1", "alive", 60));
  assert.deepEqual(await sums(open), { used: noAmounts, reserved: noAmounts });
  assert.equal((await open.kv.get(keys.putReservation("A", "alive", "1"))).value, null);
});

Deno.test("hundreds of creates of one key at once refuse one another nothing but what is over its limit", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const begun = await Promise.allSettled(Array.from(
    { length: 200 },
    (_, n) => begin(n % 2 ? one : two, 1_000 + n, reservation({ maxJobs: 150 })).begun,
  ));
  const refused = begun.filter((one) => one.status === "rejected");
  assert.equal(refused.length, 50);
  for (const { reason } of refused) assert.ok(isQuota(/--max-jobs/)(reason), `${reason}`);
});
