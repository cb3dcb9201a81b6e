/** Whose the catalog's files are, and what happens when they go while a gateway uses them. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { createCatalog } from "../../catalog/catalog.ts";
import { damageOf } from "../../catalog/damage.ts";
import { openCatalogKv } from "../../catalog/open.ts";
import { openLocation } from "../../catalog/location.ts";
import { Failure } from "../../codecs/failure.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { spawnGateway } from "../gateway.ts";
import { objectRecord, scope, sleep, temporaryFolder } from "./memory.ts";

const files = ["catalog.kv", "catalog.kv-wal", "catalog.kv-shm"];

async function openWatched(path: string) {
  const warned: string[] = [];
  const opened = await openLocation(
    { kind: "file", path },
    { sleep, warn: (line) => void warned.push(line) },
  );
  const catalog = createCatalog(opened.kv, sleep, opened.memory, opened.mustBePresent);
  return { ...opened, catalog, warned };
}

Deno.test("what is written after the catalog's file has gone is refused, in every way that it goes", async () => {
  const ways: Record<string, (path: string) => Promise<void>> = {
    moved: (path) => Deno.rename(path, `${path}.old`),
    deleted: (path) => Deno.remove(path),
    "with its folder": (path) => Deno.rename(dirname(path), `${dirname(path)}.old`),
    async replaced(path) {
      await Deno.copyFile(path, `${path}.copy`);
      await Deno.rename(`${path}.copy`, path);
    },
  };
  for (const [way, lose] of Object.entries(ways)) {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/data/catalog.kv`;
    const { catalog, kv, warned, close } = await openWatched(path);
    const put = (key: string) => catalog.objects.set(scope, "bucket", key, objectRecord(key));
    await put("before");
    await catalog.check();
    await lose(path);
    const refused = (error: unknown) => error instanceof Failure && error.kind === "unavailable";
    // Several at once go together, and one by itself is a step of its own.
    const steps = ["a", "b", "c"].map((key) => assert.rejects(put(key), refused, `${way} ${key}`));
    await Promise.all(steps);
    await assert.rejects(kv.set(["x"], 1), refused, way);
    await assert.rejects(catalog.check(), refused, way);
    assert.equal(warned.length, 1, way);
    assert.match(warned.join(), /catalog\.kv was moved, deleted or replaced/);
    await close();
  }
});

Deno.test("a catalog that is put back is used again", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const { catalog, warned, close } = await openWatched(path);
  await Deno.rename(path, `${path}.old`);
  await assert.rejects(catalog.check());
  await Deno.rename(`${path}.old`, path);
  await catalog.objects.set(scope, "bucket", "key", objectRecord("file-1"));
  await catalog.check();
  assert.match(warned.join("\n"), /was moved[^]*\n.*is there again$/);
  await close();
});

Deno.test("a gateway whose catalog was moved away says so, and acknowledges nothing", async () => {
  await using folder = await temporaryFolder();
  const sandbox = await startSandbox({ batchSeconds: 0.1 });
  const gateway = await spawnGateway({
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: folder.path,
    BATCHWAY_LOG: "json",
  });
  try {
    const put = async () => {
      const answer = await fetch(`${gateway.url}/bedrock/files/openai-files/a.jsonl`, {
        method: "PUT",
        headers: { "x-model-provider": "openai" },
        body: '{"custom_id":"1"}\n',
      });
      return { status: answer.status, text: await answer.text() };
    };
    const ready = async () => {
      const answer = await fetch(`${gateway.url}/readyz`);
      return { status: answer.status, text: await answer.text() };
    };
    assert.equal((await put()).status, 200);
    assert.equal((await ready()).status, 200);
    await Deno.rename(`${folder.path}/catalog.kv`, `${folder.path}/elsewhere.kv`);
    const refused = await put();
    assert.equal(refused.status, 503);
    assert.match(refused.text, /<Code>ServiceUnavailable<.*catalog is missing/s);
    assert.equal((await ready()).status, 503);
    assert.match(gateway.log(), /was moved, deleted or replaced while this gateway uses it/);
  } finally {
    await gateway.stop();
    await sandbox.close();
  }
});

Deno.test("only this user can open the catalog's files, whatever the folder's mode and their own", async () => {
  await using folder = await temporaryFolder();
  await Deno.chmod(folder.path, 0o777);
  const path = `${folder.path}/catalog.kv`;
  const modes = () =>
    files.map((name) => (Deno.statSync(`${folder.path}/${name}`).mode ?? 0) & 0o777);
  const first = await openCatalogKv(path, { sleep });
  await first.kv.set(["a"], 1);
  assert.deepEqual(modes(), [0o600, 0o600, 0o600]);
  // Of an older version, and still in use.
  for (const name of files) await Deno.chmod(`${folder.path}/${name}`, 0o644);
  const second = await openCatalogKv(path, { sleep });
  assert.deepEqual(modes(), [0o600, 0o600, 0o600]);
  await second.close();
  await first.close();
});

Deno.test("only SQLite's words for damage are taken for damage", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/text`, "no catalog ".repeat(1_000));
  assert.equal(damageOf(`${folder.path}/text`)?.kind, "damaged");
  // What is wrong with these is not within the file.
  assert.equal(damageOf(`${folder.path}/none`)?.kind, "unreadable");
  assert.equal(damageOf(folder.path)?.kind, "unreadable");
});
