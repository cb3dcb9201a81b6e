import assert from "node:assert/strict";
import { examine } from "../../care/examine.ts";
import { keys } from "../../catalog/keys.ts";
import { batchId, fileId, jobId } from "../../codecs/ids.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import {
  all,
  batchIdOf,
  jobRecord,
  journalRecord,
  objectRecord,
  openCatalog,
  scope,
  sleep,
} from "../catalog/memory.ts";

const { provider } = scope;
const old = objectRecord("file-1", { expiresAt: 9_000 });

const tagged = objectRecord("file-4", { etag: "0f".repeat(16), modifiedAt: 7 });
const ofTagged = keys.etag(scope, "bucket", "0f".repeat(16), 7, "tagged");

/** A catalog in order, with one of everything that rules look at. */
async function inOrder() {
  const open = await openCatalog();
  const { objects, links, jobs, journal } = open.catalog;
  await objects.set(scope, "bucket", "a", old);
  await links.link(scope, "bucket", "copy", old, false, {});
  await objects.set(scope, "bucket", "b", objectRecord("file-2"));
  await objects.set(scope, "bucket", "b", objectRecord("file-3"));
  await links.link(scope, "bucket", "n", objectRecord("file-native"), true, {});
  await objects.set(scope, "bucket", "tagged", tagged);
  const running = jobRecord(1_000, { file: fileId("file-1") });
  const over = jobRecord(2_000, { status: "Completed" });
  const beginning = jobRecord(3_000, { file: fileId("file-3") });
  await jobs.adopt(scope, running, { tag: "1" });
  await jobs.adopt(scope, over, {});
  const promise = { token: "t", digest: "d" };
  await journal.begin(scope, journalRecord(beginning, { promise }), { tag: "2" });
  return { ...open, running, over };
}

/** Everything that is wrong, as kinds. */
async function kindsOf(kv: Deno.Kv): Promise<string[]> {
  return (await all(examine(kv, sleep))).map(({ kind }) => kind).sort();
}

async function mendAll(kv: Deno.Kv): Promise<void> {
  for await (const { mend, what } of examine(kv, sleep)) assert.ok(mend && await mend(), what);
}

Deno.test("nothing is wrong with a catalog that only went through its own changes", async () => {
  using open = await inOrder();
  assert.deepEqual(await kindsOf(open.kv), []);
  const { objects, links, jobs, pins } = open.catalog;
  // Files at another provider: of a job that runs, and of a create whose entry is not there yet.
  const pin = { ...objectRecord("file-5"), key: "in/a.jsonl", provider: "other" };
  const { file, held, bytes, key, provider: other } = pin;
  for (const id of [open.running.id, jobId("aaaaaaaaaaaa")]) {
    await pins.hold(scope, id, [{ file, held, bytes, key, provider: other }], true);
  }
  assert.deepEqual(await kindsOf(open.kv), []);
  await jobs.update(scope, open.running.id, (job) => ({ ...job, status: "Stopped" }));
  await links.part(scope, "bucket", "a", old);
  await objects.remove(scope, "bucket", "b", objectRecord("file-3"), "trash");
  assert.deepEqual(await kindsOf(open.kv), []);
});

type World = Awaited<ReturnType<typeof inOrder>>;

/** What is damaged, the kinds that are found, and how. */
const damages: [string, string, (world: World) => Promise<unknown>][] = [
  [
    "a job without its name",
    "job-index",
    ({ kv, over }) => kv.delete(keys.jobName(scope, over.id)),
  ],
  [
    "a job without its status",
    "job-index",
    ({ kv, over }) => kv.delete(keys.jobOfStatus(scope, "Completed", over.id)),
  ],
  [
    "a job without its batch",
    "job-index",
    ({ kv, over }) => kv.delete(keys.batch(provider, batchIdOf(over))),
  ],
  [
    "a running job that the sweep passes over",
    "job-index stray-use",
    ({ kv, running }) => kv.delete(keys.runningJob(scope, running.id)),
  ],
  [
    "an input that is not held",
    "job-index",
    ({ kv, running }) => kv.delete(keys.use(provider, fileId("file-1"), running.id)),
  ],
  [
    "a status without its job",
    "stray-index",
    ({ kv }) => kv.set(keys.jobOfStatus(scope, "Failed", jobId("aaaaaaaaaaaa")), "x"),
  ],
  [
    "an old status",
    "stray-index",
    ({ kv, over }) => kv.set(keys.jobOfStatus(scope, "Failed", over.id), "x"),
  ],
  [
    "a name without its job",
    "stray-index",
    ({ kv }) => kv.set(keys.jobName(scope, jobId("aaaaaaaaaaaa")), "x"),
  ],
  [
    "a batch without its job",
    "stray-batch",
    ({ kv }) =>
      kv.set(keys.batch(provider, batchId("batch_x")), {
        tenant: "default",
        id: "aaaaaaaaaaaa",
        over: true,
      }),
  ],
  [
    "a token without its job",
    "stray-token",
    ({ kv }) => kv.set(keys.token(scope, "x", "y"), "aaaaaaaaaaaa"),
  ],
  [
    "a tag without its job",
    "stray-tag",
    ({ kv }) => kv.set(keys.tag(scope, jobId("aaaaaaaaaaaa"), "x"), "y"),
  ],
  [
    "a file held for nobody",
    "stray-use",
    ({ kv }) => kv.set(keys.use(provider, fileId("file-1"), jobId("aaaaaaaaaaaa")), true),
  ],
  [
    "an object that its file does not know",
    "object-names",
    ({ kv }) => kv.delete(keys.file(provider, fileId("file-3"))),
  ],
  [
    "a copy that its file does not know",
    "object-names",
    ({ kv }) =>
      kv.delete(
        keys.furtherName(provider, fileId("file-1"), {
          tenant: "default",
          bucket: "bucket",
          key: "copy",
        }),
      ),
  ],
  ["an object that its ETag does not lead to", "object-names", ({ kv }) => kv.delete(ofTagged)],
  ["ETags of an object that has another", "stray-etag stray-etag", async ({ kv }) => {
    await kv.set(keys.etag(scope, "bucket", "00".repeat(16), 7, "tagged"), true);
    await kv.set(keys.etag(scope, "bucket", "0f".repeat(16), 6, "tagged"), true);
  }],
  ["an expiry that nobody would see", "object-names", async ({ kv }) => {
    await kv.set(keys.object(scope, "bucket", "copy"), { ...old, expiresAt: 7_000 });
  }],
  [
    "a name without its object",
    "stray-name",
    ({ kv }) => kv.delete(keys.object(scope, "bucket", "copy")),
  ],
  [
    "a file in the trash that the sweep passes over",
    "trash",
    ({ kv }) => kv.delete(keys.trashed(provider, fileId("file-2"))),
  ],
  [
    "a file that is named and in the trash",
    "trash",
    ({ kv }) =>
      kv.set(keys.trashed(provider, fileId("file-3")), { held: objectRecord("file-3").held }),
  ],
];

for (const [what, kind, damage] of damages) {
  Deno.test(`${what} is found, and put right`, async () => {
    using world = await inOrder();
    await damage(world);
    assert.deepEqual(await kindsOf(world.kv), kind.split(" "));
    await mendAll(world.kv);
    assert.deepEqual(await kindsOf(world.kv), []);
  });
}

Deno.test("a file without its object is found, and only its provider could say more", async () => {
  using world = await inOrder();
  await world.kv.delete(keys.object(scope, "bucket", "b"));
  const [finding] = await all(examine(world.kv, sleep));
  assert.equal(finding?.kind, "nameless-file");
  assert.deepEqual(finding.file, { provider, id: "file-3" });
  assert.equal(finding.mend, undefined);
});

Deno.test("what another process put right meanwhile is left as it is", async () => {
  using world = await inOrder();
  const key = keys.jobName(scope, world.over.id);
  await world.kv.delete(key);
  const [finding] = await all(examine(world.kv, sleep));
  await world.kv.set(key, "job-2000");
  assert.equal(await finding?.mend?.(), false);
});

Deno.test("a catalog at work is never taken for one that is wrong", async () => {
  using world = await inOrder();
  const { jobs, objects, journal }: Catalog = world.catalog;
  let working = true;
  const work = (async () => {
    for (let n = 0; working; n++) {
      await objects.set(
        scope,
        "bucket",
        "busy",
        objectRecord(`file-busy-${n}`, { expiresAt: 9_000 }),
      );
      const job = jobRecord(5_000 + n, { file: fileId(`file-busy-${n}`) });
      const entry = journalRecord(job, { promise: { token: `t${n}`, digest: "d" } });
      await journal.begin(scope, entry, { tag: "x" });
      await journal.finish(scope, job);
      await jobs.update(scope, job.id, (old) => ({ ...old, status: "Completed" }));
    }
  })();
  try {
    for (let round = 0; round < 15; round++) assert.deepEqual(await kindsOf(world.kv), []);
  } finally {
    working = false;
    await work;
  }
});

Deno.test("nothing is thrown away because what it belongs to is damaged", async () => {
  using open = await openCatalog();
  const { catalog, kv } = open;
  const job = jobRecord(1_000);
  await catalog.jobs.adopt(scope, job, { tag: "a" });
  await kv.set(keys.token(scope, "token", "digest"), job.id);
  await catalog.objects.set(scope, "bucket", "key", objectRecord("file-1"));
  await catalog.links.link(scope, "bucket", "copy", objectRecord("file-1"), false, {});
  const damaged = [keys.job(scope, job.id), keys.object(scope, "bucket", "copy")];
  for (const key of damaged) await kv.set(key, {});
  const before = (await all(kv.list({ prefix: [] }))).length;
  const findings = await all(examine(kv, sleep));
  assert.deepEqual(findings.map(({ kind }) => kind), ["wrong-entry", "wrong-entry"]);
  for (const { mend } of findings) await mend?.();
  assert.equal((await all(kv.list({ prefix: [] }))).length, before);
});

Deno.test("what is reserved for a job that does not run is given back, and of one that runs is kept", async () => {
  using open = await openCatalog();
  const { journal, jobs, quotas } = open.catalog;
  const amounts = { jobs: 1, records: 10, bytes: 0, cost: 5 };
  const held = { accessKeyId: "A", month: "2026-11", amounts, limits: { maxJobs: 9 } };
  const gone = jobRecord(1_000);
  const begun = jobRecord(2_000);
  const running = jobRecord(3_000);
  for (const job of [gone, begun, running]) {
    assert.ok(await journal.begin(scope, journalRecord(job), {}, false, held));
  }
  await journal.finish(scope, running);
  assert.deepEqual(await kindsOf(open.kv), []);
  await open.kv.delete(keys.journalEntry(scope, gone.id));
  assert.deepEqual(await kindsOf(open.kv), ["stray-reservation", "stray-use"]);
  await mendAll(open.kv);
  assert.deepEqual(await kindsOf(open.kv), []);
  assert.equal((await quotas.get("A", "2026-11")).reserved.records, 20);
  await jobs.update(scope, running.id, (job) => ({ ...job, status: "Failed" }));
  assert.deepEqual(await kindsOf(open.kv), []);
});
