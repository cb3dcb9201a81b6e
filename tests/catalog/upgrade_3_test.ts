import assert from "node:assert/strict";
import { importBackup } from "../../care/import.ts";
import { backupLines } from "../../care/export.ts";
import { examine } from "../../care/examine.ts";
import { judgeEntry } from "../../catalog/entry_kinds.ts";
import { keys } from "../../catalog/keys.ts";
import { momentaryKinds } from "../../catalog/moment.ts";
import { ensureSchema, schemaVersion } from "../../catalog/schema.ts";
import { createClient } from "../jobs/wire.ts";
import { readFixture, type Seen, startOnFixture, writeAsBefore } from "./fixtures/fixture.ts";
import { all, openCatalog, sleep, temporaryFolder } from "./memory.ts";

/**
 * A backup that a gateway of schema 2 made, the state of the simulated providers that it worked on,
 * the operator's store, and what its clients saw.
 */
interface SeenAll extends Seen {
  readonly done: string;
  readonly gem: string;
}

const fixture = await readFixture<SeenAll>("schema_2");
const { seen, madeAt } = fixture;
const backup = `${fixture.lines.join("\n")}\n`;
const asBefore = (kv: Deno.Kv) => writeAsBefore(kv, fixture);

async function bringIn(kv: Deno.Kv): Promise<void> {
  const open = () => Promise.resolve(new Blob([backup]).stream());
  await importBackup({ kv, sleep, open, now: () => madeAt, force: false });
}

/** What is in a catalog, as it is compared. */
async function contentOf(kv: Deno.Kv): Promise<unknown[]> {
  return (await all(kv.list<unknown>({ prefix: [] }))).map(({ key, value }) => [key, value]);
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
  await using gateway = await startOnFixture(fixture, {
    configuration: (folder) => ({ results: { keep: { folder: `${folder}/kept` } } }),
  });
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
