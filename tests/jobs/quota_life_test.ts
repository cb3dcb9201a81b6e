/** What jobs reserve of their access key's limits, through their lives. */
import assert from "node:assert/strict";
import { jobRecord, journalRecord, scope } from "../catalog/memory.ts";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { batchOf } from "../../catalog/plans.ts";
import { type Limits, monthOf, noAmounts } from "../../catalog/limits.ts";
import { quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const create = (world: JobWorld, limits: Limits, accessKeyId = "A") =>
  world.jobs.create({ ...world.reach, accessKeyId, limits }, "us-west-2", createRequest(), quiet());

const isOver = (error: unknown) =>
  error instanceof Failure && error.details.bedrock === "ServiceQuotaExceededException";

Deno.test("a month's limit begins again with the month, and a job counts in the one of its create", async () => {
  using world = await createJobWorld({ virtual: true });
  world.time = Date.UTC(2026, 10, 30, 23, 59, 0);
  const first = await create(world, { maxJobs: 1 });
  await assert.rejects(create(world, { maxJobs: 1 }), isOver);
  world.time = Date.UTC(2026, 11, 1, 0, 0, 30);
  await create(world, { maxJobs: 1 });
  await assert.rejects(create(world, { maxJobs: 1 }), isOver);
  const batch = batchOf(first);
  assert.ok(batch !== undefined);
  world.cloud.set(batch, "Failed", { message: "Not a batch" });
  const ended = await world.jobs.get(world.reach, "us-west-2", first.id, quiet());
  assert.equal(ended.status, "Failed");
  const { quotas } = world.catalog;
  assert.deepEqual((await quotas.get("A", "2026-11")).used, { ...noAmounts, jobs: 1 });
  assert.equal((await quotas.get("A", "2026-12")).reserved.jobs, 1);
});

Deno.test("a create that its provider refuses reserves nothing, nor does one whose input is gone", async () => {
  using world = await createJobWorld();
  world.cloud.before = (call) =>
    call === "batches.create" ? Promise.reject(new Failure("denied", "No")) : undefined;
  await assert.rejects(create(world, { maxJobs: 1 }));
  world.cloud.before = () => undefined;
  const request = createRequest({
    inputDataConfig: {
      s3InputDataConfig: { s3Uri: `s3://cloud-files/${fileId("file-missing")}` },
    },
  });
  const reach = { ...world.reach, accessKeyId: "A", limits: { maxJobs: 1 } };
  await assert.rejects(world.jobs.create(reach, "us-west-2", request, quiet()));
  await create(world, { maxJobs: 1 });
  await assert.rejects(create(world, { maxJobs: 1 }), isOver);
});

Deno.test("what a gateway reserved that died before it asked comes back with the sweep", async () => {
  using world = await createJobWorld({ virtual: true });
  const job = jobRecord(world.time);
  const month = monthOf(world.time);
  const amounts = { ...noAmounts, jobs: 1, records: 5 };
  const held = { accessKeyId: "A", month, amounts, limits: { maxRecords: 5 } };
  const dead = journalRecord(job, { owner: "dead", leaseUntil: world.time, askedAt: world.time });
  assert.ok(await world.catalog.journal.begin(scope, dead, {}, false, held));
  assert.equal((await world.catalog.quotas.get("A", month)).reserved.records, 5);
  world.time += 60_000;
  await world.jobs.sweep(quiet());
  assert.deepEqual((await world.catalog.quotas.get("A", month)).reserved, noAmounts);
  assert.equal(await world.catalog.journal.get(scope, job.id), undefined);
});

Deno.test("a native file is read for its records where its key has a limit of them", async () => {
  using world = await createJobWorld();
  world.cloud.addFile("file-in", {}, "{}\n{}\n\n{}\n");
  await assert.rejects(create(world, { maxRecords: 2 }), isOver);
  await create(world, { maxRecords: 3 });
  await assert.rejects(create(world, { maxRecords: 3 }), isOver);
});
