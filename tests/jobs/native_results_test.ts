import assert from "node:assert/strict";
import { keys, nativeTenant } from "../../catalog/keys.ts";
import { Failure } from "../../codecs/failure.ts";
import { patience } from "../../jobs/verdict.ts";
import { quiet } from "../objects/world.ts";
import { counts, get, keysOf, textOf } from "./results_world.ts";
import { openCatalog } from "../catalog/memory.ts";
import { createJobWorld } from "./world.ts";

const virtual = { virtual: true };

Deno.test("the results of a native batch are in the provider's bucket, for those who see such", async () => {
  using world = await createJobWorld();
  world.cloud.addBatch("batch_native", { status: "Completed", counts: counts(1) });
  world.cloud.results.set([...world.cloud.batches.keys()][0]!, ['{"id":"a"}\n']);
  // A batch that was over when it was found has its true state at once, and its results by and by.
  const listed = await world.jobs.list(world.reach, undefined, {
    maxResults: 10,
    sortOrder: "Descending",
  });
  const [job] = listed.jobs;
  assert.equal(job?.status, "Completed");
  assert.deepEqual(await keysOf(world, "cloud"), []);
  await world.jobs.sweep(quiet());
  const keys = [`${job?.id}/batch_native.out`, `${job?.id}/manifest.json.out`];
  assert.deepEqual(await keysOf(world, "cloud"), keys);
  assert.equal(await textOf(world, keys[0]!, undefined, "cloud"), '{"id":"a"}\n');
  const blind = Object.assign(Object.create(world), { reach: { ...world.reach, native: false } });
  assert.deepEqual(await keysOf(blind, "cloud"), []);
  assert.equal(await textOf(blind, keys[0]!, undefined, "cloud"), undefined);
  assert.deepEqual(await keysOf(world, "cloud-files"), ["file-in"]);
  await world.objects.remove(world.reach, { bucket: "cloud", key: keys[0]! }, quiet());
  assert.deepEqual(await keysOf(world, "cloud"), [keys[1]]);
});

Deno.test("many who ask for a native batch have its results read once", async () => {
  using world = await createJobWorld();
  world.cloud.addBatch("batch_native", { status: "Completed", counts: counts(1) });
  world.cloud.results.set([...world.cloud.batches.keys()][0]!, ['{"id":"a"}\n']);
  await world.jobs.list(world.reach, undefined, { maxResults: 1, sortOrder: "Descending" });
  world.cloud.calls.length = 0;
  const ask = () => world.jobs.get(world.reach, undefined, "batch_native", quiet());
  await Promise.all(Array.from({ length: 50 }, ask));
  assert.deepEqual(world.cloud.calls, ["batches.get", "batches.results", "batches.openResults"]);
  assert.equal((await keysOf(world, "cloud")).length, 2);
});

Deno.test("a native batch that was deleted, or cannot be asked for, is still shown as a job", async () => {
  using world = await createJobWorld(virtual);
  world.cloud.addBatch("batch_native", { status: "Completed", counts: counts(4) });
  const [id] = [...world.cloud.batches.keys()];
  world.cloud.before = (call) => {
    if (call === "batches.results") throw new Failure("unavailable", "Not now");
  };
  const job = await world.jobs.get(world.reach, undefined, "batch_native", quiet());
  assert.deepEqual([job.status, await keysOf(world, "cloud")], ["Completed", []]);
  world.time += 60_000;
  world.cloud.before = () => {
    throw new Failure("unavailable", "Not now");
  };
  assert.deepEqual(await get(world, job), job);
  world.cloud.before = () => {};
  world.cloud.batches.delete(id!);
  world.time += 60_000;
  // It may say so in passing.
  assert.deepEqual(await get(world, job), job);
  world.time += patience.missing;
  const told = await get(world, job);
  assert.deepEqual([told.status, told.counts], ["Completed", counts(4)]);
  assert.match(told.message ?? "", /There is no batch batch_native/);
  assert.deepEqual(await keysOf(world, "cloud"), [`${job.id}/manifest.json.out`]);
  world.cloud.calls.length = 0;
  assert.deepEqual(await get(world, job), told);
  assert.deepEqual(world.cloud.calls, []);
});

Deno.test("polls of an ended job look once for results to be read, and the sweep each time", async () => {
  using catalogOf = await openCatalog();
  const world = await createJobWorld({ catalogOf });
  world.cloud.addBatch("batch_native", { status: "Completed", counts: counts(1) });
  world.cloud.results.set([...world.cloud.batches.keys()][0]!, ['{"id":"a"}\n']);
  const job = await world.jobs.get(world.reach, undefined, "batch_native", quiet());
  await get(world, job);
  // As if the record had been lost, and the batch adopted once more.
  const scope = { tenant: nativeTenant, provider: "cloud" };
  await catalogOf.kv.set(keys.awaitsResults(scope, job.id), true);
  world.cloud.calls.length = 0;
  const readings = () => world.cloud.calls.filter((call) => call === "batches.results").length;
  await get(world, job);
  assert.equal(readings(), 0);
  await world.jobs.sweep(quiet());
  assert.equal(readings(), 1);
  assert.equal((await catalogOf.kv.get(keys.awaitsResults(scope, job.id))).value, null);
});
