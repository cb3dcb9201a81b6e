import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { batchId, fileId } from "../../codecs/ids.ts";
import { newJobId } from "../../codecs/job_id.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { batchIdOf, openCatalog, sleep } from "../catalog/memory.ts";
import { gate, lostAnswer, providersOf } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const create = (world: JobWorld) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(), quiet());
const get = (world: JobWorld, identifier: string) =>
  world.jobs.get(world.reach, "us-west-2", identifier, quiet());
const stop = (world: JobWorld, identifier: string) =>
  world.jobs.stop(world.reach, undefined, identifier, quiet());
const count = ({ cloud: { calls } }: JobWorld, call: string) =>
  calls.filter((one) => one === call).length;
const all = { maxResults: 100, sortOrder: "Descending" } as const;
const arnOf = ({ id, region }: JobEntry) =>
  `arn:aws:bedrock:${region}:000000000000:model-invocation-job/${id}`;
const kind = (expected: string) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;

Deno.test("a job is found by its ARN, by its id, and by the provider's batch id", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  for (const identifier of [arnOf(job), job.id, batchIdOf(job)]) {
    assert.equal((await get(world, identifier)).id, job.id);
  }
  const unknown = newJobId(5, (bytes) => bytes.fill(1));
  for (
    const identifier of [unknown, arnOf({ ...job, id: unknown }), "batch_none", "x", "", "../"]
  ) {
    await assert.rejects(get(world, identifier), kind("not-found"), identifier);
  }
});

Deno.test("another tenant's job is unknown by every name, and stays as it is", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  for (const native of [true, false]) {
    const reach = { ...world.reach, tenant: "other", native };
    for (const identifier of [arnOf(job), job.id, batchIdOf(job)]) {
      await assert.rejects(
        world.jobs.get(reach, undefined, identifier, quiet()),
        kind("not-found"),
      );
      await assert.rejects(
        world.jobs.stop(reach, undefined, identifier, quiet()),
        kind("not-found"),
      );
      await assert.rejects(world.jobs.tags(reach, identifier, quiet()), kind("not-found"));
    }
    assert.deepEqual((await world.jobs.list(reach, undefined, all)).jobs, []);
  }
});

Deno.test("fifty who ask at the same time are one question to the provider", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  const held = gate();
  world.cloud.before = () => held.wait();
  const asking = Promise.all(Array.from({ length: 50 }, () => get(world, job.id)));
  await held.reached;
  await sleep(20);
  held.open();
  assert.equal((await asking).length, 50);
  assert.equal(count(world, "batches.get"), 1);
  await get(world, job.id);
  assert.equal(count(world, "batches.get"), 2);
});

Deno.test("a running job's provider is asked once in the time configured", async () => {
  using world = await createJobWorld({ virtual: true, pollMilliseconds: 5_000 });
  const job = await create(world);
  await get(world, job.id);
  world.cloud.set(batchIdOf(job), "Completed");
  world.time += 4_999;
  assert.equal((await get(world, job.id)).status, "InProgress");
  world.time += 1;
  assert.equal((await get(world, job.id)).status, "Completed");
  assert.equal(count(world, "batches.get"), 2);
});

Deno.test("a job that is over comes from the catalog, and never changes again", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  const counts = { total: 3, processed: 3, success: 2, error: 1 };
  const results = [fileId("file-out"), fileId("file-err")];
  const endedAt = new Date(job.submittedAt + 7_000);
  world.cloud.set(batchIdOf(job), "Completed", { counts, results, endedAt, message: "1 failed" });
  world.cloud.results.set(batchIdOf(job), ['{"id":"a"}\n{"id":"b"}\n', '{"id":"c","error":1}\n']);
  const done = await get(world, job.id);
  assert.deepEqual(
    [done.status, done.counts, done.results, done.endedAt, done.message],
    ["Completed", counts, results, endedAt.getTime(), "1 failed"],
  );
  world.cloud.set(batchIdOf(job), "InProgress");
  world.cloud.calls.length = 0;
  assert.deepEqual(await get(world, arnOf(job)), done);
  assert.deepEqual(world.cloud.calls, []);
  await world.jobs.list(world.reach, undefined, all);
  await world.jobs.sweep(quiet());
  assert.deepEqual(await get(world, job.id), done);
});

Deno.test("two providers on one account keep their jobs of the same batches apart", async () => {
  using world = await createJobWorld();
  world.cloud.addBatch("batch_native");
  using other = await createJobWorld({ name: "second" });
  other.cloud.batches.set(
    batchId("batch_native"),
    world.cloud.batches.get(batchId("batch_native"))!,
  );
  const reach = other.reach;
  const providers = providersOf(world.cloud, other.cloud);
  using both = await createJobWorld({ cloud: world.cloud, providers });
  const inputs = await Promise.all(
    [both.reach, reach].map(async (reach) =>
      (await both.jobs.get(reach, "us-west-2", "batch_native", quiet())).inputDataConfig
        .s3InputDataConfig.s3Uri
    ),
  );
  const id = (await get(both, "batch_native")).id;
  const again = await Promise.all(
    [both.reach, reach].map(async (reach) =>
      (await both.jobs.get(reach, "us-west-2", id, quiet())).inputDataConfig.s3InputDataConfig.s3Uri
    ),
  );
  assert.deepEqual(inputs, ["s3://cloud/batch_native", "s3://second/batch_native"]);
  assert.deepEqual(again, inputs);
});

Deno.test("stopping: Stopping until the provider has an end to report, then a conflict", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  await stop(world, arnOf(job));
  assert.equal(
    (await world.catalog.jobs.get({ tenant: "default", provider: "cloud" }, job.id))?.status,
    "Stopping",
  );
  // A provider may go on calling it running for a while.
  world.cloud.set(batchIdOf(job), "InProgress");
  assert.equal((await get(world, job.id)).status, "Stopping");
  await stop(world, batchIdOf(job));
  world.cloud.set(batchIdOf(job), "Stopped");
  assert.equal((await get(world, job.id)).status, "Stopped");
  await assert.rejects(stop(world, job.id), kind("conflict"));
  assert.equal(count(world, "batches.stop"), 2);
});

Deno.test("stopping a job that is over only at its provider is a conflict, and is recorded", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  world.cloud.set(batchIdOf(job), "Completed");
  world.cloud.before = (call) =>
    call === "batches.stop" ? Promise.reject(new Failure("conflict", "Over")) : undefined;
  await assert.rejects(stop(world, job.id), /Completed/);
  world.cloud.calls.length = 0;
  assert.equal((await get(world, job.id)).status, "Completed");
  assert.deepEqual(world.cloud.calls, []);
});

Deno.test("the sweep brings jobs forward without a poll, and one dead account stops no other", async () => {
  using world = await createJobWorld();
  using second = await createJobWorld({ name: "second" });
  const providers = providersOf(world.cloud, second.cloud);
  using both = await createJobWorld({ cloud: world.cloud, providers });
  const dead = [await create(both), await create(both), await create(both)];
  const alive = await both.jobs.create(
    { ...second.reach },
    "us-west-2",
    createRequest({
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://second-files/file-in" } },
    }),
    quiet(),
  ).catch((error: unknown) => error);
  // Its objects are those of the world `both`, which finds native files at any provider it is told.
  assert.ok(!(alive instanceof Error), String(alive));
  second.cloud.set(batchIdOf(alive as JobEntry), "Completed");
  world.cloud.before = () => Promise.reject(lostAnswer());
  world.cloud.calls.length = 0;
  await both.jobs.sweep(quiet());
  assert.deepEqual(world.cloud.calls, ["batches.get"]);
  assert.equal(both.warnings.length, 1);
  const scope = { tenant: "default", provider: "second" };
  assert.equal((await both.catalog.jobs.get(scope, (alive as JobEntry).id))?.status, "Completed");
  world.cloud.before = () => {};
  for (const job of dead) world.cloud.set(batchIdOf(job), "Failed");
  await both.jobs.sweep(quiet());
  for (const { id } of dead) {
    assert.equal(
      (await both.catalog.jobs.get({ ...scope, provider: "cloud" }, id))?.status,
      "Failed",
    );
  }
});

Deno.test("closing breaks off what is asked of a provider that does not answer", async () => {
  using world = await createJobWorld({ catalogOf: await openCatalog() });
  const job = await create(world);
  const held = gate();
  world.cloud.before = (_, _what, signal) => {
    held.wait();
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason))
    );
  };
  const asking = get(world, job.id);
  await held.reached;
  world.jobs.close();
  await assert.rejects(asking, { name: "AbortError" });
});

Deno.test("tags are limited to as many as AWS allows, on jobs of any name", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  const many = Object.fromEntries(Array.from({ length: 199 }, (_, n) => [`t${n}`, "v"]));
  await world.jobs.tag(world.reach, arnOf(job), many, quiet());
  await world.jobs.tag(world.reach, batchIdOf(job), { a: "changed" }, quiet());
  await assert.rejects(
    world.jobs.tag(world.reach, job.id, { more: "x" }, quiet()),
    (error) => error instanceof Failure && error.details.bedrock === "TooManyTagsException",
  );
  await world.jobs.untag(world.reach, job.id, ["t0", "none"], quiet());
  await world.jobs.tag(world.reach, job.id, { more: "x" }, quiet());
  const tags = await world.jobs.tags(world.reach, job.id, quiet());
  assert.deepEqual([Object.keys(tags).length, tags["a"], tags["t0"]], [200, "changed", undefined]);
});
