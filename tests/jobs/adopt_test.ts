import assert from "node:assert/strict";
import { batchIdOf, flat } from "../catalog/memory.ts";
import { Failure } from "../../codecs/failure.ts";
import { type BatchId, batchId, fileId } from "../../codecs/ids.ts";
import { adoptedJobId } from "../../codecs/job_id.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { gate, lostAnswer } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const create = (world: JobWorld) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(), quiet());
const get = (world: JobWorld, identifier: string) =>
  world.jobs.get(world.reach, "us-west-2", identifier, quiet());
const count = ({ cloud: { calls } }: JobWorld, call: string) =>
  calls.filter((one) => one === call).length;
const all = { maxResults: 100, sortOrder: "Descending" } as const;
const arnOf = ({ id, region }: JobEntry) =>
  `arn:aws:bedrock:${region}:000000000000:model-invocation-job/${id}`;
const kind = (expected: string) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;

async function list(world: JobWorld, more: Partial<Parameters<typeof world.jobs.list>[2]> = {}) {
  return [...(await world.jobs.list(world.reach, "us-west-2", { ...all, ...more })).jobs];
}

Deno.test("native batches are adopted once, with the same id in every catalog", async () => {
  using world = await createJobWorld();
  const createdAt = new Date(1_790_000_000_000);
  const input = fileId("files/in");
  world.cloud.addBatch("batch_a", {
    createdAt,
    input,
    name: "theirs",
    modelId: "m",
    tags: { t: "1" },
  });
  world.cloud.addBatch("batch_b", { createdAt });
  const [b, a] = await list(world).then((jobs) =>
    jobs.sort((one, two) => batchIdOf(one) < batchIdOf(two) ? 1 : -1)
  );
  assert.ok(a && b);
  assert.equal(a.id, adoptedJobId(createdAt.getTime(), "batch_a"));
  assert.deepEqual(
    [a.name, a.modelId, a.roleArn, flat(a).native, a.submittedAt],
    ["theirs", "m", "arn:aws:iam::000000000000:role/batchway-native", true, createdAt.getTime()],
  );
  assert.equal(a.inputDataConfig.s3InputDataConfig.s3Uri, "s3://cloud/files/in");
  assert.equal(a.outputDataConfig.s3OutputDataConfig.s3Uri, "s3://cloud/");
  assert.deepEqual([b.name, b.modelId], ["batch_b", "unknown"]);
  assert.equal(b.inputDataConfig.s3InputDataConfig.s3Uri, "s3://cloud/batch_b");
  assert.deepEqual(await world.jobs.tags(world.reach, a.id, quiet()), { t: "1" });
  assert.equal((await list(world)).length, 2);
  // A new catalog, and by another way.
  using again = await createJobWorld({ cloud: world.cloud });
  assert.equal((await get(again, "batch_a")).id, a.id);
  assert.equal((await list(again)).length, 2);
});

Deno.test("a caller that may not see native batches sees none, and still sees its own", async () => {
  using world = await createJobWorld();
  world.cloud.addBatch("batch_native");
  const job = await create(world);
  const reach = { ...world.reach, native: false };
  const page = await world.jobs.list(reach, undefined, all);
  assert.deepEqual(page.jobs.map(({ id }) => id), [job.id]);
  await assert.rejects(
    world.jobs.get(reach, undefined, "batch_native", quiet()),
    kind("not-found"),
  );
});

Deno.test("a job under way is not taken for another client's batch", async () => {
  using world = await createJobWorld();
  const held = gate();
  world.cloud.after = (call) => call === "batches.create" ? held.wait() : undefined;
  const creating = create(world);
  await held.reached;
  assert.deepEqual(await list(world), []);
  const [made] = [...world.cloud.batches.keys()];
  await assert.rejects(get(world, made as BatchId), kind("not-found"));
  held.open();
  const job = await creating;
  assert.deepEqual((await list(world)).map(flat).map(({ id, native }) => [id, native]), [[
    job.id,
    false,
  ]]);
});

Deno.test("with a new catalog a job is found by its old ARN, as it was submitted", async () => {
  using world = await createJobWorld();
  const job = await create(world);
  using again = await createJobWorld({ cloud: world.cloud });
  const found = await get(again, arnOf(job));
  assert.deepEqual(
    [found.id, found.name, found.submittedAt, batchIdOf(found)],
    [job.id, job.name, job.submittedAt, batchIdOf(job)],
  );
  assert.deepEqual(await again.jobs.tags(again.reach, job.id, quiet()), { a: "1" });
});

Deno.test("a list brings running jobs up to date by asking only for the provider's list", async () => {
  using world = await createJobWorld();
  const jobs = [await create(world), await create(world)];
  for (const job of jobs) world.cloud.set(batchIdOf(job), "Completed");
  world.cloud.calls.length = 0;
  assert.deepEqual((await list(world)).map(({ status }) => status), ["Completed", "Completed"]);
  const { calls } = world.cloud;
  assert.deepEqual(calls.filter((call) => call !== "batches.results"), ["batches.list"]);
});

Deno.test("lists that come at once scan the provider's batches once", async () => {
  using world = await createJobWorld({ pageSize: 2, pollMilliseconds: 5_000, virtual: true });
  for (let n = 0; n < 5; n++) world.cloud.addBatch(`batch_${n}`);
  await Promise.all([list(world), list(world), list(world)]);
  assert.equal(count(world, "batches.list"), 3);
  await list(world);
  assert.equal(count(world, "batches.list"), 3);
  world.time += 5_000;
  // Nothing is new on the first page.
  await list(world);
  assert.equal(count(world, "batches.list"), 4);
  world.time += 5_000;
  world.cloud.addBatch("batch_new");
  assert.equal((await list(world)).length, 6);
  assert.equal(count(world, "batches.list"), 6);
});

Deno.test("a scan that was cut short is made good by the next, whatever that finds first", async () => {
  using world = await createJobWorld({ pageSize: 2 });
  world.cloud.addBatch("batch_first");
  await list(world);
  for (let n = 0; n < 6; n++) world.cloud.addBatch(`batch_${n}`);
  let lists = 0;
  world.cloud.before = (call) => {
    if (call === "batches.list" && ++lists === 2) throw lostAnswer();
  };
  // What was come by is told, and that it was not all.
  assert.equal((await list(world)).length, 3);
  assert.match(world.warnings.join(), /could not be listed/);
  assert.equal((await list(world)).length, 7);
});

Deno.test("of a provider without an order every page is read", async () => {
  using world = await createJobWorld({ pageSize: 2, newestFirst: false });
  for (let n = 0; n < 5; n++) world.cloud.addBatch(`batch_${n}`);
  assert.equal((await list(world)).length, 5);
  world.cloud.addBatch("batch_new");
  assert.equal((await list(world)).length, 6);
});

Deno.test("lists filter, order and page over own and native jobs alike", async () => {
  using world = await createJobWorld({ virtual: true });
  const first = 1_790_000_000_000;
  world.time = first;
  const names: string[] = [];
  for (let n = 0; n < 9; n++) {
    world.time = first + n * 1_000;
    const name = `${n % 2 ? "odd" : "even"}-${n}`;
    names.push(name);
    if (n % 3 === 0) world.cloud.addBatch(`batch_n${n}`, { name });
    else {
      await world.jobs.create(world.reach, "us-west-2", createRequest({ jobName: name }), quiet());
    }
  }
  world.cloud.set(batchId("batch_n3"), "Failed");
  const named = async (more: Parameters<typeof list>[1]) =>
    (await list(world, more)).map(({ name }) => name);
  assert.deepEqual(await named({}), names.toReversed());
  assert.deepEqual(await named({ sortOrder: "Ascending" }), names);
  assert.deepEqual(await named({ nameContains: "odd-" }), ["odd-7", "odd-5", "odd-3", "odd-1"]);
  assert.deepEqual(await named({ statusEquals: "Failed" }), ["odd-3"]);
  // After and before leave out what was submitted at that very time.
  const [after, before] = [first + 2_000, first + 6_000];
  assert.deepEqual(
    await named({ submitTimeAfter: after, submitTimeBefore: before, sortOrder: "Ascending" }),
    ["odd-3", "even-4", "odd-5"],
  );
  for (const sortOrder of ["Ascending", "Descending"] as const) {
    for (const maxResults of [1, 2, 3, 9]) {
      const seen: string[] = [];
      let request = { ...all, sortOrder, maxResults, nameContains: "even" };
      for (let pages = 1;; pages++) {
        const page = await world.jobs.list(world.reach, "us-west-2", request);
        seen.push(...page.jobs.map(({ name }) => name));
        assert.ok(page.jobs.length === maxResults || page.next === undefined);
        if (page.next === undefined) break;
        assert.ok(pages < 10);
        request = { ...request, ...{ after: page.next } };
      }
      const even = names.filter((name) => name.startsWith("even"));
      assert.deepEqual(seen, sortOrder === "Ascending" ? even : even.toReversed());
    }
  }
});

Deno.test("a native batch that has no room in the catalog takes no other from the list", async () => {
  using world = await createJobWorld();
  const many = Array.from({ length: 2_000 }, (_, n) => [`key-${n}`, "v"]);
  world.cloud.addBatch("batch_model", { modelId: "m".repeat(70_000) });
  world.cloud.addBatch("batch_name", { name: "\u{1f600}".repeat(70_000) });
  world.cloud.addBatch("batch_message", {
    status: "Failed",
    message: "w".repeat(70_000),
    endedAt: new Date(),
  });
  world.cloud.addBatch("batch_pairs", { tags: Object.fromEntries(many) });
  world.cloud.addBatch("batch_pair", {
    tags: { ["k".repeat(3_000)]: "v", a: "v".repeat(70_000), b: "1" },
  });
  const tooMany = Array.from(
    { length: 5_000 },
    (_, n) => fileId(`file-result-${n}-${"x".repeat(20)}`),
  );
  world.cloud.addBatch("batch_results", { results: tooMany });
  world.cloud.addBatch("batch_good");
  const names = (await list(world)).map(batchIdOf).sort();
  const fitting = ["batch_good", "batch_message", "batch_model", "batch_name", "batch_pair"];
  assert.deepEqual(names, [...fitting, "batch_pairs"]);
  await list(world);
  const said = world.warnings.filter((line) => /no room in the catalog/.test(line));
  assert.equal(said.length, 1, world.warnings.join());
  const pair = await get(world, "batch_pair");
  assert.deepEqual(await world.jobs.tags(world.reach, pair.id, quiet()), { b: "1" });
  const pairs = await get(world, "batch_pairs");
  assert.equal(Object.keys(await world.jobs.tags(world.reach, pairs.id, quiet())).length, 200);
});
