/** A copy of a catalog is known for one, and what it says of living processes is not acted upon. */
import assert from "node:assert/strict";
import { backup, DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { createCatalog } from "../../catalog/catalog.ts";
import { openCatalogKv } from "../../catalog/open.ts";
import { sleep, temporaryFolder } from "./memory.ts";

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
  const { kv, close } = await openCatalogKv(path, {
    sleep,
    report: (line) => void told.push(line),
  });
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

Deno.test("a catalog that stayed where it was still knows processes that were cut off", async () => {
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

Deno.test("a command that only looks at a copy leaves it for the one that acts upon it", async () => {
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
