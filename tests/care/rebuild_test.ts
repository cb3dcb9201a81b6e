import assert from "node:assert/strict";
import { missingAccounts } from "../../care/accounts.ts";
import { compare } from "../../care/compare.ts";
import { rebuild, type RebuildDeps } from "../../care/rebuild.ts";
import { keys, nativeTenant } from "../../catalog/keys.ts";
import { fileId, jobId } from "../../codecs/ids.ts";
import { resultsId } from "../../codecs/results_id.ts";
import type { ProviderDouble } from "../double.ts";
import {
  all,
  batchIdOf,
  flat,
  objectRecord,
  type OpenCatalog,
  openCatalog,
  scope,
  sleep,
} from "../catalog/memory.ts";
import { createJobWorld, createRequest } from "../jobs/world.ts";
import { newObject, quiet } from "../objects/world.ts";

const placesOf = ({ provider }: ProviderDouble) =>
  provider.accounts.map((account) => ({ provider: provider.name, account }));

function depsOf({ kv, catalog }: OpenCatalog, more: Partial<RebuildDeps> = {}): RebuildDeps {
  return { kv, catalog, now: () => 2_000_000, sleep, region: "us-west-2", ...more };
}

/** A gateway's work: an object, a replaced one, a copy, and a job. */
async function worked() {
  const world = await createJobWorld();
  const { objects, jobs, reach } = world;
  const object = await objects.put(reach, newObject("dir/a.jsonl", "{}\n{}\n"), quiet());
  await objects.put(reach, newObject("b.jsonl"), quiet());
  await objects.put(reach, newObject("b.jsonl", "{ }\n"), quiet());
  const s3Uri = "s3://bucket/dir/a.jsonl";
  const inputDataConfig = { s3InputDataConfig: { s3Uri } };
  const job = await jobs.create(reach, "us-west-2", createRequest({ inputDataConfig }), quiet());
  return { ...world, object, job };
}

async function differencesOf(open: OpenCatalog, cloud: ProviderDouble): Promise<string[]> {
  const found: string[] = [];
  for (const place of placesOf(cloud)) {
    for (const { kind } of await all(compare(depsOf(open), place, quiet()))) found.push(kind);
  }
  return found.sort();
}

Deno.test("a catalog and its provider agree, whatever others have there", async () => {
  using world = await worked();
  world.cloud.addFile("file-other");
  world.cloud.addBatch("batch_other");
  assert.deepEqual(await differencesOf(world, world.cloud), []);
});

Deno.test("what is gone at the provider is reported, and nothing is forgotten for it", async () => {
  using world = await worked();
  const { cloud, object, job, catalog } = world;
  cloud.files.delete(object.file);
  cloud.batches.delete(batchIdOf(job));
  assert.deepEqual(await differencesOf(world, cloud), ["job-without-batch", "object-without-file"]);
  const done = await rebuild(depsOf(world), placesOf(cloud), quiet());
  assert.equal(done.leftCount, 2);
  assert.ok(await catalog.objects.get(scope, "bucket", "dir/a.jsonl"));
});

Deno.test("a lost catalog is made again: jobs by their ids, objects under their names", async () => {
  using world = await worked();
  const { cloud, object, job } = world;
  using fresh = await openCatalog();
  assert.deepEqual(await differencesOf(fresh, cloud), [
    "unknown-batch",
    "unknown-file",
    "unknown-file",
  ]);
  const done = await rebuild(depsOf(fresh), placesOf(cloud), quiet());
  assert.deepEqual(done, { mended: 0, jobs: 1, objects: 2, left: [], leftCount: 0 });
  const made = await fresh.catalog.objects.get(scope, "bucket", "dir/a.jsonl");
  assert.equal(made?.file, object.file);
  assert.equal(made?.bytes, 6);
  const native = { ...scope, tenant: nativeTenant };
  const found = await fresh.catalog.jobs.get(native, job.id);
  assert.equal(found?.name, job.name);
  assert.equal(found && batchIdOf(found), batchIdOf(job));
  assert.deepEqual(await fresh.catalog.jobs.tags(native, job.id), { a: "1" });
  assert.deepEqual(await differencesOf(fresh, cloud), []);
  const again = await rebuild(depsOf(fresh), placesOf(cloud), quiet());
  assert.deepEqual(again, { mended: 0, jobs: 0, objects: 0, left: [], leftCount: 0 });
});

Deno.test("jobs that are made again are those of the tenant that is named", async () => {
  using world = await worked();
  using fresh = await openCatalog();
  await rebuild(depsOf(fresh, { tenant: "team" }), placesOf(world.cloud), quiet());
  const job = await fresh.catalog.jobs.get({ ...scope, tenant: "team" }, world.job.id);
  assert.equal(job && flat(job).native, false);
  assert.ok(await fresh.catalog.objects.hasUses(scope.provider, world.object.file));
});

Deno.test("of files of one name the newest is the object, and the others are left", async () => {
  using world = await worked();
  const { cloud } = world;
  const name = [...cloud.files.values()].find((file) => file.name.startsWith("b."))?.name ?? "";
  for (
    const [id, time] of [["file-old", 1_000], ["file-new", 9_000_000_000_000], [
      "file-mid",
      5_000,
    ]] as const
  ) {
    cloud.addFile(id, { name, createdAt: new Date(time) });
  }
  using fresh = await openCatalog();
  const done = await rebuild(depsOf(fresh), placesOf(cloud), quiet());
  assert.equal(done.objects, 2);
  assert.equal((await fresh.catalog.objects.get(scope, "bucket", "b.jsonl"))?.file, "file-new");
});

Deno.test("a file whose name does not hold its key is left, with the reason", async () => {
  using fresh = await openCatalog();
  using world = await createJobWorld();
  const { cloud, objects, reach } = world;
  await objects.put(reach, newObject(`${"long/".repeat(60)}a.jsonl`), quiet());
  const done = await rebuild(depsOf(fresh), placesOf(cloud), quiet());
  assert.equal(done.leftCount, 1);
  assert.match(
    done.left[0] ?? "",
    /^file file-\d at cloud \(a\.bw-.*: its name does not hold its bucket/,
  );
});

Deno.test("what a process left that may be at work, or is swept, is not an object", async () => {
  using world = await worked();
  using fresh = await openCatalog();
  await fresh.catalog.instances.seen("one", { startedAt: 1, seenAt: 1 });
  assert.deepEqual(await differencesOf(fresh, world.cloud), ["unknown-batch"]);
});

Deno.test("a file that lost only its object has it again", async () => {
  using world = await worked();
  await world.kv.delete(keys.object(scope, "bucket", "dir/a.jsonl"));
  const done = await rebuild(depsOf(world), placesOf(world.cloud), quiet());
  assert.equal(done.objects, 1);
  const made = await world.catalog.objects.get(scope, "bucket", "dir/a.jsonl");
  assert.equal(made?.file, world.object.file);
});

Deno.test("a file that lost its object is not forgotten because its provider knows no such file", async () => {
  using world = await worked();
  await world.kv.delete(keys.object(scope, "bucket", "dir/a.jsonl"));
  const { file } = world.object;
  const kept = world.cloud.files.get(file);
  assert.ok(kept);
  // As with the key of another project.
  world.cloud.files.delete(file);
  const done = await rebuild(depsOf(world), placesOf(world.cloud), quiet());
  assert.deepEqual([done.mended, done.objects], [0, 0]);
  assert.match(done.left.join("\n"), /its provider has no such file, or not for this key/);
  world.cloud.files.set(file, kept);
  assert.equal((await rebuild(depsOf(world), placesOf(world.cloud), quiet())).objects, 1);
  assert.equal((await world.catalog.objects.get(scope, "bucket", "dir/a.jsonl"))?.file, file);
});

Deno.test("an account that cannot be asked is reported, and nothing is made of silence", async () => {
  using world = await worked();
  using fresh = await openCatalog();
  world.cloud.before = (call) => {
    if (call === "files.list") throw new Error("broken");
  };
  await assert.rejects(rebuild(depsOf(fresh), placesOf(world.cloud), quiet()), /broken/);
  assert.equal(await fresh.catalog.objects.file(scope.provider, fileId("file-0")), undefined);
});

Deno.test("a rebuild beside a gateway at work takes nothing from it", async () => {
  using world = await worked();
  const { objects, jobs, reach, catalog, cloud } = world;
  await catalog.instances.seen("one", { startedAt: 1, seenAt: 1 });
  let working = true;
  const work = (async () => {
    for (let n = 0; working; n++) {
      const metadata = { n: `${n}` };
      await objects.put(reach, newObject("busy.jsonl", "{}\n", { metadata }), quiet());
      await jobs.create(reach, "us-west-2", createRequest({ jobName: `job-${n}` }), quiet());
      const found = await objects.find(reach, { bucket: "bucket", key: "busy.jsonl" }, quiet());
      assert.deepEqual(found?.record.metadata, metadata);
    }
  })();
  try {
    for (let round = 0; round < 5; round++) {
      const done = await rebuild(depsOf(world), placesOf(cloud), quiet());
      assert.deepEqual(done, { mended: 0, jobs: 0, objects: 0, left: [], leftCount: 0 });
    }
  } finally {
    working = false;
    await work;
  }
});

Deno.test("a batch that is recorded while its page is looked up is not one that the catalog lacks", async () => {
  using world = await worked();
  const { kv, catalog } = world;
  // Looked up before its create was over.
  const batches: typeof catalog.jobs.batches = (_, ids) =>
    Promise.resolve(ids.map(() => undefined));
  const late = { kv, catalog: { ...catalog, jobs: { ...catalog.jobs, batches } } };
  for (const place of placesOf(world.cloud)) {
    const found = compare({ ...late, now: () => 2_000_000 }, place, quiet());
    assert.deepEqual(await all(found), []);
  }
});

Deno.test("accounts that the configuration does not hold are reported, with what is at them", async () => {
  using world = await worked();
  assert.deepEqual(await all(missingAccounts(world.kv, world.catalog, placesOf(world.cloud))), []);
  const [missing, ...others] = await all(missingAccounts(world.kv, world.catalog, []));
  assert.equal(missing?.what, "account main of cloud: 2 files and 1 running jobs are out of reach");
  assert.deepEqual(others, []);
});

Deno.test("an object that is put together here is not looked for at the provider", async () => {
  using world = await worked();
  const { catalog, kv, cloud } = world;
  const made = resultsId(jobId("abcdefghij01"), "0f".repeat(32));
  await catalog.objects.set(
    scope,
    "bucket",
    "made",
    objectRecord(made, { held: { in: "catalog", text: "made" } }),
  );
  assert.deepEqual(await differencesOf(world, cloud), []);
  await kv.delete(keys.object(scope, "bucket", "made"));
  const done = await rebuild(depsOf(world), placesOf(cloud), quiet());
  assert.match(
    done.left.join(),
    /^file results\.abcdefghij01\.(?:0f){16} at cloud, .*: it is not a file of the provider$/,
  );
});
