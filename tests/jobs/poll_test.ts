import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { all, flat, openCatalog, temporaryFolder } from "../catalog/memory.ts";
import { gate, lostAnswer } from "../double.ts";
import { quiet } from "../objects/world.ts";
import { startTestGateway } from "../gateway.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { createJobWorld, createRequest, type JobWorld } from "./world.ts";
import { asked, createClient } from "./wire.ts";

const create = (world: JobWorld) =>
  world.jobs.create(world.reach, "us-west-2", createRequest(), quiet());
const get = (world: JobWorld, identifier: string) =>
  world.jobs.get(world.reach, "us-west-2", identifier, quiet());
const gets = ({ cloud: { calls } }: JobWorld) =>
  calls.filter((call) => call === "batches.get").length;

Deno.test("a thousand pollers at three gateways ask the provider at most once in the time configured", async () => {
  await using folder = await temporaryFolder();
  const open = () => openCatalog(`${folder.path}/catalog.kv`);
  using one = await createJobWorld({
    virtual: true,
    pollMilliseconds: 1_000,
    catalogOf: await open(),
  });
  using two = await one.another("two", await open());
  using three = await one.another("three", await open());
  const { id, batch } = flat(await create(one));
  for (let half = 0; half < 6; half++) {
    const pollers = Array.from({ length: 170 }, (_, n) => get([one, two, three][n % 3]!, id));
    for (const job of await Promise.all(pollers)) assert.equal(job.status, "InProgress");
    assert.equal(gets(one), 1 + Math.floor(half / 2), `after ${half * 500} ms`);
    one.time += 500;
  }
  one.cloud.set(batch, "Completed");
  const ends = await Promise.all([one, two, three, one, two, three].map((world) => get(world, id)));
  assert.equal(gets(one), 4);
  assert.ok(ends.some(({ status }) => status === "Completed"));
  // Who came while the question was under way was told what was known; now all know, unasked.
  for (const world of [one, two, three]) assert.equal((await get(world, id)).status, "Completed");
  assert.equal(gets(one), 4);
  assert.deepEqual(await all(one.kv.list({ prefix: ["asked"] })), []);
});

Deno.test("polls within the time write nothing, and a question one small record", async () => {
  using world = await createJobWorld({ virtual: true, pollMilliseconds: 1_000 });
  const { id } = await create(world);
  const stamps = async () =>
    (await all(world.kv.list({ prefix: [] }))).map(({ key, versionstamp }) => [key, versionstamp]);
  const before = await stamps();
  await get(world, id);
  const after = await stamps();
  const known = new Set(before.map((one) => JSON.stringify(one)));
  const changed = after.filter((one) => !known.has(JSON.stringify(one)));
  assert.deepEqual(changed.map(([key]) => key), [["asked", "default", "cloud", id]]);
  for (let n = 0; n < 50; n++) await get(world, id);
  assert.deepEqual(await stamps(), after);
});

Deno.test("always ask means always: only those who ask at the same time share a question", async () => {
  using world = await createJobWorld({ pollMilliseconds: 0 });
  const { id } = await create(world);
  for (let n = 0; n < 3; n++) await get(world, id);
  assert.equal(gets(world), 3);
  await Promise.all(Array.from({ length: 200 }, () => get(world, id)));
  assert.equal(gets(world), 4);
});

Deno.test("a provider that does not answer is asked once in a second for all callers, and then again", async () => {
  using world = await createJobWorld({ virtual: true, pollMilliseconds: 5_000 });
  const { id } = await create(world);
  world.cloud.before = () => Promise.reject(lostAnswer());
  const refused = (error: unknown) => error instanceof Failure && error.kind === "unavailable";
  for (let n = 0; n < 20; n++) await assert.rejects(get(world, id), refused);
  assert.equal(gets(world), 1);
  world.cloud.before = () => {};
  world.time += 5_000;
  assert.equal((await get(world, id)).status, "InProgress");
  assert.equal(gets(world), 2);
});

Deno.test("an answer that comes late does not undo what was reported since", async () => {
  using one = await createJobWorld();
  using two = await one.another("two");
  const { id, batch } = flat(await create(one));
  const held = gate();
  let isFirst = true;
  one.cloud.after = (call) => {
    if (call !== "batches.get" || !isFirst) return;
    isFirst = false;
    return held.wait();
  };
  const late = get(one, id);
  await held.reached;
  one.cloud.set(batch, "Completed");
  assert.equal((await get(two, id)).status, "Completed");
  held.open();
  assert.equal((await late).status, "Completed");
});

Deno.test("an unknown word for a batch's state leaves the job running, and is logged once", async () => {
  using world = await createJobWorld();
  const { id, batch } = flat(await create(world));
  world.cloud.set(batch, "InProgress", { unknownStatus: true, rawStatus: "pausing" });
  for (let n = 0; n < 3; n++) assert.equal((await get(world, id)).status, "InProgress");
  assert.equal(world.warnings.length, 1);
  assert.match(world.warnings[0] ?? "", /unknown word/);
  world.cloud.set(batch, "InProgress", { rawStatus: "resting" });
  await get(world, id);
  assert.equal(world.warnings.length, 2);
});

Deno.test("a thousand polls over the wire, at two gateways of one catalog, are one question", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 3_600 });
  const options = {
    providers: sandbox,
    catalogPath: `${folder.path}/catalog.kv`,
    env: { BATCHWAY_POLL_SECONDS: "3600", BATCHWAY_SWEEP_SECONDS: "3600" },
  };
  const gateways = [await startTestGateway(options), await startTestGateway(options)];
  try {
    const clients = gateways.map(({ url }) => createClient(url));
    const [one] = clients;
    assert.ok(one);
    await one.upload("openai-files/in.jsonl");
    const arn = await one.create("openai-files/in.jsonl");
    for (let n = 0; n < 10; n++) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => clients[n % 2]!.get(arn)));
    }
    assert.equal(await asked(sandbox, "GET", /^\/batches\/./), 1);
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await sandbox.close();
  }
});
