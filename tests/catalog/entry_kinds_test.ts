/** Entries that are not what they should be: set aside where they are read, and told of. */
import assert from "node:assert/strict";
import { examine } from "../../care/examine.ts";
import { createCatalog } from "../../catalog/catalog.ts";
import { checkedKv } from "../../catalog/checked_kv.ts";
import { entryKinds, judgeEntry } from "../../catalog/entry_kinds.ts";
import { keys } from "../../catalog/keys.ts";
import { openCatalogKv } from "../../catalog/open.ts";
import { batchId, blobName, fileId, jobId } from "../../codecs/ids.ts";
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { spawnGateway } from "../gateway.ts";
import {
  all,
  jobRecord,
  journalRecord,
  objectRecord,
  openCatalog,
  scope,
  sleep,
  temporaryFolder,
} from "./memory.ts";

const job = jobId("000000rsdlga");
const file = fileId("file-1");

/** A key of every kind. */
const someKeys: readonly Deno.KvKey[] = [
  keys.object(scope, "bucket", "key"),
  keys.etag(scope, "bucket", "etag", 1, "key"),
  keys.bucket(scope, "bucket"),
  keys.upload(scope, "bucket", "key", "id"),
  keys.uploadBytes("id"),
  keys.completing("id"),
  keys.completed("id"),
  keys.part("id", 1),
  keys.file("cloud", file),
  keys.furtherName("cloud", file, { tenant: "default", bucket: "bucket", key: "key" }),
  keys.expiry(1, "cloud", file),
  keys.quota("A", "2026-11"),
  keys.reservation(scope, job),
  keys.putReservation("A", "one", "1"),
  keys.copy("cloud", blobName("kept/cloud/one")),
  keys.trashed("cloud", file),
  keys.use("cloud", file, job),
  keys.job(scope, job),
  keys.jobOfStatus(scope, "Failed", job),
  keys.jobName(scope, job),
  keys.runningJob(scope, job),
  keys.tag(scope, job, "name"),
  keys.batch("cloud", batchId("batch")),
  keys.resultFile("cloud", file),
  keys.journalEntry(scope, job),
  keys.token(scope, "token", "digest"),
  keys.resultsCut("cloud", file, 0),
  keys.resultsLease(scope, job),
  keys.awaitsResults(scope, job),
  keys.recordIds("cloud", file, 0),
  keys.asked(scope, job),
  keys.prepared(scope, job),
  keys.unreleased(scope, job),
  keys.pin(scope, job, 0),
  keys.shard(scope, job, 0),
  keys.askingShard(scope, job, 0),
  keys.busyBatch("cloud", "main", scope, job, 0),
  keys.busyGate("cloud", "main"),
  keys.event("target", scope, job, 1),
  keys.doneEvent(1, "target", scope, job, 1),
  keys.lastReplay(),
  keys.forwarded("cloud", "arn:aws:bedrock:us-east-1:1:model-invocation-job/000000rsdlga"),
  keys.usage("2026-11-30", scope, job),
  keys.lease("work"),
  keys.scannedTo("cloud", "main"),
  keys.instance("one"),
  keys.registration("one"),
  keys.secret("page-tokens"),
  keys.credential("BWAK"),
  keys.credentialUse("BWAK"),
  keys.sealedUnder(),
  keys.credentialsVersion(),
];

Deno.test("every kind of key is known, and {} is right for none of them", async () => {
  const source = await Deno.readTextFile(new URL("../../catalog/keys.ts", import.meta.url));
  const made = new Set([...source.matchAll(/\[\s*"([a-z-]+)"/g)].map(([, kind]) => kind));
  assert.deepEqual([...made].sort(), [...entryKinds].sort());
  const told = new Set(someKeys.map(([kind]) => kind));
  assert.deepEqual([...told, "schema"].sort(), [...entryKinds].sort());
  for (const key of someKeys) {
    assert.equal(judgeEntry(key, {}), "wrong-value", String(key[0]));
    assert.equal(judgeEntry([...key, "more", "more"], {}), "wrong-key", String(key[0]));
  }
  assert.equal(judgeEntry(["odd", 1], 1), "unknown");
  assert.equal(judgeEntry([7], 1), "unknown");
});

Deno.test("what the catalog writes is right in its own eyes", async () => {
  using open = await openCatalog();
  const { catalog, kv } = open;
  const record = objectRecord("file-1", {
    parts: { runs: [[1, 2, 5]], checksums: { header: "h", bytes: new Uint8Array([1]) } },
    expiresAt: 5,
  });
  await catalog.objects.set(scope, "bucket", "key", record);
  await catalog.links.link(scope, "bucket", "copy", record, false, {});
  await catalog.objects.set(scope, "bucket", "old", objectRecord("file-2"));
  await catalog.objects.set(scope, "bucket", "old", objectRecord("file-3"));
  await catalog.jobs.adopt(scope, jobRecord(1_000), { a: "b" });
  await catalog.journal.begin(
    scope,
    journalRecord(jobRecord(2_000), { promise: { token: "t", digest: "d" } }),
    {},
  );
  await catalog.jobs.setScannedTo("cloud", "main", batchId("batch"));
  await catalog.instances.seen("one", { startedAt: 0, seenAt: NaN, nextAt: 2 });
  await catalog.instances.register("one");
  await catalog.leases.of("work").take({ owner: "one", now: 0, until: 5 });
  for await (const { key, value } of kv.list({ prefix: [] })) {
    assert.equal(judgeEntry(key, value), "right", JSON.stringify(key));
  }
});

Deno.test("lists go on over what is set aside, to as many as were asked for, and it is logged once", async () => {
  using open = await openCatalog();
  const told: string[] = [];
  const kv = checkedKv(open.kv, (line) => void told.push(line));
  const catalog = createCatalog(kv, sleep);
  for (let n = 0; n < 20; n++) {
    const key = `key-${`${n}`.padStart(2, "0")}`;
    if (n % 3 === 0) await open.kv.set(keys.object(scope, "bucket", key), n % 2 ? {} : "text");
    else await catalog.objects.set(scope, "bucket", key, objectRecord(`file-${n}`));
  }
  const page = await catalog.objects.range(scope, "bucket", new Uint8Array(), undefined, 10);
  assert.equal(page.length, 10);
  assert.equal(page.at(-1)?.key, "key-14");
  const rest = await catalog.objects.range(scope, "bucket", new Uint8Array(), undefined, 100);
  assert.equal(rest.length, 13);
  assert.equal(await catalog.objects.get(scope, "bucket", "key-00"), undefined);
  assert.equal(told.length, 7);
  assert.match(
    told[0] ?? "",
    /^An entry of the catalog is not as it should be, .*: object\/default\/cloud\/bucket\/key-00\. .*catalog check/,
  );
  // Another may take its place.
  await catalog.objects.set(scope, "bucket", "key-00", objectRecord("file-0"));
  assert.equal((await catalog.objects.get(scope, "bucket", "key-00"))?.file, "file-0");
});

Deno.test("a damaged credential does not open the gateway", async () => {
  using open = await openCatalog();
  await open.kv.set(keys.credential("BWAKAAAAAAAAAAAAAAAA"), {});
  const { credentials } = createCatalog(checkedKv(open.kv), sleep);
  const [found, ...others] = await credentials.all();
  assert.deepEqual(others, []);
  assert.equal(found?.record.disabled, true);
  assert.deepEqual(found.record.secrets, []);
});

Deno.test("a check reports every wrong entry, and those of no known kind", async () => {
  using open = await openCatalog();
  for (const key of someKeys) await open.kv.set(key, {});
  await open.kv.set(["odd", 1], 1);
  await open.kv.set(["object", "too", "short"], objectRecord("file-9"));
  const found = await all(examine(open.kv, sleep));
  const of = (kind: string) => found.filter((one) => one.kind === kind).map(({ what }) => what);
  assert.equal(of("wrong-entry").length, someKeys.length + 1);
  assert.deepEqual(of("unknown-entry"), ["entry odd/1"]);
  assert.ok(of("wrong-entry").includes("entry object/default/cloud/bucket/key"));
  assert.equal(found.length, someKeys.length + 2);
});

Deno.test("a gateway starts and works on a catalog in which every kind of entry is damaged once", async () => {
  await using folder = await temporaryFolder();
  const { kv, close } = await openCatalogKv(`${folder.path}/catalog.kv`, { sleep });
  for (const provider of ["openai", "gemini"]) {
    const own = { tenant: "default", provider };
    await kv.set(keys.object(own, "openai-files", "damaged"), {});
    await kv.set(keys.job(own, job), {});
    await kv.set(keys.runningJob(own, job), true);
    await kv.set(keys.jobName(own, job), "name");
    await kv.set(keys.jobOfStatus(own, "InProgress", job), "name");
  }
  // A credential would close the gateway to whoever has none.
  for (const key of someKeys) if (key[0] !== "credential") await kv.set(key, {});
  await close();
  const sandbox = await startSandbox({ batchSeconds: 0.1 });
  const gateway = await spawnGateway({
    ...sandboxEnvironment(sandbox),
    BATCHWAY_DATA: folder.path,
    BATCHWAY_LOG: "json",
    BATCHWAY_SWEEP_SECONDS: "0.1",
  });
  try {
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { "x-model-provider": "openai" };
      const answer = await fetch(`${gateway.url}${path}`, { ...init, headers });
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      return text;
    };
    const body = '{"custom_id":"1"}\n';
    await ask("/bedrock/files/openai-files/good", { method: "PUT", body });
    await ask("/bedrock/files/openai-files/damaged", { method: "PUT", body });
    const listed = await ask("/bedrock/files/openai-files?list-type=2");
    assert.match(listed, /<Key>damaged<[^]*<Key>good</);
    const jobs: unknown = JSON.parse(await ask("/bedrock/model-invocation-jobs"));
    assert.deepEqual(jobs, { invocationJobSummaries: [] });
    assert.equal(await ask("/bedrock/files/openai-files/damaged"), body);
    assert.match(gateway.log(), /was set aside: job\/default\/openai\/000000rsdlga/);
    assert.doesNotMatch(gateway.log(), /cut short|escaped/);
  } finally {
    assert.equal(await gateway.stop(), 0, gateway.log());
    await sandbox.close();
  }
});
