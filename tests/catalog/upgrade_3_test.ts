import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { importBackup } from "../../care/import.ts";
import { decode } from "../../codecs/kv_json.ts";
import { backupLines } from "../../care/export.ts";
import { examine } from "../../care/examine.ts";
import { judgeEntry } from "../../catalog/entry_kinds.ts";
import { keys } from "../../catalog/keys.ts";
import { momentaryKinds } from "../../catalog/moment.ts";
import { ensureSchema, schemaVersion } from "../../catalog/schema.ts";
import { trustedClock } from "../../runtime/clock.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { startTestGateway } from "../gateway.ts";
import { createClient, type JobJson } from "../jobs/wire.ts";
import { all, openCatalog, sleep, temporaryFolder } from "./memory.ts";

/**
 * A backup that a gateway of schema 2 made, the state of the simulated providers that it worked on,
 * the operator's store, and what its clients saw.
 */
const fixture = fileURLToPath(new URL("fixtures/schema_2", import.meta.url));

interface Seen {
  readonly done: string;
  readonly gem: string;
  readonly jobs: readonly JobJson[];
  readonly objects: Readonly<Record<string, { readonly etag: string; readonly text: string }>>;
}

const seen: Seen = JSON.parse(await Deno.readTextFile(`${fixture}/seen.json`));
const backup = await Deno.readTextFile(`${fixture}/catalog.jsonl`);
const madeAt = Date.parse(JSON.parse(backup.slice(0, backup.indexOf("\n"))).at);

async function bringIn(kv: Deno.Kv): Promise<void> {
  const open = () => Promise.resolve(new Blob([backup]).stream());
  await importBackup({ kv, sleep, open, now: () => madeAt, force: false });
}

/** Writes the entries of the backup as they were, into a catalog of schema 2. */
async function asBefore(kv: Deno.Kv): Promise<void> {
  for (const line of backup.trimEnd().split("\n")) {
    const { k, v } = JSON.parse(line);
    if (k) await kv.set(k.map(decode), decode(v));
  }
  await kv.set(keys.schema(), 2);
}

/** What is in a catalog, as it is compared. */
async function contentOf(kv: Deno.Kv): Promise<unknown[]> {
  return (await all(kv.list<unknown>({ prefix: [] }))).map(({ key, value }) => [key, value]);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

Deno.test("every entry of a backup of schema 2 gets the form of the present one, and nothing is lost", async () => {
  using open = await openCatalog();
  await bringIn(open.kv);
  assert.equal((await open.kv.get(keys.schema())).value, schemaVersion);
  const wrong = (await all(open.kv.list({ prefix: [] })))
    .filter(({ key, value }) => judgeEntry(key, value) !== "right");
  assert.deepEqual(wrong, []);
  assert.deepEqual(await all(examine(open.kv, sleep)), []);
  const places = (await all(open.kv.list<{ held: { in: string } }>({ prefix: ["object"] })))
    .map(({ value }) => value.held.in);
  const count = (place: string) => places.filter((one) => one === place).length;
  assert.deepEqual(
    ["provider", "batch", "store", "catalog"].map(count),
    [8, 3, 2, 4],
    places.join(),
  );
  assert.deepEqual(await all(open.kv.list({ prefix: ["results"] })), []);
});

Deno.test("a catalog of schema 2 opens, and its clients find what they had", async () => {
  await using folder = await temporaryFolder();
  await copyFolder(fixture, folder.path);
  const path = `${folder.path}/catalog.kv`;
  {
    using open = await openCatalog(path);
    await asBefore(open.kv);
  }
  const now = madeAt + 1_000;
  const providers = await startSandbox(
    { batchSeconds: 3_600, folder: `${folder.path}/providers` },
    { now: () => new Date(now) },
  );
  const gateway = await startTestGateway({
    providers,
    catalogPath: path,
    clock: trustedClock(() => now),
    configuration: JSON.stringify({ results: { keep: { folder: `${folder.path}/kept` } } }),
  });
  try {
    const told = gateway.logged.filter((line) => line.includes("is being brought from schema"));
    assert.equal(told.length, 1, gateway.logged.join("\n"));
    const client = createClient(gateway.url);
    for (const [key, { etag, text }] of Object.entries(seen.objects)) {
      const response = await client.send(`/bedrock/files/${key}`);
      assert.deepEqual([await response.text(), response.headers.get("etag")], [text, etag], key);
      const named = await client.send(`/bedrock/files/${key}`, { headers: { "if-match": etag } });
      await named.body?.cancel();
      assert.equal(named.status, 200, key);
    }
    assert.deepEqual(await client.list(), seen.jobs);
    assert.equal((await client.get(seen.done)).status, "Completed");
    assert.equal((await createClient(gateway.url, "gemini").get(seen.gem)).status, "Completed");
    // Names and bytes go as they go of what was put since.
    const copy = "team-a/copied-results.jsonl";
    const gone = await client.send(`/bedrock/files/${copy}`, { method: "DELETE" });
    assert.equal(gone.status, 204, await gone.text());
    assert.equal((await client.send(`/bedrock/files/${copy}`, { method: "HEAD" })).status, 404);
  } finally {
    await gateway.stop();
    await providers.close();
  }
});

Deno.test("the migration to schema 3 may be cut short anywhere, repeated, and done by two at once", async () => {
  using expected = await openCatalog();
  await asBefore(expected.kv);
  await ensureSchema(expected.kv, sleep, "The catalog");
  const whole = await contentOf(expected.kv);
  for (const steps of [1, 2, 3, 4, 5]) {
    await using folder = await temporaryFolder();
    using one = await openCatalog(`${folder.path}/catalog.kv`);
    using two = await openCatalog(`${folder.path}/catalog.kv`);
    await asBefore(one.kv);
    let left = steps;
    const dying = new Proxy(one.kv, {
      get(target, name) {
        if (name === "atomic" && --left < 0) throw new Error("killed");
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    await assert.rejects(ensureSchema(dying, sleep, "The catalog"), /killed/, `${steps} steps`);
    assert.equal((await one.kv.get(keys.schema())).value, 2);
    await Promise.all([one, two].map(({ kv }) => ensureSchema(kv, sleep, "The catalog")));
    assert.deepEqual(await contentOf(two.kv), whole, `${steps} steps`);
  }
});

Deno.test("what the migration cannot read is left as it is, and a backup of the new form imports", async () => {
  using open = await openCatalog();
  await asBefore(open.kv);
  const damaged: [Deno.KvKey, unknown][] = [
    [keys.object({ tenant: "default", provider: "openai" }, "team-a", "damaged"), { file: 5 }],
    [["trash", "openai", "file-damaged"], null],
    // Results whose own entry is gone: nobody knows any more where they are.
    [
      keys.object({ tenant: "default", provider: "openai" }, "team-a", "lost"),
      { file: `results.abcdefghij01.${"0f".repeat(16)}`, account: "default" },
    ],
  ];
  for (const [key, value] of damaged) await open.kv.set(key, value);
  await ensureSchema(open.kv, sleep, "The catalog");
  for (const [key, value] of damaged) assert.deepEqual((await open.kv.get(key)).value, value);
  for (const [key] of damaged) await open.kv.delete(key);
  const text = (await all(backupLines(open.kv, new Date(madeAt)))).join("");
  using other = await openCatalog();
  const opened = () => Promise.resolve(new Blob([text]).stream());
  await importBackup({ kv: other.kv, sleep, open: opened, now: () => madeAt, force: false });
  // What was true of the moment alone stays behind, and the trash notes when the backup was made.
  const changed = ["schema", "trash", ...momentaryKinds];
  const without = (content: unknown[]) =>
    content.filter((entry) => Array.isArray(entry) && !changed.includes(entry[0][0]));
  assert.deepEqual(without(await contentOf(other.kv)), without(await contentOf(open.kv)));
});
