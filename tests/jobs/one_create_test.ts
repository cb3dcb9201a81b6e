import assert from "node:assert/strict";
import { flat } from "../catalog/memory.ts";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import type { Batch } from "../../providers/provider.ts";
import { gate } from "../double.ts";
import { newObject, quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const all = { maxResults: 100, sortOrder: "Descending" } as const;
const create = (world: JobWorld) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(), quiet());
const get = (world: JobWorld, id: string) => world.jobs.get(world.reach, undefined, id, quiet());

async function list(world: JobWorld) {
  const { jobs } = await world.jobs.list(world.reach, undefined, all);
  return jobs.map(flat).map(({ batch, native }) => ({ batch, native }));
}

/** Holds a create's answer back, of whose batch the provider tells this much. */
function holdCreate(world: JobWorld, drops: Partial<Batch>) {
  const held = gate();
  world.cloud.after = (call) => {
    if (call !== "batches.create") return;
    const made = [...world.cloud.batches.values()].at(-1);
    assert.ok(made);
    world.cloud.set(made.id, made.status, drops);
    return held.wait();
  };
  return held;
}

const dropped: readonly [string, Partial<Batch>][] = [
  ["metadata", { jobId: undefined, name: undefined, tags: {} }],
  ["metadata and the input", { jobId: undefined, name: undefined, tags: {}, input: undefined }],
  ["metadata and the time", {
    jobId: undefined,
    name: undefined,
    tags: {},
    createdAt: new Date(0),
  }],
];
for (const [what, drops] of dropped) {
  Deno.test(`one create is one job at a provider that drops ${what}, while others list`, async () => {
    using world = await createJobWorld();
    const held = holdCreate(world, drops);
    const creating = create(world);
    await held.reached;
    const [made] = [...world.cloud.batches.keys()];
    assert.ok(made);
    assert.deepEqual(await list(world), []);
    await assert.rejects(get(world, made), { kind: "not-found" });
    held.open();
    const job = await creating;
    assert.deepEqual(await list(world), [{ batch: made, native: false }]);
    assert.equal((await get(world, made)).id, job.id);
  });
}

Deno.test("a native batch of another input, or of long ago, is not taken for a create's", async () => {
  using world = await createJobWorld();
  const held = holdCreate(world, { jobId: undefined });
  const creating = create(world);
  await held.reached;
  world.cloud.addBatch("batch_other", { input: fileId("file-other") });
  const createdAt = new Date(Date.now() - 24 * 3_600_000);
  world.cloud.addBatch("batch_old", { input: fileId("file-in"), createdAt });
  const seen = await list(world);
  assert.deepEqual(seen.map(({ batch }) => batch).sort(), ["batch_old", "batch_other"]);
  held.open();
  await creating;
  assert.equal((await list(world)).length, 3);
});

Deno.test("a native batch that might have been a create's is adopted once that has ended", async () => {
  using world = await createJobWorld({ pageSize: 1 });
  world.cloud.addBatch("batch_first", { input: fileId("file-x") });
  await list(world);
  const held = holdCreate(world, { jobId: undefined });
  const creating = create(world);
  await held.reached;
  world.cloud.addBatch("batch_theirs", { input: fileId("file-in") });
  world.cloud.addBatch("batch_newest", { input: fileId("file-y") });
  const during = (await list(world)).map(({ batch }) => batch).sort();
  assert.deepEqual(during, ["batch_first", "batch_newest"]);
  held.open();
  const { batch } = flat(await creating);
  const after = (await list(world)).map(({ batch }) => batch).sort();
  assert.deepEqual(after, [batch, "batch_first", "batch_newest", "batch_theirs"].sort());
});

/** Puts an object and creates a job on it, while its provider refuses so many times. */
async function createAtOnce(world: JobWorld, times: number, refuse: () => Failure) {
  await world.objects.put(world.reach, newObject("in.jsonl", "{}\n"), quiet());
  let left = times;
  world.cloud.before = (call) => {
    const isOfFile = call === "batches.create" || call === "files.head";
    if (isOfFile && left > 0) {
      if (call === "batches.create") left--;
      throw refuse();
    }
  };
  const s3InputDataConfig = { s3Uri: "s3://bucket/in.jsonl" };
  const request = createRequest({ inputDataConfig: { s3InputDataConfig } });
  return await world.jobs.create(world.reach, "us-west-2", request, quiet());
}

const early: readonly [string, () => Failure][] = [
  ["is not there", () => new Failure("not-found", "No such file", { gone: true })],
  ["is pending", () => new Failure("invalid", "The file is pending", { notReady: true })],
];
for (const [what, refuse] of early) {
  Deno.test(`a job created at once after its put waits for a file that ${what} yet`, async () => {
    using world = await createJobWorld({ virtual: true });
    const job = await createAtOnce(world, 3, refuse);
    assert.equal(job.status, "InProgress");
    assert.equal(world.cloud.batches.size, 1);
  });

  Deno.test(`a file that ${what} for long is refused, and leaves no job`, async () => {
    using world = await createJobWorld({ virtual: true });
    await assert.rejects(createAtOnce(world, 100, refuse), refuse());
    const tries = world.cloud.calls.filter((call) => call === "batches.create").length;
    assert.equal(tries, 6);
    assert.deepEqual(await list(world), []);
  });
}

Deno.test("what else is refused of a new input is refused at once, and an old input too", async () => {
  using world = await createJobWorld({ virtual: true });
  const invalid = () => new Failure("invalid", "No such model");
  await assert.rejects(createAtOnce(world, 100, invalid), invalid());
  world.cloud.before = () => {};
  world.cloud.addFile("file-in", { createdAt: new Date(world.time - 3_600_000) });
  const missing = () => new Failure("not-found", "No such model");
  world.cloud.calls.length = 0;
  world.cloud.before = (call) => {
    if (call === "batches.create") throw missing();
  };
  await assert.rejects(create(world), missing());
  const tries = () => world.cloud.calls.filter((call) => call === "batches.create").length;
  assert.equal(tries(), 1);
  // A new one that the provider does know is not what it lacks.
  world.cloud.addFile("file-in", { createdAt: new Date(world.time) });
  world.cloud.calls.length = 0;
  await assert.rejects(create(world), missing());
  assert.equal(tries(), 3);
});
