import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { fileId, type JobId } from "../../codecs/ids.ts";
import { all, batchIdOf, flat, scope, sleep } from "../catalog/memory.ts";
import { trustedClock } from "../../runtime/clock.ts";
import { batchesOf, gate, lostAnswer, type ProviderDouble } from "../double.ts";
import { newObject, quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const token = { clientRequestToken: "token" };
const create = (world: JobWorld, more: Parameters<typeof createRequest>[0] = token) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(more), quiet());
const creates = ({ calls }: ProviderDouble) =>
  calls.filter((call) => call === "batches.create").length;
const kind = (expected: Failure["kind"]) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;

/** Lets a create reach its provider, and then has its gateway die. */
async function dieWhileAsking(world: JobWorld, carriedOut: boolean): Promise<JobId> {
  const held = gate();
  const wait = (call: string, _: string, signal: AbortSignal) => {
    if (call !== "batches.create") return;
    return Promise.race([
      held.wait(),
      new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      ),
    ]);
  };
  if (carriedOut) world.cloud.after = wait;
  else world.cloud.before = wait;
  const creating = create(world);
  await held.reached;
  world.jobs.close();
  await assert.rejects(creating, { name: "AbortError" });
  world.cloud.before = world.cloud.after = () => {};
  const [left] = await all(world.catalog.journal.entries());
  assert.ok(left, "nothing tells of the create");
  return left.entry.job.id;
}

Deno.test("a batch whose answer was lost is found by its job's id", async () => {
  using world = await createJobWorld({ pageSize: 2 });
  const { cloud } = world;
  cloud.after = (call) => {
    if (call !== "batches.create") return;
    // Others' batches that came later are on the first page.
    for (let n = 0; n < 5; n++) cloud.addBatch(`batch_other${n}`);
    return Promise.reject(lostAnswer());
  };
  const job = await create(world);
  assert.equal(cloud.batches.get(batchIdOf(job))?.jobId, job.id);
  assert.equal(batchesOf(cloud, job.id), 1);
});

Deno.test("a catalog that fails after the provider's accept frees no token: the retry finds the batch", async () => {
  using world = await createJobWorld({ virtual: true });
  const { cloud, catalog } = world;
  const { finish } = catalog.journal;
  const failure = new Failure("unavailable", "The catalog does not answer");
  Object.assign(catalog.journal, { finish: () => Promise.reject(failure) });
  await assert.rejects(create(world), failure);
  Object.assign(catalog.journal, { finish });
  const job = await create(world);
  assert.equal(creates(cloud), 1);
  assert.equal(batchesOf(cloud, job.id), 1);
});

Deno.test("an unordered provider's batches are all looked through for a lost one", async () => {
  using world = await createJobWorld({ pageSize: 2, newestFirst: false });
  const { cloud } = world;
  for (let n = 0; n < 5; n++) cloud.addBatch(`batch_old${n}`, { createdAt: new Date(0) });
  cloud.after = (call) => call === "batches.create" ? Promise.reject(lostAnswer()) : undefined;
  const job = await create(world);
  assert.equal(batchesOf(cloud, job.id), 1);
});

Deno.test("a lost answer whose batch appears late does not make a second one", async () => {
  using world = await createJobWorld({ virtual: true });
  const { cloud } = world;
  let hidden: (() => void) | undefined;
  cloud.after = (call, jobId) => {
    if (call !== "batches.create") return;
    const [batch] = [...cloud.batches.values()].filter((batch) => batch.jobId === jobId);
    assert.ok(batch);
    cloud.batches.delete(batch.id);
    hidden = () => cloud.batches.set(batch.id, batch);
    return Promise.reject(lostAnswer());
  };
  await assert.rejects(create(world), kind("unavailable"));
  let lists = 0;
  cloud.before = (call) => {
    if (call === "batches.list" && ++lists === 4) hidden?.();
  };
  const job = await create(world);
  assert.equal(batchesOf(cloud, job.id), 1);
  assert.equal(creates(cloud), 1);
});

for (const [how, behind] of [["a day", 86_400_000], ["years", 1e11]] as const) {
  Deno.test(`a provider whose clock is ${how} behind does not hold up a create whose answer was lost`, async () => {
    let passed = Date.UTC(2026, 10, 1);
    const clock = { ...trustedClock(() => passed), due: () => passed - behind };
    const sleep = (milliseconds: number) => {
      passed += milliseconds;
      return Promise.resolve();
    };
    using world = await createJobWorld({ clock, now: clock.now, sleep });
    const { cloud } = world;
    let asked = 0;
    cloud.before = (call) =>
      call === "batches.create" && ++asked === 1 ? Promise.reject(lostAnswer()) : undefined;
    await assert.rejects(create(world), kind("unavailable"));
    const lostAt = passed;
    let lists = 0;
    cloud.before = (call) => {
      if (call === "batches.list") lists++;
      return lists > 100 ? Promise.reject(new Error("It is looked for without an end")) : undefined;
    };
    const job = await create(world);
    assert.equal(batchesOf(cloud, job.id), 1);
    assert.equal(creates(cloud), 2);
    // Not before the provider had its time.
    assert.ok(passed - lostAt >= 20_000, `${passed - lostAt}`);
  });
}

Deno.test("a gateway that dies after the provider's accept: a retry elsewhere gets that batch", async () => {
  using one = await createJobWorld({ virtual: true });
  const id = await dieWhileAsking(one, true);
  using two = await one.another("two");
  const job = await create(two);
  assert.equal(job.id, id);
  assert.equal(one.cloud.batches.size, 1);
  assert.deepEqual(await two.jobs.tags(two.reach, id, quiet()), { a: "1" });
});

Deno.test("a gateway that dies after the provider's accept: the sweep finds the job unasked", async () => {
  using one = await createJobWorld({ virtual: true });
  const id = await dieWhileAsking(one, true);
  using two = await one.another("two");
  await two.jobs.sweep(quiet());
  // Its lease might be held still.
  assert.equal(await two.catalog.jobs.get(scope, id), undefined);
  one.time += 6_001;
  await two.jobs.sweep(quiet());
  assert.equal((await two.catalog.jobs.get(scope, id))?.status, "InProgress");
  assert.equal((await create(two)).id, id);
  assert.equal(one.cloud.batches.size, 1);
});

Deno.test("a batch that was never made is asked for again, once it cannot appear any more", async () => {
  using one = await createJobWorld({ virtual: true });
  const id = await dieWhileAsking(one, false);
  const died = one.time;
  using two = await one.another("two");
  let asked = 0;
  one.cloud.before = (call) => {
    if (call === "batches.create") asked = one.time;
  };
  assert.equal((await create(two)).id, id);
  assert.ok(asked >= died + 20_000, `the provider was asked again after ${asked - died} ms`);
  assert.equal(one.cloud.batches.size, 1);
});

Deno.test("how long a provider may be at it counts from when it was last being asked", async () => {
  using one = await createJobWorld({ virtual: true, leaseMilliseconds: 30 });
  const held = gate();
  one.cloud.before = (call, _, signal) => {
    if (call !== "batches.create") return;
    held.wait();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  };
  const creating = create(one);
  await held.reached;
  // The call takes long, and its gateway keeps saying that it is at it.
  one.time += 50_000;
  const lastAsked = async () => (await all(one.catalog.journal.entries()))[0]?.entry.askedAt;
  for (let n = 0; n < 200 && await lastAsked() !== one.time; n++) await sleep(5);
  assert.equal(await lastAsked(), one.time);
  const died = one.time;
  one.jobs.close();
  await assert.rejects(creating);
  using two = await one.another("two");
  let asked = 0;
  one.cloud.before = (call) => {
    if (call === "batches.create") asked = one.time;
  };
  await create(two);
  assert.ok(asked >= died + 20_000, `the provider was asked again after ${asked - died} ms`);
});

Deno.test("a create that came to nothing is given up by the sweep, and its token is free", async () => {
  using one = await createJobWorld({ virtual: true });
  await dieWhileAsking(one, false);
  using two = await one.another("two");
  one.time += 10_000;
  await two.jobs.sweep(quiet());
  assert.equal((await all(one.catalog.journal.entries())).length, 1);
  one.time += 20_001;
  await two.jobs.sweep(quiet());
  assert.deepEqual(await all(one.catalog.journal.entries()), []);
  assert.deepEqual(await all(one.kv.list({ prefix: ["token"] })), []);
  assert.equal(await one.catalog.objects.hasUses("cloud", fileId("file-in")), false);
});

Deno.test("a sweep passes over a create that this process is at", async () => {
  using world = await createJobWorld({ virtual: true });
  const held = gate();
  world.cloud.before = (call) => call === "batches.create" ? held.wait() : undefined;
  const creating = create(world);
  await held.reached;
  world.time += 60_000;
  await world.jobs.sweep(quiet());
  held.open();
  const job = await creating;
  const recorded = await world.catalog.jobs.get(scope, job.id);
  assert.equal(recorded && batchIdOf(recorded), batchIdOf(job));
  assert.equal((await create(world)).id, job.id);
});

Deno.test("an input that is replaced or deleted while its job is being created stays", async () => {
  using world = await createJobWorld();
  const { objects, reach, cloud } = world;
  const { file } = await objects.put(reach, newObject("key"), quiet());
  const held = gate();
  cloud.before = (call) => call === "batches.create" ? held.wait() : undefined;
  const s3InputDataConfig = { s3Uri: "s3://bucket/key" };
  const creating = create(world, { inputDataConfig: { s3InputDataConfig } });
  await held.reached;
  await objects.put(reach, newObject("key", "other"), quiet());
  await objects.sweep(0, quiet());
  assert.ok(cloud.files.has(file));
  held.open();
  const job = await creating;
  assert.equal(flat(job).file, file);
  cloud.set(batchIdOf(job), "Completed");
  await world.jobs.get(reach, undefined, job.id, quiet());
  assert.ok(!cloud.files.has(file));
});
