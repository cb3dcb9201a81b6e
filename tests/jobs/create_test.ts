import assert from "node:assert/strict";
import { createCatalog } from "../../catalog/catalog.ts";
import { Failure } from "../../codecs/failure.ts";
import { fileId } from "../../codecs/ids.ts";
import { all, openCatalog, sleep, temporaryFolder } from "../catalog/memory.ts";
import { gate, type ProviderDouble } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";

const token = { clientRequestToken: "token" };
const create = (world: JobWorld, more: Parameters<typeof createRequest>[0] = token) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(more), quiet());
const creates = ({ calls }: ProviderDouble) =>
  calls.filter((call) => call === "batches.create").length;
const kind = (expected: Failure["kind"]) => (error: unknown) =>
  error instanceof Failure && error.kind === expected;

Deno.test("the same token with the same parameters is the same job, asked for once", async () => {
  using world = await createJobWorld();
  const first = await create(world);
  const again = await create(world, { ...token, tags: { a: "1" } });
  assert.deepEqual(again, first);
  assert.equal(creates(world.cloud), 1);
  assert.deepEqual(world.warnings, []);
});

Deno.test("without a token each create is a job of its own", async () => {
  using world = await createJobWorld();
  assert.notEqual((await create(world, {})).id, (await create(world, {})).id);
});

Deno.test("a token with other parameters is a new job, with a warning, and is repeatable", async () => {
  using world = await createJobWorld();
  const first = await create(world);
  const others = [
    { jobName: "other" },
    { modelId: "other" },
    { tags: { a: "2" } },
    { tags: {} },
    { roleArn: "other" },
    { timeoutDurationInHours: 24 },
    { outputDataConfig: { s3OutputDataConfig: { s3Uri: "s3://other/" } } },
  ];
  const ids = new Set([first.id]);
  for (const [n, other] of others.entries()) {
    const job = await create(world, { ...token, ...other });
    assert.equal((await create(world, { ...token, ...other })).id, job.id);
    assert.equal(world.warnings.length, n + 1);
    ids.add(job.id);
  }
  assert.equal(ids.size, others.length + 1);
  assert.equal((await create(world)).id, first.id);
});

Deno.test("parameters are the same in whatever order they come", async () => {
  using world = await createJobWorld();
  const first = await create(world, { ...token, tags: { a: "1", b: "2" } });
  assert.equal((await create(world, { tags: { b: "2", a: "1" }, ...token })).id, first.id);
});

Deno.test("where the configuration is strict, other parameters are a conflict", async () => {
  using world = await createJobWorld({ strictIdempotency: true });
  const first = await create(world);
  await assert.rejects(create(world, { ...token, jobName: "other" }), kind("conflict"));
  assert.equal((await create(world)).id, first.id);
  assert.equal(creates(world.cloud), 1);
  // The refused create has left nothing that could be made later.
  assert.deepEqual(await all(world.catalog.journal.entries()), []);
  assert.equal((await all(world.kv.list({ prefix: ["token"] }))).length, 1);
});

Deno.test("where the configuration is strict, one of many that race with other parameters wins", async () => {
  await using folder = await temporaryFolder();
  const open = () => openCatalog(`${folder.path}/catalog.kv`);
  using one = await createJobWorld({ strictIdempotency: true, catalogOf: await open() });
  using two = await one.another("two", await open());
  const outcomes = await Promise.allSettled(
    Array.from(
      { length: 10 },
      (_, n) => create(n % 2 ? one : two, { ...token, jobName: `job-${n}` }),
    ),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert.ok(kind("conflict")(outcome.reason));
  }
  assert.equal(one.cloud.batches.size, 1);
});

Deno.test("twenty creates that race in one gateway are one batch", async () => {
  using world = await createJobWorld();
  world.cloud.before = () => sleep(5);
  const jobs = await Promise.all(Array.from({ length: 20 }, () => create(world)));
  assert.equal(new Set(jobs.map(({ id }) => id)).size, 1);
  assert.equal(creates(world.cloud), 1);
});

Deno.test("creates that race and are refused are one refusal for all", async () => {
  using world = await createJobWorld();
  world.cloud.before = async (call) => {
    await sleep(5);
    if (call === "batches.create") throw new Failure("denied", "No");
  };
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => create(world)));
  assert.ok(outcomes.every(({ status }) => status === "rejected"));
  assert.equal(creates(world.cloud), 1);
});

Deno.test("creates that race on several handles of one catalog are one batch", async () => {
  await using folder = await temporaryFolder();
  const open = () => openCatalog(`${folder.path}/catalog.kv`);
  using one = await createJobWorld({ catalogOf: await open() });
  using two = await one.another("two", await open());
  using three = await one.another("three", await open());
  one.cloud.before = () => sleep(20);
  const jobs = await Promise.all(
    Array.from({ length: 5 }, () => [one, two, three]).flat().map((world) => create(world)),
  );
  assert.equal(new Set(jobs.map(({ id }) => id)).size, 1);
  assert.equal(creates(one.cloud), 1);
  assert.equal(one.cloud.batches.size, 1);
});

Deno.test("a create that ends just while another gateway looks at it is not made again", async () => {
  using one = await createJobWorld();
  using two = await one.another("two");
  const held = gate();
  one.cloud.before = (call) => call === "batches.create" ? held.wait() : undefined;
  const first = create(one);
  await held.reached;
  // Gateway two shares the catalog: hold it between "no job yet" and "is its create under way?".
  const { jobs } = two.catalog as { jobs: { get: typeof two.catalog.jobs.get } };
  const get = jobs.get;
  let looked = 0;
  jobs.get = async (...parameters) => {
    const job = await get(...parameters);
    if (looked++ === 0) {
      assert.equal(job, undefined);
      held.open();
      await first;
    }
    return job;
  };
  assert.equal((await create(two)).id, (await first).id);
  assert.ok(looked > 1);
  assert.equal(one.cloud.batches.size, 1);
});

Deno.test("a refused create leaves token, tags and input free", async () => {
  using world = await createJobWorld();
  const { cloud, catalog } = world;
  cloud.before = (call) =>
    call === "batches.create" ? Promise.reject(new Failure("denied", "No")) : undefined;
  await assert.rejects(create(world), kind("denied"));
  assert.deepEqual(await all(world.kv.list({ prefix: ["token"] })), []);
  assert.deepEqual(await all(catalog.journal.entries()), []);
  assert.equal(await catalog.objects.hasUses("cloud", fileId("file-in")), false);
  cloud.before = () => {};
  await create(world);
  assert.equal(cloud.batches.size, 1);
});

Deno.test("an input that is not there is refused before anything is written", async () => {
  using world = await createJobWorld();
  const s3InputDataConfig = { s3Uri: "s3://cloud-files/file-none" };
  const request = { ...token, inputDataConfig: { s3InputDataConfig } };
  await assert.rejects(create(world, request), kind("invalid"));
  assert.equal(creates(world.cloud), 0);
  assert.deepEqual(await all(world.kv.list({ prefix: [] })), []);
});

Deno.test("a create waits for the disk twice: for its journal entry, and for its record", async () => {
  using opened = await openCatalog();
  let commits = 0;
  const counting = new Proxy(opened.kv, {
    get(kv, name) {
      if (name === "atomic") {
        return () => {
          const step = kv.atomic();
          const commit = step.commit.bind(step);
          return Object.assign(step, { commit: () => (commits++, commit()) });
        };
      }
      const member = Reflect.get(kv, name);
      return typeof member === "function" ? member.bind(kv) : member;
    },
  });
  const catalogOf = {
    kv: opened.kv,
    catalog: createCatalog(counting, sleep),
    [Symbol.dispose]() {},
  };
  using world = await createJobWorld({ catalogOf });
  await create(world);
  assert.equal(commits, 2);
});
