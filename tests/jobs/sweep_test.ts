import assert from "node:assert/strict";
import type { Account } from "../../providers/provider.ts";
import {
  batchIdOf,
  jobRecord,
  openCatalog,
  scope,
  sleep,
  temporaryFolder,
} from "../catalog/memory.ts";
import { createDouble, gate } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const create = (world: JobWorld) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(), quiet());
const gets = ({ cloud: { calls } }: JobWorld) =>
  calls.filter((call) => call === "batches.get").length;

/** Puts running jobs with batches of their own into a world. */
async function fill(world: JobWorld, jobs: number, account = "main"): Promise<void> {
  for (let n = 0; n < jobs; n++) {
    const job = jobRecord(1_000_000 + n, { account });
    world.cloud.addBatch(batchIdOf(job));
    await world.catalog.jobs.adopt(scope, job, {});
  }
}

Deno.test("two gateways that sweep at the same time ask for each job once", async () => {
  await using folder = await temporaryFolder();
  const open = () => openCatalog(`${folder.path}/catalog.kv`);
  using one = await createJobWorld({ catalogOf: await open() });
  using two = await one.another("two", await open());
  await fill(one, 12);
  const held = gate();
  one.cloud.before = () => gets(one) === 1 ? held.wait() : undefined;
  const sweeping = one.jobs.sweep(quiet());
  await held.reached;
  // The other finds the lease taken, and leaves without a question.
  await two.jobs.sweep(quiet());
  held.open();
  await sweeping;
  assert.equal(gets(one), 12);
  await two.jobs.sweep(quiet());
  assert.equal(gets(one), 24);
});

Deno.test("with many gateways the running jobs are swept once in a pause, not once by each", async () => {
  using one = await createJobWorld({ virtual: true, sweepMilliseconds: 60_000 });
  using two = await one.another("two");
  using three = await one.another("three");
  await fill(one, 5);
  for (let round = 1; round <= 3; round++) {
    for (const world of [one, two, three]) {
      await world.jobs.sweep(quiet());
      one.time += 5_000;
    }
    assert.equal(gets(one), 5 * round);
    one.time += 45_000;
  }
});

Deno.test("the lease of a gateway that died in its sweep runs out, and another goes on", async () => {
  using one = await createJobWorld({ virtual: true });
  using two = await one.another("two");
  await fill(one, 3);
  const { leases } = one.catalog;
  const until = one.time + 6_000;
  assert.ok(await leases.of("sweep of jobs").take({ owner: "dead", now: one.time, until }));
  await two.jobs.sweep(quiet());
  assert.equal(gets(one), 0);
  one.time += 6_000;
  await two.jobs.sweep(quiet());
  assert.equal(gets(one), 3);
});

Deno.test("a gateway whose lease was taken over stops its sweep", async () => {
  using one = await createJobWorld({ leaseMilliseconds: 30 });
  await fill(one, 200);
  const held = gate();
  one.cloud.before = () => held.wait();
  const sweeping = one.jobs.sweep(quiet());
  await held.reached;
  // As if this process had stood still until its lease ran out.
  await one.kv.set(["lease", "sweep of jobs"], { owner: "other", until: Infinity });
  await sleep(60);
  held.open();
  await sweeping;
  assert.ok(gets(one) < 10, `${gets(one)} questions`);
  assert.equal(
    (await one.kv.get<{ owner: string }>(["lease", "sweep of jobs"])).value?.owner,
    "other",
  );
});

Deno.test("a sweep that is cut short gives its lease back, and the next one follows at once", async () => {
  using one = await createJobWorld({ sweepMilliseconds: 60_000 });
  await fill(one, 20);
  const stopping = new AbortController();
  one.cloud.before = () => stopping.abort();
  await one.jobs.sweep(stopping.signal);
  const cut = gets(one);
  assert.ok(cut < 20);
  one.cloud.before = () => {};
  using two = await one.another("two");
  await two.jobs.sweep(quiet());
  assert.equal(gets(one), cut + 20);
});

Deno.test("accounts are swept side by side, each a few questions at a time, and a slow one keeps no other waiting", async () => {
  const base = createDouble();
  const underWay = new Map<string, number>();
  const most = new Map<string, number>();
  const done = new Map<string, number>();
  const slow = gate();
  const [main] = base.provider.accounts as [Account];
  const watched = (name: string): Account => ({
    ...main,
    name,
    batches: {
      ...main.batches,
      async get(id, signal) {
        underWay.set(name, (underWay.get(name) ?? 0) + 1);
        most.set(name, Math.max(most.get(name) ?? 0, underWay.get(name) ?? 0));
        if (name === "slow") await slow.wait();
        await sleep(1);
        underWay.set(name, (underWay.get(name) ?? 0) - 1);
        done.set(name, (done.get(name) ?? 0) + 1);
        return await main.batches.get(id, signal);
      },
    },
  });
  const accounts = ["slow", "quick", "third"].map(watched);
  const cloud = { ...base, provider: { ...base.provider, accounts } };
  using world = await createJobWorld({ cloud });
  for (const name of ["slow", "quick", "third"]) await fill(world, 40, name);
  const sweeping = world.jobs.sweep(quiet());
  await slow.reached;
  const others = () => (done.get("quick") ?? 0) + (done.get("third") ?? 0);
  for (let n = 0; n < 1_000 && others() < 80; n++) await sleep(5);
  assert.deepEqual([done.get("slow"), done.get("quick"), done.get("third")], [undefined, 40, 40]);
  slow.open();
  await sweeping;
  assert.equal(done.get("slow"), 40);
  for (const [name, count] of most) assert.ok(count > 1 && count <= 4, `${name}: ${count}`);
});

Deno.test("thousands of running jobs are all brought forward by one sweep, and lists show their ends", async () => {
  using world = await createJobWorld();
  await fill(world, 3_000);
  const job = await create(world);
  for (const id of world.cloud.batches.keys()) world.cloud.set(id, "Completed");
  await world.jobs.sweep(quiet());
  assert.equal(gets(world), 3_001);
  const left = await Array.fromAsync(world.catalog.jobs.running());
  assert.deepEqual(left, []);
  assert.equal((await world.catalog.jobs.get(scope, job.id))?.status, "Completed");
});
