import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { createOrder } from "../../jobs/scan_order.ts";
import type { Account, Batch } from "../../providers/provider.ts";
import { all as every, batchIdOf, flat, sleep } from "../catalog/memory.ts";
import { createDouble, type DoubleOptions, gate, lostAnswer } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const all = { maxResults: 1_000, sortOrder: "Descending" } as const;
const list = async (world: JobWorld) => (await world.jobs.list(world.reach, "us-west-2", all)).jobs;
const first = 1_790_000_000_000;

/** A world whose provider had so many batches before the gateway came, made a second apart. */
async function history(batches: number, options: DoubleOptions & { pollMilliseconds?: number }) {
  const world = await createJobWorld({
    virtual: true,
    pageSize: 100,
    pollMilliseconds: 5_000,
    ...options,
  });
  for (let n = 0; n < batches; n++) {
    world.cloud.addBatch(`batch_h${n}`, {
      createdAt: new Date(first + n * 1_000),
      status: "Completed",
    });
  }
  return world;
}

const jobsIn = async ({ kv }: JobWorld) => (await every(kv.list({ prefix: ["job"] }))).length;

/** Pages that the provider was asked for by this. */
async function pages(world: JobWorld, work: () => Promise<unknown>): Promise<number> {
  const count = () => world.cloud.calls.filter((call) => call === "batches.list").length;
  const before = count();
  await work();
  return count() - before;
}

for (const newestFirst of [true, false]) {
  const promise = newestFirst ? "promises its order" : "keeps an order that it does not promise";
  Deno.test(`five thousand batches of a provider that ${promise} are read once, and then a page a list`, async () => {
    using world = await history(5_000, { newestFirst: true });
    const [main] = world.cloud.provider.accounts as [Account];
    // Newest first all the same: the promise alone is missing.
    Object.defineProperty(main.batches, "newestFirst", { value: newestFirst });
    const first50 = await pages(world, async () => {
      await list(world);
      for (let n = 0; n < 1_000 && await jobsIn(world) < 5_000; n++) await sleep(10);
      await world.jobs.list(world.reach, "us-west-2", all);
    });
    assert.equal(await jobsIn(world), 5_000);
    assert.equal(first50, 50);
    world.time += 5_000;
    assert.equal(await pages(world, () => list(world)), 1);
    for (let n = 0; n < 20; n++) {
      world.time += 5_000;
      world.cloud.addBatch(`batch_new${n}`, { createdAt: new Date(first + 90_000_000 + n) });
      // What is new is on the first page; the next one shows that nothing else is.
      assert.equal(await pages(world, () => list(world)), 2);
    }
    assert.equal(await jobsIn(world), 5_020);
    // What is not promised is looked at again, seldom.
    world.time += 60 * 60_000;
    const again = await pages(world, () => list(world));
    await world.jobs.close();
    assert.ok(newestFirst ? again === 1 : again >= 20, `${again} pages`);
  });
}

Deno.test("a list that comes in no order is read to its end seldom, and its first page at each list", async () => {
  using world = await history(950, { newestFirst: false });
  assert.equal(await pages(world, () => list(world)), 10);
  assert.equal(await jobsIn(world), 950);
  world.cloud.addBatch("batch_last");
  for (let n = 1; n < 12; n++) {
    world.time += 5_000;
    assert.equal(await pages(world, () => list(world)), 1, `poll ${n}`);
  }
  assert.equal(await jobsIn(world), 950);
  world.time += 5_000;
  assert.equal(await pages(world, () => list(world)), 10);
  assert.equal(await jobsIn(world), 951);
});

Deno.test("a native batch is found behind a page full of jobs that were created here", async () => {
  using world = await history(50, {});
  await list(world);
  world.cloud.addBatch("batch_behind", { createdAt: new Date(first + 60_000) });
  for (let n = 0; n < 250; n++) {
    await world.jobs.create(world.reach, "us-west-2", createRequest(), quiet());
  }
  world.time += 5_000;
  assert.equal(await pages(world, () => list(world)), 4);
  assert.ok((await list(world)).some((job) => batchIdOf(job) === "batch_behind"));
  world.time += 5_000;
  assert.equal(await pages(world, () => list(world)), 1);
});

Deno.test("a list waits for the first pages of a long history, and the rest is adopted behind it", async () => {
  using world = await history(3_000, {});
  const held = gate();
  let read = 0;
  world.cloud.before = (call) => call === "batches.list" && ++read === 21 ? held.wait() : undefined;
  const page = await list(world);
  assert.equal(page.length, 1_000);
  assert.equal(page[0] && batchIdOf(page[0]), "batch_h2999");
  await held.reached;
  assert.equal(await jobsIn(world), 2_000);
  // Whoever asks meanwhile starts no second walk.
  assert.equal(await pages(world, () => list(world)), 0);
  held.open();
  for (let n = 0; n < 1_000 && await jobsIn(world) < 3_000; n++) await sleep(10);
  assert.equal(await jobsIn(world), 3_000);
  assert.equal(read, 30);
  await world.jobs.close();
});

Deno.test("a scan that breaks behind the answer is logged, and is made good", async () => {
  using world = await history(2_500, {});
  let read = 0;
  world.cloud.before = (call) => {
    if (call === "batches.list" && ++read === 23) throw lostAnswer();
  };
  await list(world);
  for (let n = 0; n < 500 && world.warnings.length === 0; n++) await sleep(10);
  assert.match(world.warnings.join(), /was cut short/);
  assert.equal(await jobsIn(world), 2_200);
  await list(world);
  for (let n = 0; n < 1_000 && await jobsIn(world) < 2_500; n++) await sleep(10);
  assert.equal(await jobsIn(world), 2_500);
  await world.jobs.close();
});

Deno.test("closing ends a scan behind an answer before it resolves", async () => {
  using world = await history(2_500, {});
  const held = gate();
  let read = 0;
  world.cloud.before = (call, _, signal) => {
    if (call !== "batches.list" || ++read !== 22) return;
    held.wait();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  };
  await list(world);
  await held.reached;
  await world.jobs.close();
  assert.deepEqual(world.warnings, []);
});

Deno.test("batches of well accounts are listed and found although another's key is bad", async () => {
  const [a, b] = [createDouble({ name: "a" }), createDouble({ name: "b" })];
  const accounts = [a, b].map((cloud, n): Account => {
    const [main] = cloud.provider.accounts as [Account];
    return { ...main, name: n === 0 ? "a" : "b" };
  });
  const cloud = { ...createDouble(), provider: { ...a.provider, name: "cloud", accounts } };
  using world = await createJobWorld({ cloud });
  const denied = () => Promise.reject(new Failure("denied", "No", { account: "key" }));
  a.before = denied;
  b.addBatch("batch_b");
  const get = (id: string) => world.jobs.get(world.reach, undefined, id, quiet());
  assert.equal(flat(await get("batch_b")).account, "b");
  b.addBatch("batch_b2", { input: undefined });
  const jobs = await list(world);
  assert.deepEqual(jobs.map(batchIdOf).sort(), ["batch_b", "batch_b2"]);
  for (const { inputDataConfig, outputDataConfig } of jobs) {
    assert.match(inputDataConfig.s3InputDataConfig.s3Uri, /^s3:\/\/cloud\/batch_/);
    assert.equal(outputDataConfig.s3OutputDataConfig.s3Uri, "s3://cloud/");
  }
  await assert.rejects(get("batch_none"), (error) => (error as Failure).kind === "not-found");
  b.before = denied;
  await assert.rejects(list(world), (error) => (error as Failure).kind === "denied");
  await assert.rejects(get("batch_none"), (error) => (error as Failure).kind === "denied");
});

Deno.test("an order is believed only where a whole list showed it", () => {
  const page = (...times: number[]) =>
    times.map((time) => ({ createdAt: new Date(time) }) as Batch);
  const seen = (...lists: number[][]) => {
    const order = createOrder(false, 5_000);
    const watch = order.watch();
    for (const times of lists) watch.page(page(...times));
    watch.complete(0);
    return order.endsEarly(59 * 60_000);
  };
  assert.ok(seen([9, 8, 8], [7, 1]));
  assert.ok(!seen([9, 8, 7], [8, 1]));
  assert.ok(!seen([1, 2, 3]));
  assert.ok(!seen([4, 4, 4]), "equal times show nothing");
  assert.ok(!createOrder(false, 5_000).endsEarly(0), "nothing was seen yet");
  assert.ok(createOrder(true, 5_000).endsEarly(0));
});
