import assert from "node:assert/strict";
import { change, openKv } from "../../catalog/kv.ts";
import { Failure } from "../../codecs/failure.ts";
import { objectRecord, openCatalog, scope, temporaryFolder } from "./memory.ts";

const nap = () => Promise.resolve();

Deno.test("a change is tried again while another process is faster, or the file is locked", async () => {
  let attempts = 0;
  const outcome = await change<string>(nap, () => {
    attempts++;
    if (attempts === 1) return Promise.reject(new TypeError("database is locked"));
    return Promise.resolve(attempts < 4 ? "again" : { done: "done" });
  });
  assert.equal(outcome, "done");
  assert.equal(attempts, 4);
});

Deno.test("a change that never goes through ends as busy, with advice to retry", async () => {
  const naps: number[] = [];
  const nap = (milliseconds: number) => Promise.resolve(void naps.push(milliseconds));
  await assert.rejects(
    change(nap, () => Promise.resolve("again")),
    (error) =>
      error instanceof Failure && error.kind === "unavailable" &&
      error.details.retryAfterSeconds === 1,
  );
  assert.ok(
    naps.length > 10 && naps.every((milliseconds) => milliseconds >= 1 && milliseconds <= 32),
  );
});

Deno.test("any other error of a change is not tried again", async () => {
  let attempts = 0;
  const broken = new TypeError("database or disk is full");
  await assert.rejects(change(nap, () => (attempts++, Promise.reject(broken))), broken);
  assert.equal(attempts, 1);
});

Deno.test("a file that is not a catalog is refused with a sentence", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/catalog.kv`;
  await Deno.writeTextFile(path, "not a database ".repeat(100));
  await assert.rejects(
    openKv(path),
    (error) =>
      error instanceof Failure && /Cannot open the catalog.*BATCHWAY_DATA/s.test(error.message),
  );
});

Deno.test("a secret is made once, whichever gateway asks for it first", async () => {
  await using folder = await temporaryFolder();
  using one = await openCatalog(`${folder.path}/catalog.kv`);
  using two = await openCatalog(`${folder.path}/catalog.kv`);
  let made = 0;
  const secrets = await Promise.all(
    [one, two, one, two].map(({ catalog }) =>
      catalog.instances.secret("s", () => new Uint8Array(32).fill(++made))
    ),
  );
  assert.equal(new Set(secrets.map(String)).size, 1);
});

Deno.test("processes are listed until they leave", async () => {
  using open = await openCatalog();
  const { instances } = open.catalog;
  await instances.seen("a", { startedAt: 1, seenAt: 2 });
  await instances.seen("b", { startedAt: 1, seenAt: 3 });
  await instances.seen("a", { startedAt: 1, seenAt: 9 });
  await instances.leave("b");
  assert.deepEqual(await instances.all(), [{ id: "a", record: { startedAt: 1, seenAt: 9 } }]);
});

Deno.test("what has no room in a record is the sender's mistake, and nothing of it is kept", async () => {
  using open = await openCatalog();
  const metadata = { much: "x".repeat(66_000) };
  await assert.rejects(
    open.catalog.objects.set(scope, "bucket", "key", objectRecord("file-1", { metadata })),
    (error) =>
      error instanceof Failure && error.kind === "invalid" &&
      error.details.s3 === "MetadataTooLarge" && /65536 bytes\. Send less/.test(error.message),
  );
  assert.equal(await open.catalog.objects.get(scope, "bucket", "key"), undefined);
});
