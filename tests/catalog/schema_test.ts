import assert from "node:assert/strict";
import { keys } from "../../catalog/keys.ts";
import { openCatalogKv } from "../../catalog/open.ts";
import { ensureSchema, schemaVersion } from "../../catalog/schema.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { fileId } from "../../codecs/ids.ts";
import {
  idsOf,
  jobRecord,
  objectRecord,
  openCatalog,
  scope,
  sleep,
  temporaryFolder,
} from "./memory.ts";

/** Fills a catalog as the first ones were: without schema and indexes. */
async function firstForm(kv: Deno.Kv, count: number): Promise<JobEntry[]> {
  const records = Array.from(
    { length: count },
    (_, n) => jobRecord(1_000 + n, { status: n % 2 ? "Completed" : "InProgress" }),
  );
  for (const job of records) await kv.set(keys.job(scope, job.id), job);
  const record = objectRecord("file-1", { expiresAt: 5_000 });
  await kv.set(keys.object(scope, "bucket", "a"), record);
  await kv.set(keys.file(scope.provider, record.file), {
    tenant: scope.tenant,
    bucket: "bucket",
    key: "a",
    account: "main",
    state: "current",
  });
  return records;
}

const range = { descending: false };

Deno.test("a new catalog has the present schema from its first start on", async () => {
  const opened = await openCatalogKv(":memory:", { sleep });
  assert.equal((await opened.kv.get(keys.schema())).value, schemaVersion);
  await opened.close();
});

Deno.test("a catalog of the first form is brought to the present one", async () => {
  using open = await openCatalog();
  const records = await firstForm(open.kv, 35);
  const told: string[] = [];
  await ensureSchema(open.kv, sleep, "The catalog", (message) => told.push(message));
  assert.deepEqual(told, [`The catalog is being brought from schema 1 to ${schemaVersion}`]);
  const { jobs, expiry, objects } = open.catalog;
  for (const status of ["Completed", "InProgress"] as const) {
    const expected = idsOf(records.filter((job) => job.status === status));
    assert.deepEqual(await jobs.matching(scope, range, { status }), expected);
  }
  const named = await jobs.matching(scope, range, { nameContains: "job-1034" });
  assert.deepEqual(named, idsOf(records.slice(34)));
  await expiry.forgetExpired(6_000, new AbortController().signal);
  assert.equal(await objects.get(scope, "bucket", "a"), undefined);
  assert.equal(await objects.file(scope.provider, fileId("file-1")), undefined);
  await ensureSchema(open.kv, sleep, "The catalog", () => assert.fail("nothing is left to do"));
});

Deno.test("a migration that is cut short is done by the next start, also by two at once", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  const records = await firstForm(one.kv, 60);
  let steps = 0;
  const dying = new Proxy(one.kv, {
    get(target, name) {
      if (name === "atomic" && ++steps > 3) throw new Error("killed");
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await assert.rejects(ensureSchema(dying, sleep, "The catalog"), /killed/);
  assert.equal((await one.kv.get(keys.schema())).value, null);
  const moved = records[0];
  assert.ok(moved);
  await Promise.all([
    ensureSchema(one.kv, sleep, "The catalog"),
    ensureSchema(two.kv, sleep, "The catalog"),
    one.catalog.jobs.update(scope, moved.id, (job) => ({ ...job, status: "Stopped" })),
  ]);
  const { jobs } = two.catalog;
  assert.deepEqual(await jobs.matching(scope, range, { status: "Stopped" }), [moved.id]);
  const running = idsOf(records.filter(({ status }) => status === "InProgress")).slice(1);
  assert.deepEqual(await jobs.matching(scope, range, { status: "InProgress" }), running);
  assert.equal((await jobs.matching(scope, range, { nameContains: "job" })).length, 60);
  assert.equal((await two.kv.get(keys.schema())).value, schemaVersion);
});

Deno.test("a catalog of a newer form stops the start, and is left as it is", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  const opened = await openCatalogKv(path, { sleep });
  await opened.kv.set(keys.schema(), schemaVersion + 1);
  await opened.close();
  await assert.rejects(openCatalogKv(path, { sleep }), {
    message:
      `The catalog ${path} was written by a newer Batchway: it has schema ${schemaVersion + 1}, ` +
      `and this program knows schemas up to ${schemaVersion}. Run that newer version; or go back to a ` +
      "backup that this one made, with `deno task catalog import`",
  });
});

Deno.test("a job that moves on while it is being indexed is indexed as it is then", async () => {
  using open = await openCatalog();
  const [job] = await firstForm(open.kv, 2);
  assert.ok(job);
  const { jobs } = open.catalog;
  let moved = false;
  const slow = new Proxy(open.kv, {
    get(target, name) {
      if (name === "getMany") {
        return async (wanted: Deno.KvKey[]) => {
          const read = await target.getMany(wanted);
          if (!moved) {
            moved = true;
            await jobs.update(scope, job.id, (old) => ({ ...old, status: "Stopped" }));
          }
          return read;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await ensureSchema(slow, sleep, "The catalog");
  assert.deepEqual(await jobs.matching(scope, range, { status: "Stopped" }), [job.id]);
  assert.deepEqual(await jobs.matching(scope, range, { status: "InProgress" }), []);
});
