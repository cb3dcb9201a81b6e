import assert from "node:assert/strict";
import { createClock } from "../../runtime/clock.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { patience } from "../../jobs/verdict.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { batchIdOf, openCatalog } from "../catalog/memory.ts";
import type { ProviderDouble } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { counts, finish, get, keysOf, manifestOf, resultsOf, start } from "./results_world.ts";
import { createJobWorld, type JobWorld } from "./world.ts";

const virtual = { virtual: true };
const minute = 60_000;
const all = { maxResults: 100, sortOrder: "Descending" } as const;
const kind = (expected: string) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;

/** Asks for a job once a minute, for so long; how it stands then, or once it is over. */
async function watch(world: JobWorld, job: JobEntry, milliseconds: number): Promise<JobEntry> {
  let now = await get(world, job);
  for (let waited = 0; waited < milliseconds && !isTerminal(now.status); waited += minute) {
    world.time += minute;
    now = await get(world, job);
  }
  return now;
}

Deno.test("a batch that is over before its files have names is asked again until they do", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, []);
  const three = { counts: { total: 3, processed: 3, success: 2, error: 1 } };
  const early = await finish(world, job, { ...three, areMoreResults: true });
  assert.deepEqual([early.status, early.endedAt], ["InProgress", undefined]);
  assert.deepEqual(await keysOf(world), []);
  // The one file has its name, and the other not yet.
  world.cloud.results.set(batchIdOf(job), ['{"id":"a"}\n{"id":"b"}\n']);
  assert.equal((await watch(world, job, 2 * minute)).status, "InProgress");
  world.cloud.results.set(batchIdOf(job), ['{"id":"a"}\n{"id":"b"}\n', '{"id":"c","error":1}\n']);
  world.cloud.set(batchIdOf(job), "Completed", { areMoreResults: false });
  const done = await get(world, job);
  assert.deepEqual([done.status, done.message, done.counts], [
    "Completed",
    undefined,
    three.counts,
  ]);
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n{"id":"b"}\n{"id":"c","error":1}\n');
});

Deno.test("a batch whose one file holds all that it counts needs no other", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ['{"id":"a"}\n{"id":"b","error":1}\n']);
  const two = { total: 2, processed: 2, success: 1, error: 1 };
  assert.equal(
    (await finish(world, job, { counts: two, areMoreResults: true })).status,
    "Completed",
  );
});

for (
  const [what, parts, message, records] of [
    ["any file", [], /names no results of it\. The provider's results lack 2 of 2 records: "a"/, 0],
    ["its second file", ['{"id":"a"}\n'], /^The provider's results lack 1 of 2 records: "b"\.$/, 1],
  ] as const
) {
  Deno.test(`a batch that never names ${what} ends after minutes, and says what is missing`, async () => {
    using world = await createJobWorld(virtual);
    world.cloud.addFile("file-in", {}, '{"id":"a"}\n{"id":"b"}\n');
    const job = await start(world, parts);
    await finish(world, job, { counts: counts(2), areMoreResults: true });
    assert.equal((await watch(world, job, patience.late - 2 * minute)).status, "InProgress");
    const done = await watch(world, job, 5 * minute);
    assert.equal(done.status, "Completed");
    assert.match(done.message ?? "", message);
    assert.equal((await manifestOf(world, job))?.["totalRecordCount"], 2);
    assert.equal(((await resultsOf(world, job)) ?? "").length, records * 11);
  });
}

for (const lost of [0, 1]) {
  Deno.test(`part ${lost} of two that cannot be read takes nothing from the other`, async () => {
    using world = await createJobWorld(virtual);
    const parts = ['{"id":"a"}\n{"id":"b"}\n', '{"id":"c","error":1}\n'];
    const job = await start(world, parts);
    world.cloud.before = (call, part) => {
      if (call === "batches.openResults" && part === `part-${lost}`) {
        throw new Failure("not-found", "Provider cloud does not have file file-x.", { gone: true });
      }
    };
    await finish(world, job, { counts: { total: 3, processed: 3, success: 2, error: 1 } });
    const done = await watch(world, job, patience.late + 2 * minute);
    assert.equal(done.status, "Completed");
    assert.match(
      done.message ?? "",
      /^A part of the results cannot be read: Provider cloud does not have file file-x\. .* lack /,
    );
    assert.equal(await resultsOf(world, job), parts[1 - lost]);
    assert.equal((await manifestOf(world, job))?.["totalRecordCount"], 3);
  });
}

Deno.test("results that are refused for a day end their job, with all that could be read", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ['{"id":"a"}\n', '{"id":"b"}\n']);
  const whole = await start(world, ['{"id":"a"}\n']);
  world.cloud.before = (call, part) => {
    const isRefused = call === "batches.openResults" && part === "part-1" ||
      call === "batches.results" && part === batchIdOf(whole);
    if (isRefused) throw new Failure("unavailable", "Provider cloud answered with a redirect.");
  };
  for (const one of [job, whole]) await finish(world, one, { counts: counts(2) });
  world.time += patience.refused - minute;
  for (const one of [job, whole]) assert.equal((await get(world, one)).status, "InProgress");
  world.time += 2 * minute;
  // A pause that has begun goes on.
  const done = await watch(world, job, 6 * minute);
  assert.match(done.message ?? "", /^A part of the results cannot be read: .* redirect\./);
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n');
  const other = await watch(world, whole, 6 * minute);
  assert.deepEqual([done.status, other.status], ["Completed", "Completed"]);
  assert.match(other.message ?? "", /^The results cannot be read from the provider: .* redirect/);
  assert.equal(await resultsOf(world, whole), undefined);
  assert.equal((await manifestOf(world, whole))?.["totalRecordCount"], 2);
});

Deno.test("a part that always breaks off keeps its job for a day, and then takes nothing from the rest", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ['{"id":"a"}\n', '{"id":"b"}\n']);
  const [account] = world.cloud.provider.accounts;
  const open = account!.batches.openResults;
  Object.assign(account!.batches, {
    openResults: async (...asked: Parameters<typeof open>) => {
      if (asked[1] === "part-0") return await open(...asked);
      const body = ReadableStream.from((function* () {
        yield new TextEncoder().encode('{"id":"b"');
        throw new Failure("unavailable", "The connection broke.");
      })());
      return { body, ranged: false };
    },
  });
  await finish(world, job, { counts: counts(2) });
  assert.equal((await watch(world, job, 10 * minute)).status, "InProgress");
  world.time += patience.refused;
  const done = await watch(world, job, 6 * minute);
  assert.equal(done.status, "Completed");
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n');
});

Deno.test("what was waited is not forgotten when the gateway is started again", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, []);
  await finish(world, job, { counts: counts(2), areMoreResults: true });
  assert.equal((await watch(world, job, 4 * minute)).status, "InProgress");
  const again = await world.another("two");
  assert.equal((await get(again, job)).status, "InProgress");
  assert.equal((await watch(again, job, 2 * minute)).status, "Completed");
});

Deno.test("a clock that jumps ends no job, nor does a gateway that is started while it is wrong", async () => {
  const day = 24 * 60 * minute;
  const at = { wall: 1_790_000_000_000, ticks: 0 };
  const clocks = { now: () => at.wall, uptime: () => at.ticks };
  using catalogOf = await openCatalog();
  const shared = { ...catalogOf, [Symbol.dispose]: () => {} };
  const open = (instance: string, cloud?: ProviderDouble) =>
    createJobWorld({
      ...virtual,
      instance,
      now: clocks.now,
      clock: createClock(clocks),
      catalogOf: shared,
      ...(cloud && { cloud }),
    });
  using world = await open("one");
  const job = await start(world, []);
  await finish(world, job, { counts: counts(2), areMoreResults: true });
  at.wall += 3 * day;
  at.ticks += minute;
  assert.equal((await get(world, job)).status, "InProgress");
  using again = await open("two", world.cloud);
  assert.equal((await get(again, job)).status, "InProgress");
  at.wall -= 6 * day;
  at.ticks += patience.late;
  assert.equal((await get(world, job)).status, "Completed");
});

/** Has the provider say that it does not have a batch. */
function lose(world: JobWorld, calls = ["batches.get", "batches.stop"]): void {
  world.cloud.before = (call, what) => {
    if (calls.includes(call)) throw new Failure("not-found", `There is no ${what}`, { gone: true });
  };
}

Deno.test("a batch that is missing in passing is a job as it was last known", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ['{"id":"a"}\n']);
  world.cloud.set(batchIdOf(job), "InProgress", {
    counts: { ...counts(2), processed: 1, success: 1 },
  });
  const known = await get(world, job);
  lose(world);
  for (let n = 0; n < 3; n++) {
    const { doubtSince: _, ...seen } = await get(world, job);
    assert.deepEqual(seen, known);
    world.time += minute;
  }
  assert.equal(world.warnings.length, 1);
  const { jobs } = await world.jobs.list(world.reach, undefined, all);
  assert.deepEqual(jobs.map(({ id, status }) => [id, status]), [[job.id, "InProgress"]]);
  const stop = world.jobs.stop(world.reach, undefined, job.id, quiet());
  await assert.rejects(stop, kind("unavailable"));
  world.cloud.before = () => {};
  const back = await get(world, job);
  assert.deepEqual([back.status, back.doubtSince], ["InProgress", undefined]);
  // The time that it was missing is not counted when it goes missing once more.
  lose(world);
  await get(world, job);
  world.time += patience.missing - 1;
  assert.equal((await get(world, job)).status, "InProgress");
});

for (
  const [what, before, status] of [
    ["fails", () => {}, "Failed"],
    [
      "is stopped where that was asked for",
      (world: JobWorld, job: JobEntry) => world.jobs.stop(world.reach, undefined, job.id, quiet()),
      "Stopped",
    ],
    ["expires where its time had run out", (world: JobWorld, job: JobEntry) => {
      const expiresAt = new Date(world.time + minute);
      world.cloud.set(batchIdOf(job), "InProgress", { expiresAt });
      return get(world, job);
    }, "Expired"],
  ] as const
) {
  Deno.test(`a job whose batch was deleted ${what}, with a reason and a manifest`, async () => {
    using world = await createJobWorld(virtual);
    const job = await start(world, []);
    await before(world, job);
    world.cloud.batches.delete(batchIdOf(job));
    const done = await watch(world, job, patience.missing + minute);
    assert.deepEqual([done.status, done.doubtSince], [status, undefined]);
    assert.match(done.message ?? "", /does not have the batch batch_\d+ any more/);
    assert.deepEqual(await keysOf(world), [`${job.id}/manifest.json.out`]);
    world.cloud.calls.length = 0;
    assert.deepEqual(await get(world, job), done);
    assert.deepEqual(world.cloud.calls, []);
    const uses = await Array.fromAsync(world.kv.list({ prefix: ["use"] }));
    assert.deepEqual(uses, []);
  });
}

Deno.test("the sweep ends a job whose batch was deleted, without a poll", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, []);
  world.cloud.batches.delete(batchIdOf(job));
  await world.jobs.sweep(quiet());
  world.time += patience.missing;
  await world.jobs.sweep(quiet());
  const scope = { tenant: "default", provider: "cloud" };
  assert.equal((await world.catalog.jobs.get(scope, job.id))?.status, "Failed");
});

const stumbles: readonly [string, Failure][] = [
  ["is down", new Failure("unavailable", "Provider cloud cannot be reached.")],
  ["knows no lists", new Failure("invalid", "Method not allowed")],
  ["denies its list alone", new Failure("denied", "No")],
  ["limits its rate", new Failure("throttled", "Slow down")],
  ["has no such list", new Failure("not-found", "No such path")],
];
for (const [what, failure] of stumbles) {
  Deno.test(`jobs are listed as they were last known while their provider ${what}`, async () => {
    using world = await createJobWorld(virtual);
    const jobs = [await start(world, ['{"id":"a"}\n']), await start(world, [])];
    await finish(world, jobs[0]!);
    world.cloud.addBatch("batch_native");
    world.cloud.before = (call) => {
      if (call === "batches.list") throw failure;
    };
    for (let n = 0; n < 3; n++) {
      const page = await world.jobs.list(world.reach, undefined, all);
      const seen = Object.fromEntries(page.jobs.map(({ id, status }) => [id, status]));
      assert.deepEqual(seen, { [jobs[0]!.id]: "Completed", [jobs[1]!.id]: "InProgress" });
    }
    assert.equal(world.warnings.filter((text) => /could not be listed/.test(text)).length, 1);
    world.cloud.before = () => {};
    assert.equal((await world.jobs.list(world.reach, undefined, all)).jobs.length, 3);
  });
}
