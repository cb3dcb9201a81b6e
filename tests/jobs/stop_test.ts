import assert from "node:assert/strict";
import { flat } from "../catalog/memory.ts";
import { Failure } from "../../codecs/failure.ts";
import { gate } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { simulate, type SimulatedJobs, type SimulatedKind } from "./simulated.ts";
import { asked, fault, mend } from "./wire.ts";
import { createJobWorld, createRequest } from "./world.ts";

const kind = (expected: string) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;
const day = 86_400;
/** Batches that take two days, at a provider that gives them a week. */
const long = { batchSeconds: 2 * day, windowSeconds: 7 * day };
const cancelPath: Readonly<Record<SimulatedKind, string>> = {
  openai: "/batches/.*/cancel$",
  gemini: "/v1beta/batches/.*:cancel$",
};
const cancels = ({ sandbox }: SimulatedJobs, name: SimulatedKind) =>
  asked(sandbox, "POST", new RegExp(`^${cancelPath[name]}`));

for (const name of ["openai", "gemini"] as const) {
  Deno.test(`${name}: a stop just before the end ends in Stopped, one just after it is a conflict`, async () => {
    await using one = await simulate(name);
    const early = await one.create();
    const late = await one.create();
    one.advance(700);
    await one.stop(early.id);
    assert.equal((await one.get(early.id)).status, "Stopping");
    one.advance(300);
    assert.equal((await one.get(early.id)).status, "Stopped");
    await assert.rejects(one.stop(late.id), kind("conflict"));
    assert.equal((await one.get(late.id)).status, "Completed");
    // Both ends are final, however long ago.
    one.advance(30 * day);
    assert.equal((await one.get(early.id)).status, "Stopped");
    assert.equal((await one.get(late.id)).status, "Completed");
    await assert.rejects(one.stop(early.id), kind("conflict"));
  });

  Deno.test(`${name}: a stop whose answer is lost is asked for again, and is one stop`, async () => {
    await using one = await simulate(name);
    const job = await one.create();
    one.advance(300);
    const lost = { provider: name, method: "POST", path: cancelPath[name], cut: "after" } as const;
    await fault(one.sandbox, { ...lost, times: 1 });
    await one.stop(job.id);
    assert.equal((await one.get(job.id)).status, "Stopping");
    one.advance(700);
    assert.equal((await one.get(job.id)).status, "Stopped");
  });

  Deno.test(`${name}: a stop whose every answer is lost is an outage, and the job ends as its provider says`, async () => {
    await using one = await simulate(name);
    const job = await one.create();
    one.advance(300);
    const lost = { provider: name, method: "POST", path: cancelPath[name], cut: "after" } as const;
    await fault(one.sandbox, { ...lost, times: 100 });
    await assert.rejects(one.stop(job.id), kind("unavailable"));
    await mend(one.sandbox);
    one.advance(700);
    assert.equal((await one.get(job.id)).status, "Stopped");
  });

  Deno.test(`${name}: a stop that never reaches the provider stops nothing`, async () => {
    await using one = await simulate(name);
    const job = await one.create();
    one.advance(300);
    const lost = { provider: name, method: "POST", path: cancelPath[name], cut: "before" } as const;
    await fault(one.sandbox, { ...lost, times: 100 });
    await assert.rejects(one.stop(job.id), kind("unavailable"));
    await mend(one.sandbox);
    assert.equal((await one.get(job.id)).status, "InProgress");
    one.advance(700);
    assert.equal((await one.get(job.id)).status, "Completed");
  });

  Deno.test(`${name}: two stops at once are both taken, and end in Stopped`, async () => {
    await using one = await simulate(name);
    const job = await one.create();
    one.advance(300);
    await Promise.all([one.stop(job.id), one.stop(job.id)]);
    assert.equal((await one.get(job.id)).status, "Stopping");
    await one.stop(job.id);
    one.advance(700);
    assert.equal((await one.get(job.id)).status, "Stopped");
    await assert.rejects(one.stop(job.id), kind("conflict"));
  });

  Deno.test(`${name}: a job's own time runs out: its batch is stopped, and the job says why`, async () => {
    await using one = await simulate(name, long);
    const timed = await one.create({ timeoutDurationInHours: 24 });
    const untimed = await one.create();
    assert.equal(timed.expiresAt, timed.submittedAt + day * 1_000);
    one.advance(day - 1);
    assert.equal((await one.get(timed.id)).status, "InProgress");
    assert.equal(await cancels(one, name), 0);
    one.advance(1);
    assert.equal((await one.get(timed.id)).status, "Stopping");
    one.advance(day);
    const job = await one.get(timed.id);
    // OpenAI keeps what a cancelled batch came to; Gemini keeps nothing of it.
    assert.equal(job.status, name === "openai" ? "PartiallyCompleted" : "Expired");
    assert.equal(job.results.length > 0, name === "openai");
    assert.match(job.message ?? "", /timeoutDurationInHours of 24 ran out/);
    assert.equal((await one.get(untimed.id)).status, "Completed");
    assert.equal(await cancels(one, name), 1);
  });

  Deno.test(`${name}: a job whose time runs out before any record was processed is Expired`, async () => {
    const slow = { batchSeconds: 200 * day, windowSeconds: 300 * day };
    await using one = await simulate(name, slow);
    const job = await one.create({ timeoutDurationInHours: 24 });
    one.advance(day);
    await one.get(job.id);
    one.advance(100 * day);
    const end = await one.get(job.id);
    assert.deepEqual([end.status, end.results], ["Expired", []]);
    assert.match(end.message ?? "", /no record was processed|0 of its/);
  });

  Deno.test(`${name}: a job that was done before anybody saw that its time ran out is Completed`, async () => {
    await using one = await simulate(name, long);
    const job = await one.create({ timeoutDurationInHours: 24 });
    one.advance(3 * day);
    assert.equal((await one.get(job.id)).status, "Completed");
    assert.equal(await cancels(one, name), 0);
  });

  Deno.test(`${name}: the sweep keeps a job to its time without a poll`, async () => {
    await using one = await simulate(name, long);
    const { id } = await one.create({ timeoutDurationInHours: 24 });
    one.advance(day);
    await one.world.jobs.sweep(quiet());
    assert.equal(await cancels(one, name), 1);
    one.advance(day);
    await one.world.jobs.sweep(quiet());
    const job = await one.world.catalog.jobs.get({ tenant: "default", provider: name }, id);
    assert.match(job?.status ?? "", /^(PartiallyCompleted|Expired)$/);
  });

  Deno.test(`${name}: a provider that does not hear of the timeout is asked again`, async () => {
    await using one = await simulate(name, long);
    const job = await one.create({ timeoutDurationInHours: 24 });
    one.advance(day);
    const lost = { provider: name, method: "POST", path: cancelPath[name], cut: "before" } as const;
    await fault(one.sandbox, { ...lost, times: 100 });
    assert.equal((await one.get(job.id)).status, "Stopping");
    assert.match(one.world.warnings.join(), /could not be stopped yet/);
    await mend(one.sandbox);
    assert.equal((await one.get(job.id)).status, "Stopping");
    one.advance(day);
    const end = await one.get(job.id);
    assert.match(end.message ?? "", /ran out/);
    assert.notEqual(end.status, "Stopped");
  });

  Deno.test(`${name}: of a client's stop and the deadline the first decides, and at once they end in one state`, async () => {
    await using one = await simulate(name, long);
    const create = async () => (await one.create({ timeoutDurationInHours: 24 })).id;
    const [stopped, timed, both] = await Promise.all([create(), create(), create()]);
    one.advance(day - 10);
    await one.stop(stopped);
    one.advance(10);
    assert.equal((await one.get(stopped)).status, "Stopping");
    await one.get(timed);
    await one.stop(timed);
    await Promise.all([one.get(both), one.stop(both), one.get(both)]);
    one.advance(day);
    assert.equal((await one.get(stopped)).status, "Stopped");
    const late = name === "openai" ? "PartiallyCompleted" : "Expired";
    assert.equal((await one.get(timed)).status, late);
    const end = (await one.get(both)).status;
    assert.ok(end === "Stopped" || end === late, end);
    assert.equal((await one.get(both)).status, end);
  });
}

Deno.test("a batch that completes although its stop was accepted is Completed, also where time ran out", async () => {
  for (const timeoutDurationInHours of [undefined, 24]) {
    using world = await createJobWorld({ virtual: true });
    const request = createRequest(
      timeoutDurationInHours === undefined ? {} : { timeoutDurationInHours },
    );
    const { id, batch } = flat(await world.jobs.create(world.reach, "us-west-2", request, quiet()));
    const get = () => world.jobs.get(world.reach, "us-west-2", id, quiet());
    if (timeoutDurationInHours === undefined) {
      await world.jobs.stop(world.reach, undefined, id, quiet());
    } else world.time += day * 1_000;
    assert.equal((await get()).status, "Stopping");
    world.cloud.set(batch, "Completed");
    const done = await get();
    assert.deepEqual([done.status, done.message], ["Completed", undefined]);
  }
});

Deno.test("a stop that is under way while the job's end is recorded leaves that end as it is", async () => {
  using world = await createJobWorld();
  const { id, batch } = flat(
    await world.jobs.create(
      world.reach,
      "us-west-2",
      createRequest(),
      quiet(),
    ),
  );
  const held = gate();
  world.cloud.after = (call) => call === "batches.stop" ? held.wait() : undefined;
  const stopping = world.jobs.stop(world.reach, undefined, id, quiet());
  await held.reached;
  world.cloud.set(batch, "Completed");
  const get = () => world.jobs.get(world.reach, undefined, id, quiet());
  assert.equal((await get()).status, "Completed");
  held.open();
  await stopping;
  assert.equal((await get()).status, "Completed");
});

Deno.test("two gateways that find a job's time run out stop it once for both", async () => {
  using one = await createJobWorld({ virtual: true });
  using two = await one.another("two");
  const request = createRequest({ timeoutDurationInHours: 24 });
  const { id, batch } = flat(await one.jobs.create(one.reach, "us-west-2", request, quiet()));
  one.time += day * 1_000;
  const get = (world: typeof one) => world.jobs.get(world.reach, undefined, id, quiet());
  const [a, b] = await Promise.all([get(one), get(two)]);
  assert.deepEqual([a.status, b.status], ["Stopping", "Stopping"]);
  one.cloud.set(batch, "Stopped");
  // One of them ends it; the other may be told that it is still at it.
  await Promise.all([get(one), get(two)]);
  const ends = [await get(one), await get(two)];
  assert.deepEqual(ends.map(({ status }) => status), ["Expired", "Expired"]);
});

Deno.test("a gateway that dies between the record of a timeout and its stop leaves a job that is stopped", async () => {
  using one = await createJobWorld({ virtual: true });
  const request = createRequest({ timeoutDurationInHours: 24 });
  const { id, batch } = flat(await one.jobs.create(one.reach, "us-west-2", request, quiet()));
  one.time += day * 1_000;
  const held = gate();
  one.cloud.before = (call, _, signal) => {
    if (call !== "batches.stop") return;
    held.wait();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  };
  const asking = one.jobs.get(one.reach, undefined, id, quiet());
  await held.reached;
  await one.jobs.close();
  assert.equal((await asking).status, "Stopping");
  assert.equal(one.cloud.batches.get(batch)?.status, "InProgress");
  one.cloud.before = () => {};
  using two = await one.another("two");
  await two.jobs.sweep(quiet());
  assert.equal(one.cloud.batches.get(batch)?.status, "Stopping");
});
