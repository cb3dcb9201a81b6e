import assert from "node:assert/strict";
import type { JobEntry } from "../../../catalog/entries.ts";
import { isTerminal } from "../../../codecs/job_status.ts";
import { jobId } from "../../../codecs/ids.ts";
import { Turns } from "../../../jobs/sharded/turns.ts";
import { nameOf, type ScopedJob } from "../../../jobs/deps.ts";
import { quiet } from "../../objects/world.ts";
import { fault, holds, until } from "../wire.ts";
import { createRequest } from "../world.ts";
import { converse } from "./client.ts";
import { type ShardedWorld, withLimits } from "./limits_world.ts";

const small = { records: 2, bytes: 1e6, recordBytes: 1e6 };
const lines = ["one", "two", "three", "four", "five"].map((text) => converse(text, text));

/** The job as it is while it waits. */
function waiting({ world, reach }: ShardedWorld, id: string) {
  return until("the job waits", async () => {
    const job = await world.jobs.get(reach, "us-west-2", id, quiet());
    return /wait to be started/.test(job.message ?? "") && job;
  });
}

Deno.test("batches that the provider's queue has no room for wait, and start as others end", () =>
  withLimits(small, async (world) => {
    await fault(world.sandbox, {
      provider: "openai",
      method: "POST",
      path: "/batches$",
      status: 429,
      times: 9,
      headers: { "x-should-retry": "false" },
      body: '{"error":{"message":"too many","type":"requests","code":"rate_limit_exceeded"}}',
    });
    const job = await world.create(lines);
    const waits = await waiting(world, job.id);
    assert.equal(waits.status, "Scheduled");
    assert.match(waits.message ?? "", /^3 of the job's 3 batches wait to be started: /);
    assert.equal(world.world.jobs.waiting().get("openai"), 3);
    // Nothing ends that would make room: the sweep tries again.
    const done = await until("the job ends", async () => {
      await world.world.jobs.sweep(quiet());
      const { status } = await world.world.jobs.get(world.reach, "us-west-2", job.id, quiet());
      return status === "Completed";
    });
    assert.ok(done);
    assert.equal(await holds(world.sandbox, "openai", "batches"), 3);
    assert.equal(world.world.jobs.waiting().get("openai"), undefined);
  }));

Deno.test("a batch that failed for the quota of queued tokens is started again, and answers once", () =>
  withLimits(small, async (world) => {
    await fault(world.sandbox, {
      provider: "openai",
      method: "GET",
      path: "/batches/[^/]+$",
      replaceMembers: {
        status: "failed",
        errors: {
          object: "list",
          data: [{ code: "token_limit_exceeded", message: "Enqueued token limit reached" }],
        },
      },
    });
    const { id } = await world.create(lines);
    const job = await until("the job ends", async () => {
      await world.world.jobs.sweep(quiet());
      const now = await world.world.jobs.get(world.reach, "us-west-2", id, quiet());
      return now.status === "Completed" && now;
    });
    assert.deepEqual(job.counts, { total: 5, processed: 5, success: 5, error: 0 });
    assert.equal(job.message, undefined);
  }));

Deno.test("no more batches of an account run at one time than the operator allows", () =>
  withLimits({ ...small, running: 1 }, async (world) => {
    const { id } = await world.create(lines);
    const waits = await waiting(world, id);
    assert.ok(["Scheduled", "InProgress"].includes(waits.status), waits.status);
    assert.match(waits.message ?? "", /batchLimits\.running/);
    assert.equal(await holds(world.sandbox, "openai", "batches"), 1);
    const job = await world.ended({ ...waits });
    assert.deepEqual(job.counts, { total: 5, processed: 5, success: 5, error: 0 });
  }));

const hour = 3_600_000;

/** Asks for a job, and sweeps, until this is so. */
function sweptUntil(
  { world, reach }: ShardedWorld,
  what: string,
  { id }: Pick<JobEntry, "id">,
  isSo: (job: JobEntry) => boolean,
) {
  return until(what, async () => {
    await world.jobs.sweep(quiet());
    const job = await world.jobs.get(reach, "us-west-2", id, quiet());
    return isSo(job) && job;
  });
}

/** Refuses so many creates for the provider's queue, after some that go well. */
const refuseCreates = ({ sandbox }: ShardedWorld, passes = 0) =>
  fault(sandbox, {
    provider: "openai",
    method: "POST",
    path: "/batches$",
    status: 429,
    times: 1e6,
    passes,
    headers: { "x-should-retry": "false" },
    body: '{"error":{"message":"too many","type":"requests","code":"rate_limit_exceeded"}}',
  });

const waitingEnds: readonly [what: string, passes: number, status: string, codes: number[]][] = [
  ["has no batch", 0, "Expired", [408, 408, 408, 408, 408]],
  ["had one batch of three", 1, "PartiallyCompleted", [0, 0, 408, 408, 408]],
];

for (const [what, passes, status, codes] of waitingEnds) {
  Deno.test(`a job without a time of its own that ${what} waits a day for room, and then ends as ${status}`, () =>
    withLimits(small, async (world) => {
      await refuseCreates(world, passes);
      const job = await world.create(lines);
      await sweptUntil(
        world,
        "all but what went well waits",
        job,
        ({ counts, message }) =>
          (counts?.success ?? 0) === 2 * passes && /wait to be started/.test(message ?? ""),
      );
      // Where a batch ran, the day begins when that ended.
      world.pass(24 * hour - 60_000);
      await world.world.jobs.sweep(quiet());
      const waits = await waiting(world, job.id);
      assert.ok(["Scheduled", "InProgress"].includes(waits.status), waits.status);
      assert.ok((waits.expiresAt ?? 0) > Date.now() + 23 * hour);
      world.pass(120_000);
      const ended = await sweptUntil(world, "the job ends", job, (now) => isTerminal(now.status));
      assert.equal(ended.status, status, ended.message ?? "");
      assert.match(ended.message ?? "", /waited 24 hours .*set its timeoutDurationInHours/);
      assert.match(
        ended.message ?? "",
        /of the job's 3 batches were never started: .*limits the rate/,
      );
      const seen = (await world.results(ended)).map(({ error }) => error?.["errorCode"] ?? 0);
      assert.deepEqual(seen, codes);
      assert.equal(await holds(world.sandbox, "openai", "batches"), passes);
      assert.equal(world.world.jobs.waiting().get("openai"), undefined);
    }));
}

Deno.test("a job with a time of its own waits until that is over", () =>
  withLimits(small, async (world) => {
    await refuseCreates(world);
    const job = await world.create(lines, undefined, undefined, { timeoutDurationInHours: 48 });
    await waiting(world, job.id);
    world.pass(30 * hour);
    await world.world.jobs.sweep(quiet());
    await waiting(world, job.id);
    world.pass(19 * hour);
    const ended = await sweptUntil(world, "the job ends", job, (now) => isTerminal(now.status));
    assert.equal(ended.status, "Expired", ended.message ?? "");
    assert.match(ended.message ?? "", /timeoutDurationInHours of 48 ran out/);
  }));

Deno.test("a job whose time runs out while it waits is not counted as waiting from its end on", () =>
  withLimits(small, async (world) => {
    await refuseCreates(world);
    const job = await world.create(lines, undefined, undefined, { timeoutDurationInHours: 48 });
    await waiting(world, job.id);
    assert.equal(world.world.jobs.waiting().get("openai"), 3);
    world.pass(49 * hour);
    // No sweep tries the account again: the poll that ends the job is all there is.
    await until("the job ends", async () => {
      const now = await world.world.jobs.get(world.reach, "us-west-2", job.id, quiet());
      return isTerminal(now.status);
    });
    assert.equal(world.world.jobs.waiting().get("openai"), undefined);
  }));

Deno.test("a job that waits can be stopped, and then keeps no other waiting", () =>
  withLimits({ ...small, running: 1 }, async (world) => {
    const first = await world.create(lines);
    await waiting(world, first.id);
    await world.world.jobs.stop(world.reach, "us-west-2", first.id, quiet());
    const job = await world.ended(first);
    assert.equal(job.status, "Stopped");
    assert.equal((await world.results(job)).length, 5);
    // Its batches no longer count.
    const request = createRequest({
      jobName: "next",
      modelId: "gpt-4o-mini",
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/in.jsonl" } },
      tags: { "batchway:dialect": "bedrock-converse" },
    });
    const next = await world.world.jobs.create(world.reach, "us-west-2", request, quiet());
    assert.equal((await world.ended(next)).status, "Completed");
  }));

Deno.test("tenants take turns at an account, however many batches one of them has", () => {
  const went: string[] = [];
  const turns = new Turns((scoped) => went.push(scoped.scope.tenant));
  const name = { provider: "openai", account: "main" };
  const of = (tenant: string) =>
    ({ scope: { tenant, provider: "openai" }, job: { id: jobId("abcdefghijkl") } }) as ScopedJob;
  const [large, small] = [of("large"), of("small")];
  assert.notEqual(nameOf(large), nameOf(small));
  assert.equal(turns.reason(name, large), undefined);
  turns.served(name, large);
  turns.full(name, "The queue is full.");
  assert.equal(turns.reason(name, small), "The queue is full.");
  turns.wait(name, large, 199);
  turns.wait(name, small, 1);
  assert.deepEqual([...turns.waiting()], [["openai", 200]]);
  turns.freed(name);
  assert.deepEqual(went, ["small"]);
  assert.match(turns.reason(name, large) ?? "", /turn of another job/);
  assert.equal(turns.reason(name, small), undefined);
  turns.leave(small);
  turns.served(name, small);
  turns.next();
  assert.deepEqual(went, ["small", "large"]);
  assert.equal(turns.reason(name, large), undefined);
});

Deno.test("a batch that ends while another is refused for want of room is not overlooked", () => {
  const went: string[] = [];
  const turns = new Turns((scoped) => went.push(scoped.scope.tenant));
  const name = { provider: "openai", account: "main" };
  const job = {
    scope: { tenant: "one", provider: "openai" },
    job: { id: jobId("abcdefghijkl") },
  } as ScopedJob;
  const before = turns.ends(name);
  // It ends after the refusal was decided, and is heard of before it.
  turns.freed(name);
  turns.full(name, "The queue is full.", before);
  turns.wait(name, job, 1);
  turns.next();
  assert.deepEqual(went, ["one"]);
  assert.equal(turns.isHeldUp(job), false);
  turns.full(name, "The queue is full.", turns.ends(name));
  turns.next();
  assert.deepEqual(went, ["one"]);
  assert.equal(turns.isHeldUp(job), true);
});
