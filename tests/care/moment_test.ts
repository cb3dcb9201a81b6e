/** Catalogs that are set back to an earlier moment: nothing that was acknowledged since is deleted. */
import assert from "node:assert/strict";
import { backupLines } from "../../care/export.ts";
import { importBackup } from "../../care/import.ts";
import { rebuild } from "../../care/rebuild.ts";
import { keys } from "../../catalog/keys.ts";
import { fileId } from "../../codecs/ids.ts";
import { providerName } from "../../objects/name.ts";
import {
  all,
  jobRecord,
  journalRecord,
  objectRecord,
  openCatalog,
  scope,
  sleep,
} from "../catalog/memory.ts";
import { createJobWorld, createRequest } from "../jobs/world.ts";
import { createWorld, newObject, quiet } from "../objects/world.ts";

/** Brings what a catalog holds into an empty one, as of a time. */
async function broughtBack(kv: Deno.Kv, at: number) {
  const text = (await all(backupLines(kv, new Date(at)))).join("");
  const fresh = await openCatalog();
  const open = () => Promise.resolve(new Blob([text]).stream());
  await importBackup({ kv: fresh.kv, sleep, open, force: false });
  return fresh;
}

const later = 3_000_000;

Deno.test("what was put after the backup survives the sweep, and rebuild finds it under its name", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  await catalog.instances.seen("one", { startedAt: 0, seenAt: 1_000_000, nextAt: 1_020_000 });
  const kept = await objects.put(reach, newObject("kept", "1"), quiet());
  await objects.put(reach, newObject("replaced", "old"), quiet());
  using fresh = await broughtBack(world.kv, 1_500_000);
  world.time = 2_000_000;
  await objects.put(reach, newObject("new", "2"), quiet());
  await objects.put(reach, newObject("replaced", "new"), quiet());
  const before = [...cloud.files.keys()].sort();

  const next = await createWorld({ instance: "two", cloud, catalog: fresh });
  next.time = later;
  await next.objects.sweep(later, quiet());
  assert.deepEqual([...cloud.files.keys()].sort(), before);
  const places = cloud.provider.accounts.map((account) => ({ provider: "cloud", account }));
  const deps = { ...fresh, now: () => later, sleep, region: "us-west-2" };
  const done = await rebuild(deps, places, quiet());
  assert.deepEqual([done.objects, done.left], [2, []]);
  for (const [key, text] of [["new", "2"], ["replaced", "new"], ["kept", "1"]] as const) {
    const found = await fresh.catalog.objects.get(scope, "bucket", key);
    assert.equal(found && cloud.files.get(found.file)?.text, text, key);
  }
  await next.objects.sweep(later, quiet());
  assert.deepEqual([...cloud.files.keys()].sort(), before);
  assert.ok(cloud.files.has(kept.file));
});

Deno.test("a newer file takes the name of one that a running job kept at the provider", async () => {
  using world = await createWorld();
  const { objects, reach, cloud, catalog } = world;
  const old = await objects.put(reach, newObject("key", "old"), quiet());
  await catalog.jobs.adopt(scope, jobRecord(1_000, { file: old.file }), {});
  using fresh = await broughtBack(world.kv, 1_500_000);
  world.time = 2_000_000;
  await objects.put(reach, newObject("key", "new"), quiet());
  assert.equal(cloud.files.size, 2);
  const places = cloud.provider.accounts.map((account) => ({ provider: "cloud", account }));
  await rebuild({ ...fresh, now: () => later, sleep, region: "us-west-2" }, places, quiet());
  const found = await fresh.catalog.objects.get(scope, "bucket", "key");
  assert.equal(found && cloud.files.get(found.file)?.text, "new");
  // The job reads the old one yet.
  assert.ok(cloud.files.has(old.file));
});

Deno.test("nothing is deleted that its provider dates later than its process was heard of", async () => {
  using world = await createWorld();
  const { objects, cloud, catalog } = world;
  await catalog.instances.seen("dead", { startedAt: 0, seenAt: 1_000, nextAt: 3_000 });
  await catalog.instances.seen("older", { startedAt: 0, seenAt: 1_000 });
  for (
    const [id, instance, time] of [
      ["file-before", "dead", 900],
      ["file-between", "dead", 2_900],
      ["file-after", "dead", 3_100],
      ["file-much-later", "dead", 900_000],
      ["file-older", "older", 1_000],
      ["file-older-after", "older", 1_001],
      ["file-timeless", "older", NaN],
    ] as const
  ) {
    cloud.addFile(id, { name: `a.bw-${instance}-0.jsonl`, createdAt: new Date(time) });
  }
  await objects.sweep(5_000, quiet());
  assert.deepEqual([...cloud.files.keys()].sort(), [
    "file-after",
    "file-much-later",
    "file-older-after",
    "file-timeless",
  ]);
  assert.deepEqual(await catalog.instances.all(), []);
});

Deno.test("at a server, who was not heard of since the start may have put more than it says", async () => {
  using world = await createWorld({ mayBeSetBack: true });
  const { objects, cloud, catalog } = world;
  await catalog.instances.seen("before", { startedAt: 0, seenAt: 900_000, nextAt: 920_000 });
  await catalog.instances.seen("since", { startedAt: 0, seenAt: 1_001_000, nextAt: 1_021_000 });
  for (
    const [id, instance, time] of [
      ["file-1", "before", 898_000],
      ["file-2", "before", 899_500],
      ["file-3", "before", 910_000],
      ["file-4", "since", 1_010_000],
      ["file-5", "since", 1_022_000],
    ] as const
  ) {
    cloud.addFile(id, { name: `a.bw-${instance}-0.jsonl`, createdAt: new Date(time) });
  }
  await objects.sweep(1_100_000, quiet());
  assert.deepEqual([...cloud.files.keys()], ["file-2", "file-3", "file-5"]);
});

Deno.test("an import leaves behind what only living processes hold", async () => {
  using world = await createJobWorld();
  const { kv, catalog } = world;
  const job = jobRecord(1_000);
  await catalog.instances.seen("one", { startedAt: 0, seenAt: 1 });
  await catalog.instances.register("one");
  await catalog.leases.of("work").take({ owner: "one", now: 0, until: 9e12 });
  await catalog.journal.begin(scope, journalRecord(job, { leaseUntil: 9e12, askedAt: 7 }), {});
  await kv.set(keys.completing("upload"), { owner: "one", until: 9e12 });
  await kv.set(keys.resultsLease(scope, job.id), { owner: "one", until: 9e12 });
  await kv.set(keys.asked(scope, job.id), 5);
  using fresh = await broughtBack(kv, 10);
  const kinds = new Set((await all(fresh.kv.list({ prefix: [] }))).map(({ key }) => key[0]));
  assert.deepEqual([...kinds].sort(), ["journal", "schema", "use"]);
  const entry = await fresh.catalog.journal.get(scope, job.id);
  assert.deepEqual([entry?.owner, entry?.leaseUntil], ["", 0]);
  // Its provider may have been asked until the import.
  assert.ok(entry !== undefined && entry.askedAt > 7);
  assert.ok(await fresh.catalog.journal.lease(scope, job.id, "two", 1, 2, undefined));
});

Deno.test("a deletion that was under way is not carried out after an import", async () => {
  using world = await createWorld();
  const { cloud, catalog } = world;
  for (const name of ["named", "native", "reused", "replaced"]) {
    const createdAt = new Date(name === "reused" ? 20_000 : 1_000);
    cloud.addFile(`file-${name}`, { createdAt });
  }
  const put = (key: string, file: string) =>
    catalog.objects.set(scope, "bucket", key, objectRecord(file));
  await put("named", "file-named");
  await catalog.links.part(scope, "bucket", "named", objectRecord("file-named"));
  await catalog.links.partNative(scope, fileId("file-native"), "main");
  for (const name of ["reused", "replaced"]) {
    await put(name, `file-${name}`);
    await put(name, `file-other-${name}`);
  }
  using fresh = await broughtBack(world.kv, 10_000);
  const next = await createWorld({ instance: "two", cloud, catalog: fresh });
  await next.objects.sweep(0, quiet());
  assert.deepEqual([...cloud.files.keys()], ["file-named", "file-native", "file-reused"]);
  assert.equal((await fresh.catalog.objects.file("cloud", fileId("file-named")))?.state, "current");
  assert.equal(await fresh.catalog.objects.file("cloud", fileId("file-native")), undefined);
  assert.deepEqual(await all(fresh.catalog.objects.trash()), []);
});

Deno.test("a file's name says where rebuild takes it, for what a put could have named", async () => {
  using fresh = await openCatalog();
  const { cloud } = await createWorld({ catalog: fresh });
  const named = (bucket: string, key: string) =>
    providerName({ tenant: "default", bucket, key }, ".bw-gone-1.");
  cloud.addFile("file-good", { name: named("bucket", "good") });
  cloud.addFile("file-bad", { name: named("../../etc", "passwd") });
  const places = cloud.provider.accounts.map((account) => ({ provider: "cloud", account }));
  const deps = { ...fresh, now: () => later, sleep, region: "us-west-2" };
  const done = await rebuild(deps, places, quiet());
  assert.equal(done.objects, 1);
  assert.match(done.left.join(), /file-bad .*PutObject would refuse them/);
});

Deno.test("a create that was under way in the backup is the job that came of it, token and all", async () => {
  using world = await createJobWorld();
  const { cloud, objects, jobs, reach, kv } = world;
  const key = "in.jsonl";
  await objects.put(reach, newObject(key), quiet());
  const backups: string[] = [];
  cloud.before = async (call) => {
    if (call === "batches.create") backups.push((await all(backupLines(kv, new Date()))).join(""));
  };
  const inputDataConfig = { s3InputDataConfig: { s3Uri: `s3://bucket/${key}` } };
  const request = createRequest({ inputDataConfig, clientRequestToken: "token" });
  const job = await jobs.create(reach, "us-west-2", request, quiet());
  assert.equal(backups.length, 1);
  cloud.before = () => {};
  using fresh = await openCatalog();
  const open = () => Promise.resolve(new Blob(backups).stream());
  await importBackup({ kv: fresh.kv, sleep, open, force: false });
  const places = cloud.provider.accounts.map((account) => ({ provider: "cloud", account }));
  const deps = { ...fresh, now: Date.now, sleep, region: "us-west-2" };
  assert.equal((await rebuild(deps, places, quiet())).jobs, 1);
  const found = await fresh.catalog.jobs.get(scope, job.id);
  assert.deepEqual(found?.outputDataConfig, job.outputDataConfig);
  assert.equal(await fresh.catalog.journal.get(scope, job.id), undefined);
  // The same token is the same job, and no batch more.
  const next = await createJobWorld({ instance: "two", cloud, catalogOf: fresh });
  assert.equal((await next.jobs.create(reach, "us-west-2", request, quiet())).id, job.id);
  assert.equal(cloud.batches.size, 1);
});
