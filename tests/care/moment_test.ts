/** Catalogs that are set back to an earlier moment: nothing that was acknowledged since is deleted. */
import assert from "node:assert/strict";
import { backup, DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { backupLines } from "../../care/export.ts";
import { importBackup } from "../../care/import.ts";
import { rebuild } from "../../care/rebuild.ts";
import { createCatalog } from "../../catalog/catalog.ts";
import { keys } from "../../catalog/keys.ts";
import { openCatalogKv } from "../../catalog/open.ts";
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
  temporaryFolder,
} from "../catalog/memory.ts";
import { createJobWorld } from "../jobs/world.ts";
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
  await catalog.leases.take("work", { owner: "one", now: 0, until: 9e12 });
  await catalog.journal.begin(scope, journalRecord(job, { leaseUntil: 9e12, askedAt: 7 }), {});
  await kv.set(keys.completing("upload"), { owner: "one", until: 9e12 });
  await kv.set(keys.settling(scope, job.id), { owner: "one", until: 9e12 });
  await kv.set(keys.asked(scope, job.id), 5);
  using fresh = await broughtBack(kv, 10);
  const kinds = new Set((await all(fresh.kv.list({ prefix: [] }))).map(({ key }) => key[0]));
  assert.deepEqual([...kinds].sort(), ["journal", "schema", "use"]);
  const entry = await fresh.catalog.journal.get(scope, job.id);
  assert.deepEqual([entry?.owner, entry?.leaseUntil, entry?.askedAt], ["", 0, 7]);
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

/** A catalog with the last word of a process that said no farewell. */
async function leftOpen(path: string) {
  const opened = await openCatalogKv(path, { sleep });
  const { instances } = createCatalog(opened.kv, sleep);
  await instances.seen("dead", { startedAt: 0, seenAt: 1_000, nextAt: 9e15 });
  return opened;
}

/** Such a catalog in use by another process, until it is closed or killed. */
async function inUse(path: string) {
  const from = (name: string) => new URL(`../../${name}`, import.meta.url).href;
  const program = `import { openCatalogKv } from "${from("catalog/open.ts")}";
    const { kv, close } = await openCatalogKv("${path}", { sleep: () => Promise.resolve() });
    await kv.set(["instance", "dead"], { startedAt: 0, seenAt: 1000, nextAt: 9e15 });
    console.log("ready");
    await Deno.stdin.read(new Uint8Array(1));
    await kv.set(["instance", "later"], { startedAt: 0, seenAt: 2000 });
    await close();`;
  const source = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(source, program);
  const config = fileURLToPath(from("deno.json"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", `--config=${config}`, source],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.getReader();
  const { value } = await lines.read();
  assert.equal(new TextDecoder().decode(value), "ready\n");
  const end = async (how: () => Promise<void>) => {
    await how();
    await child.status;
    await lines.cancel();
    await Deno.remove(source);
  };
  return {
    close: () => end(() => child.stdin.close()),
    kill: () =>
      end(async () => {
        child.kill("SIGKILL");
        await child.stdin.close().catch(() => {});
      }),
  };
}

/** Ids of processes that the sweep will look for, once a catalog is opened; and what was told. */
async function opened(path: string) {
  const told: string[] = [];
  const { kv, close } = await openCatalogKv(path, { sleep, told: (line) => void told.push(line) });
  const ids = (await createCatalog(kv, sleep).instances.all()).map(({ id }) => id);
  await close();
  return { ids, told: told.join() };
}

const wal = (path: string) => [path, `${path}-wal`, `${path}-shm`];

Deno.test("a copy of a catalog that is started as it is takes no process for dead", async () => {
  const ways: Record<string, (live: string, copy: string) => Promise<string>> = {
    async "moved in the place of the live one"(live, copy) {
      for (const file of wal(live)) await Deno.remove(file).catch(() => {});
      await Deno.rename(copy, live);
      return live;
    },
    async "written over the live one"(live, copy) {
      for (const file of wal(live).slice(1)) await Deno.remove(file).catch(() => {});
      await Deno.writeFile(live, await Deno.readFile(copy));
      return live;
    },
    async "in a folder of its own"(_live, copy) {
      await Deno.mkdir(`${copy}.data`);
      await Deno.rename(copy, `${copy}.data/catalog.kv`);
      return `${copy}.data/catalog.kv`;
    },
    async "with the whole folder"(live) {
      const target = `${live}.copied`;
      await Deno.mkdir(target);
      for (const name of ["", "-wal", "-shm", ".mark", ".origin"]) {
        await Deno.copyFile(`${live}${name}`, `${target}/catalog.kv${name}`).catch(() => {});
      }
      return `${target}/catalog.kv`;
    },
  };
  for (const [way, bring] of Object.entries(ways)) {
    for (const ending of ["close", "kill"] as const) {
      await using folder = await temporaryFolder();
      const live = `${folder.path}/live/catalog.kv`;
      const running = await inUse(live);
      const copy = `${folder.path}/copy`;
      {
        using source = new DatabaseSync(live, { readOnly: true });
        await backup(source, copy);
      }
      await running[ending]();
      const path = await bring(live, copy);
      const { ids, told } = await opened(path);
      assert.deepEqual(ids, [], `${way}, ${ending}`);
      assert.match(told, /is a copy, .*`deno task catalog rebuild`/, `${way}, ${ending}`);
      assert.deepEqual(await opened(path), { ids: [], told: "" }, `${way}, ${ending}`);
    }
  }
});

Deno.test("a catalog that stayed where it was still tells of processes that were cut off", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  await (await leftOpen(path)).close();
  assert.deepEqual(await opened(path), { ids: ["dead"], told: "" });
  // A command that looks, and one that reads beside it, change nothing of that.
  const looking = await openCatalogKv(path, { sleep, anyForm: true });
  {
    using reader = new DatabaseSync(path, { readOnly: true });
    reader.prepare("PRAGMA quick_check(1)").get();
  }
  await looking.close();
  {
    using reader = new DatabaseSync(path, { readOnly: true });
    reader.prepare("PRAGMA quick_check(1)").get();
  }
  assert.deepEqual(await opened(path), { ids: ["dead"], told: "" });
});

Deno.test("a process that is killed leaves a catalog that is known again", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  await (await inUse(path)).kill();
  assert.deepEqual(await opened(path), { ids: ["dead"], told: "" });
});

Deno.test("a command that only looks at a copy leaves it for whoever acts upon it", async () => {
  await using folder = await temporaryFolder();
  const live = `${folder.path}/live.kv`;
  await (await leftOpen(live)).close();
  const path = `${folder.path}/catalog.kv`;
  await Deno.copyFile(live, path);
  const looking = await openCatalogKv(path, { sleep, anyForm: true });
  assert.equal((await createCatalog(looking.kv, sleep).instances.all()).length, 1);
  // Also for one that comes while the command is at it.
  assert.deepEqual((await opened(path)).ids, []);
  await looking.close();
  assert.deepEqual((await opened(path)).ids, []);
});

Deno.test("a file's name tells where rebuild takes it, for what a put could have named", async () => {
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
  assert.match(done.left.join(), /file-bad .*some that no put takes/);
});
