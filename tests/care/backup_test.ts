import assert from "node:assert/strict";
import { copyCatalog } from "../../care/copy.ts";
import { backupLines } from "../../care/export.ts";
import { importBackup } from "../../care/import.ts";
import { keys } from "../../catalog/keys.ts";
import { makeDraftFolder } from "../../catalog/draft_folder.ts";
import { openCatalogKv, replaceCatalog } from "../../catalog/open.ts";
import { schemaVersion } from "../../catalog/schema.ts";
import { Failure } from "../../codecs/failure.ts";
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

/** A catalog's content, as it is compared. */
async function contentOf(kv: Deno.Kv) {
  const found = await all(kv.list({ prefix: [] }));
  return found.map(({ key, value }) => [key, value]).filter(([key]) =>
    (key as string[])[0] !== "schema"
  );
}

async function backupOf(kv: Deno.Kv): Promise<string> {
  return (await all(backupLines(kv, new Date(0)))).join("");
}

function importText(kv: Deno.Kv, text: string, force = false): Promise<number> {
  // In small pieces, some of which end within a character.
  const bytes = new TextEncoder().encode(text);
  const open = () =>
    Promise.resolve(ReadableStream.from((function* () {
      for (let at = 0; at < bytes.length; at += 1_001) yield bytes.slice(at, at + 1_001);
    })()));
  return importBackup({ kv, sleep, open, force });
}

/** A catalog with one of everything that is kept. */
async function filled() {
  const open = await openCatalog();
  const { catalog, kv } = open;
  await catalog.objects.set(
    scope,
    "bucket",
    "ключ/\u0000\u{1f600}",
    objectRecord("file-1", {
      metadata: Object.fromEntries([["__proto__", "x"], ["ü", "漢"]]),
      parts: {
        runs: [[1, 2, 5]],
        checksums: { header: "x-amz-checksum-crc32", bytes: new Uint8Array([0, 200]) },
      },
      expiresAt: 5_000,
    }),
  );
  for (let n = 0; n < 700; n++) await catalog.jobs.adopt(scope, jobRecord(1_000 + n), { tag: "a" });
  await catalog.instances.secret("page-tokens", () => crypto.getRandomValues(new Uint8Array(32)));
  await kv.atomic().sum(keys.uploadBytes("u"), 5n).commit();
  await kv.set(["odd", 1, 2n, true, new Uint8Array([0, 1]), ""], {
    gone: undefined,
    map: new Map([["a", new Date(5)]]),
    large: "漢".repeat(30_000),
  });
  return open;
}

Deno.test("a backup brings everything back, byte for byte, with its schema", async () => {
  using one = await filled();
  using two = await openCatalog();
  const text = await backupOf(one.kv);
  const content = await contentOf(one.kv);
  assert.equal(await importText(two.kv, text), content.length);
  assert.deepEqual(await contentOf(two.kv), content);
  assert.equal((await two.kv.get(keys.schema())).value, schemaVersion);
  assert.equal((await two.kv.get<Deno.KvU64>(keys.uploadBytes("u"))).value?.value, 5n);
});

Deno.test("a catalog that holds something is left as it is, unless it is said that it goes", async () => {
  using one = await filled();
  using two = await openCatalog();
  await two.kv.set(["other"], 1);
  const text = await backupOf(one.kv);
  await assert.rejects(importText(two.kv, text), /^Failure: The catalog is not empty\. .*--force/);
  assert.deepEqual(await contentOf(two.kv), [[["other"], 1]]);
  await importText(two.kv, text, true);
  assert.deepEqual(await contentOf(two.kv), await contentOf(one.kv));
});

Deno.test("a backup that was cut short, a file that is not one, or a newer one changes nothing", async () => {
  using one = await filled();
  using two = await openCatalog();
  await two.kv.set(["other"], 1);
  const text = await backupOf(one.kv);
  const lines = text.trimEnd().split("\n");
  const [head = "", first = "", ...rest] = lines;
  const withOnly = (entry: string) => [head, entry, '{"end":1}'].join("\n");
  const wrong: [string, RegExp][] = [
    ["", /is not a backup/],
    ["hello\n", /is not a backup/],
    ["{}\n", /is not a backup/],
    [lines.slice(0, -1).join("\n"), /cannot be used: it was cut short/],
    [[head, ...rest].join("\n"), /cannot be used: it was cut short/],
    [text.slice(0, text.length / 2), /cannot be used: .*Nothing was imported/],
    [text + first, /something after its end/],
    [[head, '{"k":[{"$":"what"}],"v":1}', '{"end":1}'].join("\n"), /unknown kind/],
    [withOnly('{"k":["a",null],"v":1}'), /a key that Deno KV cannot have\. Nothing was imported/],
    [withOnly('{"k":[],"v":1}'), /a key that Deno KV cannot have/],
    [withOnly('{"k":["a",{"$":"map","v":[]}],"v":1}'), /a key that Deno KV cannot have/],
    [withOnly('{"k":["a",{"$":"number","v":"NaN"}],"v":1}'), /a key that Deno KV cannot have/],
    [withOnly('{"k":["schema"],"v":99}'), /the key of the schema/],
    [withOnly(`{"k":["a"],"v":"${"x".repeat(70_000)}"}`), /line 2 has no room in a catalog/],
    [withOnly(`{"k":["a","${"x".repeat(3_000)}"],"v":1}`), /line 2 has no room in a catalog/],
    [text.replace(`"schema":1`, '"schema":0'), /there is no schema 0/],
    [text.replace(`"schema":1`, '"schema":1.5'), /there is no schema 1\.5/],
    [text.replace('"format":1', '"format":9'), /has the format 9/],
    [
      text.replace(`"schema":1`, `"schema":99`),
      /^Failure: The backup was written by a newer Batchway/,
    ],
  ];
  for (const [backup, message] of wrong) {
    await assert.rejects(importText(two.kv, backup, true), (error) => {
      assert.ok(error instanceof Failure);
      assert.match(String(error), message);
      return true;
    });
    assert.deepEqual(await contentOf(two.kv), [[["other"], 1]]);
  }
});

Deno.test("a backup of an older schema is brought to the present one", async () => {
  using two = await openCatalog();
  const job = jobRecord(1_000);
  const text = [
    '{"batchway":"catalog","format":1,"schema":1}',
    JSON.stringify({ k: keys.job(scope, job.id), v: job }),
    '{"end":1}',
  ].join("\n");
  await importText(two.kv, text);
  const found = await two.catalog.jobs.matching(scope, { descending: true }, {
    status: job.status,
  });
  assert.deepEqual(found, [job.id]);
});

Deno.test("no gateway starts on half a backup", async () => {
  await using folder = await temporaryFolder();
  using one = await filled();
  const path = `${folder.path}/catalog.kv`;
  const text = await backupOf(one.kv);
  const opened = await openCatalogKv(path, { sleep });
  let steps = 0;
  const dying = new Proxy(opened.kv, {
    get(target, name) {
      if (name === "atomic" && ++steps > 1) throw new Error("killed");
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await assert.rejects(importText(dying, text), /killed/);
  await opened.close();
  await assert.rejects(
    openCatalogKv(path, { sleep }),
    /is half a backup: .*catalog import FILE --force/,
  );
  const again = await openCatalogKv(path, { sleep, anyForm: true, alone: true });
  await importText(again.kv, text, true);
  await again.close();
  await (await openCatalogKv(path, { sleep })).close();
});

Deno.test("a catalog in use cannot be opened exclusively", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const opened = await openCatalogKv(path, { sleep });
  await assert.rejects(
    openCatalogKv(path, { sleep, alone: true }),
    /is in use\. Stop every gateway/,
  );
  await opened.close();
});

Deno.test("a copy is of one moment, whatever is written meanwhile, and leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  for (let n = 0; n < 200; n++) await one.kv.set(["n", n], 0);
  let writing = true;
  const writer = (async () => {
    for (let round = 1; writing; round++) {
      const step = one.kv.atomic();
      for (let n = 0; n < 200; n++) step.set(["n", n], round);
      await step.commit();
    }
  })();
  try {
    await using copy = await copyCatalog(`${folder.path}/catalog.kv`);
    const values = new Set((await all(copy.kv.list({ prefix: ["n"] }))).map(({ value }) => value));
    assert.equal(values.size, 1);
  } finally {
    writing = false;
    await writer;
  }
  const left = (await all(Deno.readDir(folder.path))).map(({ name }) => name);
  assert.deepEqual(left.filter((name) => name.startsWith("catalog-copy")), []);
});

Deno.test("a catalog is the old one until the new one is whole", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const first = await openCatalogKv(path, { sleep });
  await first.kv.set(["other"], 1);
  await first.close();
  const fill = (entries: number, broken: boolean) => async (kv: Deno.Kv) => {
    for (let n = 0; n < entries; n++) await kv.set(["new", n], n);
    if (broken) throw new Error("killed");
    return entries;
  };
  const accept = () => Promise.resolve();
  await assert.rejects(replaceCatalog(path, { sleep }, accept, fill(3, true)), /killed/);
  const refuse = () => Promise.reject(new Error("not empty"));
  await assert.rejects(replaceCatalog(path, { sleep }, refuse, fill(3, false)), /not empty/);
  const between = await openCatalogKv(path, { sleep });
  assert.equal((await between.kv.get(["other"])).value, 1);
  // Nor is it taken from who uses it.
  await assert.rejects(replaceCatalog(path, { sleep }, accept, fill(3, false)), /is in use/);
  await between.close();
  assert.equal(await replaceCatalog(path, { sleep }, accept, fill(3, false)), 3);
  const last = await openCatalogKv(path, { sleep });
  assert.equal((await last.kv.get(["other"])).value, null);
  assert.equal((await last.kv.get(["new", 2])).value, 2);
  await last.close();
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => name.startsWith("catalog-copy-")), []);
});

Deno.test("copies that a killed process left go with the next start, those in use stay", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  await Deno.mkdir(`${folder.path}/catalog-copy-left`);
  await Deno.writeTextFile(`${folder.path}/catalog-copy-left/lock`, "");
  await Deno.writeTextFile(`${folder.path}/catalog-copy-left/copy.kv`, "half");
  // One that is just being made, and one of before there were locks.
  await Deno.mkdir(`${folder.path}/catalog-copy-young`);
  await Deno.mkdir(`${folder.path}/catalog-copy-old`);
  await Deno.utime(`${folder.path}/catalog-copy-old`, new Date(0), new Date(0));
  await using held = await makeDraftFolder(folder.path);
  const opened = await openCatalogKv(path, { sleep });
  await opened.close();
  const left = [...Deno.readDirSync(folder.path)].map((entry) => `${folder.path}/${entry.name}`)
    .filter((name) => name.includes("catalog-copy-"));
  assert.deepEqual(left.sort(), [held.path, `${folder.path}/catalog-copy-young`].sort());
});

Deno.test("what a key has used and reserved comes back with a backup, and a job that ends after it counts once", async () => {
  using open = await openCatalog();
  const amounts = { jobs: 1, records: 9, bytes: 0, cost: 70 };
  const held = { accessKeyId: "A", month: "2026-11", amounts, limits: { maxRecords: 10 } };
  const job = jobRecord(1_000);
  assert.ok(await open.catalog.journal.begin(scope, journalRecord(job), {}, false, held));
  await open.catalog.journal.finish(scope, job);
  const backup = await backupOf(open.kv);
  const counts = { total: 9, processed: 8, success: 8, error: 0 };
  const end = (catalog: typeof open.catalog) =>
    catalog.jobs.update(scope, job.id, (old) => ({ ...old, status: "Stopped", counts }));
  await end(open.catalog);
  using other = await openCatalog();
  await importText(other.kv, backup);
  const { quotas } = other.catalog;
  assert.deepEqual((await quotas.get("A", "2026-11")).reserved, amounts);
  await end(other.catalog);
  await end(other.catalog);
  const nothing = { jobs: 0, records: 0, bytes: 0, cost: 0 };
  const used = { jobs: 1, records: 8, bytes: 0, cost: 70 };
  assert.deepEqual(await quotas.get("A", "2026-11"), { used, reserved: nothing });
  assert.deepEqual(await open.catalog.quotas.get("A", "2026-11"), { used, reserved: nothing });
});
