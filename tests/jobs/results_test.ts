import assert from "node:assert/strict";
import { batchIdOf } from "../catalog/memory.ts";
import type { ObjectEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { gate } from "../double.ts";
import { newObject, quiet } from "../objects/world.ts";
import {
  counts,
  finish,
  get,
  keysOf,
  manifestOf,
  resultsOf,
  start,
  textOf,
} from "./results_world.ts";
import { createJobWorld } from "./world.ts";

const virtual = { virtual: true };

Deno.test("parts are joined with the line feed that one lacks, and every range of them is right", async () => {
  using world = await createJobWorld();
  const job = await start(world, ['{"id":"a"}\n{"id":"b"}', '{"id":"c","error":1}\n']);
  await finish(world, job, { counts: { total: 3, processed: 3, success: 2, error: 1 } });
  const whole = '{"id":"a"}\n{"id":"b"}\n{"id":"c","error":1}\n';
  assert.equal(await resultsOf(world, job), whole);
  const key = `${job.id}/file-in.out`;
  const found = await world.objects.find(world.reach, { bucket: "out", key }, quiet());
  assert.equal(found?.record.bytes, whole.length);
  assert.equal(found?.record.contentType, "application/octet-stream");
  for (let first = 0; first < whole.length; first += 5) {
    for (let last = first; last < whole.length; last += 3) {
      assert.equal(await textOf(world, key, { first, last }), whole.slice(first, last + 1));
    }
  }
});

Deno.test("a record that comes again is left out, wherever that is, and named in the input's order", async () => {
  using world = await createJobWorld();
  world.cloud.addFile("file-in", {}, '{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n');
  const job = await start(world, [
    '{"id":"c"}\n{"id":"c","n":2}\n{"id":"b"}\n',
    '{"id":"b","error":1}\n{"id":"a"}\n{"id":"c"}',
  ]);
  const done = await finish(world, job, { counts: counts(3) });
  const whole = '{"id":"c"}\n{"id":"b"}\n{"id":"a"}\n';
  assert.equal(await resultsOf(world, job), whole);
  assert.equal(
    done.message,
    "3 lines of the provider's results were left out, because the record had come before: " +
      '"b", "c".',
  );
  const key = `${job.id}/file-in.out`;
  for (let first = 0; first < whole.length; first++) {
    assert.equal(await textOf(world, key, { first, last: 99 }), whole.slice(first));
  }
  assert.deepEqual(await manifestOf(world, job), {
    totalRecordCount: 3,
    processedRecordCount: 3,
    successRecordCount: 3,
    errorRecordCount: 0,
  });
});

Deno.test("where ids need not be unique, equal ids are kept and equal lines are not", async () => {
  using world = await createJobWorld({ uniqueIds: false });
  const one = await start(world, [
    '{"id":"a","n":1}\n{"id":"a","n":2}\n{"id":"a","n":1}\n{}\n{}\n',
  ]);
  const done = await finish(world, one, { counts: counts(4) });
  assert.equal(await resultsOf(world, one), '{"id":"a","n":1}\n{"id":"a","n":2}\n{}\n{}\n');
  assert.match(done.message ?? "", /^1 line of/);
  // As many as there were records: two of them are alike, and none came twice.
  const other = await start(world, ['{"id":"a"}\n{"id":"a"}\n']);
  const plain = await finish(world, other, { counts: counts(2) });
  assert.equal(await resultsOf(world, other), '{"id":"a"}\n{"id":"a"}\n');
  assert.equal(plain.message, undefined);
});

Deno.test("records that are missing are counted and the first ten named in the input's order", async () => {
  using world = await createJobWorld(virtual);
  const line = (n: number) => `{"id":"r${n}"}\n`;
  const all = Array.from({ length: 30 }, (_, n) => line(n));
  world.cloud.addFile("file-in", {}, all.join(""));
  const job = await start(world, [all.filter((_, n) => n % 2 === 1).reverse().join("")]);
  const done = await finish(world, job, { counts: counts(30) });
  const named = Array.from({ length: 10 }, (_, n) => `"r${2 * n}"`).join(", ");
  assert.equal(
    done.message,
    `The provider's results lack 15 of 30 records: ${named} and others.`,
  );
  assert.equal(done.status, "Completed");
  assert.deepEqual(done.counts, { total: 30, processed: 15, success: 15, error: 0 });
  assert.equal((await manifestOf(world, job))?.["totalRecordCount"], 30);
});

Deno.test("ten records are named however long their ids are when they are written down", async () => {
  for (const filler of ["\u0001", '"', "\ud83d\ude00", "ä", "x"]) {
    using world = await createJobWorld(virtual);
    const ids = Array.from({ length: 12 }, (_, n) => `${n}${filler.repeat(300)}`);
    const line = (id: string) => `${JSON.stringify({ id })}\n`;
    world.cloud.addFile("file-in", {}, [...ids, "kept"].map(line).join(""));
    const job = await start(world, [line("kept")]);
    const { message = "" } = await finish(world, job, { counts: counts(13) });
    const told = /^The provider's results lack 12 of 13 records: (.*) and others\.$/s.exec(message);
    const named: string[] = JSON.parse(`[${told?.[1]}]`);
    assert.deepEqual(
      named.map((id) => id.startsWith(`${named.indexOf(id)}`)),
      Array(10).fill(true),
    );
    assert.ok(message.length <= 2_048);
  }
});

Deno.test("results that were cut short on their way are read again", async () => {
  using world = await createJobWorld(virtual);
  const whole = '{"id":"a"}\n{"id":"b"}\n';
  const job = await start(world, ['{"id":"a"}\n{"id"']);
  world.cloud.after = (call) => {
    if (call === "batches.openResults") world.cloud.results.set(batchIdOf(job), [whole]);
  };
  const done = await finish(world, job, { counts: counts(2) });
  assert.equal(await resultsOf(world, job), whole);
  assert.equal(done.message, undefined);
});

Deno.test("results that end in the middle of a record are noticed, and the half record left out", async () => {
  using world = await createJobWorld(virtual);
  world.cloud.addFile("file-in", {}, '{"id":"a"}\n{"id":"b"}\n');
  const job = await start(world, ['{"id":"a"}\n{"id":"b","te']);
  const done = await finish(world, job, { counts: counts(2) });
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n');
  assert.equal(
    done.message,
    "The provider's results break off before their end. The provider's results lack 1 of 2 " +
      'records: "b".',
  );
});

Deno.test("nothing is seen before the results were read, then everything; one gateway reads", async () => {
  using world = await createJobWorld();
  const other = await world.another("two");
  const job = await start(world, ['{"id":"a","tokens":2}\n']);
  const reading = gate();
  world.cloud.before = (call) => call === "batches.openResults" ? reading.wait() : undefined;
  const first = finish(world, job, { counts: counts(1) });
  await reading.reached;
  const seen = await get(other, job);
  assert.deepEqual([seen.status, seen.endedAt], ["InProgress", undefined]);
  assert.deepEqual(await keysOf(world), []);
  reading.open();
  assert.equal((await first).status, "Completed");
  assert.deepEqual(await keysOf(other), [`${job.id}/file-in.out`, `${job.id}/manifest.json.out`]);
  const reads = world.cloud.calls.filter((call) => call === "batches.openResults");
  assert.equal(reads.length, 1);
  assert.deepEqual(await manifestOf(world, job), {
    totalRecordCount: 1,
    processedRecordCount: 1,
    successRecordCount: 1,
    errorRecordCount: 0,
    inputTokenCount: 2,
    outputTokenCount: 4,
  });
});

Deno.test("another gateway ends a job whose reader has died, and one that wakes up late changes nothing", async () => {
  using world = await createJobWorld(virtual);
  const other = await world.another("two");
  const job = await start(world, ['{"id":"a"}\n']);
  const reading = gate();
  world.cloud.before = (call) => call === "batches.openResults" ? reading.wait() : undefined;
  const asleep = finish(world, job);
  await reading.reached;
  world.cloud.before = () => {};
  assert.equal((await get(other, job)).status, "InProgress");
  world.time += 6_001;
  const ended = await get(other, job);
  assert.equal(ended.status, "Completed");
  const record = await world.catalog.jobs.get({ tenant: "default", provider: "cloud" }, job.id);
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n');
  await world.objects.remove(
    world.reach,
    { bucket: "out", key: `${job.id}/file-in.out` },
    quiet(),
  );
  reading.open();
  assert.deepEqual(await asleep, record);
  assert.deepEqual(await keysOf(world), [`${job.id}/manifest.json.out`]);
});

Deno.test("a job runs on while its results cannot be read for a passing reason", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ['{"id":"a"}\n']);
  world.cloud.before = (call) => {
    if (call === "batches.openResults") throw new Failure("unavailable", "Not now");
  };
  assert.equal((await finish(world, job)).status, "InProgress");
  assert.deepEqual(await keysOf(world), []);
  const tries = () => world.cloud.calls.filter((call) => call === "batches.openResults").length;
  await get(world, job);
  assert.equal(tries(), 1, "It is not asked again at once");
  world.cloud.before = () => {};
  world.time += 1_000;
  assert.equal((await get(world, job)).status, "Completed");
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n');
});

Deno.test("a job whose results are gone ends, with its counts, a manifest and the reason", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ["lost"]);
  world.cloud.before = (call) => {
    if (call === "batches.openResults") world.cloud.results.delete(batchIdOf(job));
  };
  let now = await finish(world, job, { counts: counts(7) });
  for (let n = 0; n < 20 && !isTerminal(now.status); n++) {
    world.cloud.results.set(batchIdOf(job), ["lost"]);
    world.time += 60_000;
    now = await get(world, job);
  }
  assert.equal(now.status, "Completed");
  assert.match(now.message ?? "", /^The results cannot be read from the provider: There is no/);
  assert.deepEqual(await keysOf(world), [`${job.id}/manifest.json.out`]);
  assert.equal((await manifestOf(world, job))?.["totalRecordCount"], 7);
});

Deno.test("a job that failed without results has a manifest", async () => {
  using world = await createJobWorld();
  const job = await start(world, []);
  const done = await finish(world, job, { status: "Failed", message: "Line 1 is wrong" });
  assert.deepEqual([done.status, done.message], ["Failed", "Line 1 is wrong"]);
  assert.deepEqual(await keysOf(world), [`${job.id}/manifest.json.out`]);
  assert.deepEqual(Object.values(await manifestOf(world, job) ?? {}), [0, 0, 0, 0]);
});

Deno.test("results are named after the input's last part, below the output as it was written", async () => {
  using world = await createJobWorld();
  const put = newObject("dir/in put.jsonl", "{}\n");
  await world.objects.put(world.reach, put, quiet());
  const outputs: Readonly<Record<string, string>> = {
    "s3://out": "",
    "s3://out/": "",
    "s3://out/p/q": "p/q/",
    "s3://out/p/q/": "p/q/",
  };
  for (const [s3Uri, folder] of Object.entries(outputs)) {
    const job = await start(world, ['{"id":"a"}\n'], {
      inputDataConfig: { s3InputDataConfig: { s3Uri: "s3://bucket/dir/in put.jsonl" } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri } },
    });
    await finish(world, job);
    const keys = (await keysOf(world)).filter((key) => key.includes(job.id));
    const base = `${folder}${job.id}/`;
    assert.deepEqual(keys, [`${base}in put.jsonl.out`, `${base}manifest.json.out`]);
  }
});

Deno.test("results take the place of an object of their name, whose file is then removed", async () => {
  using world = await createJobWorld();
  const job = await start(world, ['{"id":"a"}\n']);
  const mine = newObject(`${job.id}/file-in.out`, "mine", { bucket: "out" });
  const { file } = await world.objects.put(world.reach, mine, quiet());
  await finish(world, job);
  assert.equal(await resultsOf(world, job), '{"id":"a"}\n');
  await world.objects.sweep(0, quiet());
  assert.equal(world.cloud.files.has(file), false);
});

Deno.test("results that were deleted or replaced leave the provider's own files as they are", async () => {
  using world = await createJobWorld();
  const job = await start(world, ['{"id":"a"}\n']);
  await finish(world, job);
  const key = `${job.id}/file-in.out`;
  const before = world.cloud.files.size;
  const mine = newObject(`${job.id}/manifest.json.out`, "mine", { bucket: "out" });
  await world.objects.put(world.reach, mine, quiet());
  await world.objects.remove(world.reach, { bucket: "out", key }, quiet());
  await world.objects.sweep(0, quiet());
  assert.deepEqual(await keysOf(world), [`${job.id}/manifest.json.out`]);
  assert.equal(await textOf(world, `${job.id}/manifest.json.out`), "mine");
  assert.equal(world.cloud.calls.includes("files.delete"), false);
  assert.equal(world.cloud.files.size, before + 1);
  const left = [];
  for await (const entry of world.kv.list({ prefix: ["results"] })) left.push(entry.key);
  assert.deepEqual(left, []);
});

Deno.test("results vanish when the provider forgets them, and leave nothing in the catalog", async () => {
  using world = await createJobWorld(virtual);
  world.cloud.addFile("file-in", {}, '{"id":"a"}\n');
  const job = await start(world, ['{"id":"a"}\n{"id":"a"}\n']);
  world.cloud.resultsExpireAt = new Date(world.time + 5_000_000);
  await finish(world, job);
  assert.equal((await keysOf(world)).length, 2);
  world.time += 5_000_000;
  assert.deepEqual(await keysOf(world), [`${job.id}/manifest.json.out`]);
  const left = [];
  for await (const entry of world.kv.list({ prefix: ["results-cut"] })) left.push(entry.key);
  assert.deepEqual(left, []);
});

Deno.test("the sweep forgets results whose time has come, and leaves the manifest", async () => {
  using world = await createJobWorld(virtual);
  const job = await start(world, ['{"id":"a"}\n']);
  world.cloud.resultsExpireAt = new Date(world.time + 5_000_000);
  await finish(world, job);
  const parts = async () =>
    (await Array.fromAsync(world.kv.list<ObjectEntry>({ prefix: ["object"] })))
      .filter(({ key }) => key[3] === "out")
      .map(({ value }) => value.held.in === "catalog" ? "manifest" : "results").sort();
  await world.objects.sweep(0, quiet());
  assert.deepEqual(await parts(), ["manifest", "results"]);
  world.time += 5_000_000;
  await world.objects.sweep(0, quiet());
  assert.deepEqual(await parts(), ["manifest"]);
});

Deno.test("results cannot be the input of a job", async () => {
  using world = await createJobWorld();
  const job = await start(world, ['{"id":"a"}\n']);
  await finish(world, job);
  const s3Uri = `s3://out/${job.id}/file-in.out`;
  const again = start(world, [], { inputDataConfig: { s3InputDataConfig: { s3Uri } } });
  await assert.rejects(again, /names results of a job/);
});

Deno.test("a job whose results would have no name is refused", async () => {
  using world = await createJobWorld();
  const s3Uri = `s3://out/${"x".repeat(1_010)}`;
  const create = start(world, [], { outputDataConfig: { s3OutputDataConfig: { s3Uri } } });
  await assert.rejects(create, /leaves no room for the names of the results/);
});

Deno.test("an input whose results would have the key of the manifest is refused, and no other of that name", async () => {
  using world = await createJobWorld();
  const create = async (key: string) => {
    await world.objects.put(world.reach, newObject(key, "{}\n"), quiet());
    const inputDataConfig = { s3InputDataConfig: { s3Uri: `s3://bucket/${key}` } };
    return await start(world, ['{"id":"a"}\n'], { inputDataConfig });
  };
  for (const key of ["manifest.json", "deep/er/manifest.json", "a//manifest.json"]) {
    await assert.rejects(create(key), /the key of the job's own manifest/, key);
  }
  for (const key of ["manifest.json.out", "manifest.jsonl", "Manifest.json"]) await create(key);
});
