import assert from "node:assert/strict";
import { jobRecord, openCatalog, scope } from "./memory.ts";

const name = "work";
const at = (owner: string, now: number, more: { doneSince?: number } = {}) => ({
  owner,
  now,
  until: now + 100,
  ...more,
});

Deno.test("a lease is one's own until it is given back or runs out", async () => {
  using open = await openCatalog();
  const lease = open.catalog.leases.of(name);
  assert.ok(await lease.take(at("a", 1_000)));
  assert.ok(!await lease.take(at("b", 1_099)));
  assert.ok(await lease.take(at("a", 1_050)));
  assert.ok(!await lease.take(at("b", 1_149)));
  assert.ok(await lease.prolong("a", 1_300));
  assert.ok(!await lease.take(at("b", 1_299)));
  assert.ok(await lease.take(at("b", 1_300)));
  assert.ok(!await lease.prolong("a", 9_000));
  await lease.release("a", 1_300);
  assert.ok(!await lease.take(at("a", 1_301)));
  await lease.release("b", undefined);
  assert.ok(await lease.take(at("a", 1_302)));
});

Deno.test("work that was done lately is not done again", async () => {
  using open = await openCatalog();
  const lease = open.catalog.leases.of(name);
  assert.ok(await lease.take(at("a", 1_000, { doneSince: 900 })));
  await lease.release("a", 1_000);
  assert.ok(!await lease.take(at("b", 1_050, { doneSince: 1_000 })));
  assert.ok(await lease.take(at("b", 1_101, { doneSince: 1_001 })));
  // What was cut short is not done, and leaves what was known.
  await lease.release("b", undefined);
  assert.ok(!await lease.take(at("c", 1_102, { doneSince: 1_000 })));
  assert.ok(await lease.take(at("c", 1_102, { doneSince: 1_002 })));
  // It was done by one whose clock was far ahead: that must not keep all from it until then.
  await lease.release("c", 900_000);
  assert.ok(await lease.take(at("d", 1_300, { doneSince: 1_200 })));
});

Deno.test("of many that want a lease, or to ask, one gets it", async () => {
  using open = await openCatalog();
  const { leases, jobs } = open.catalog;
  const taken = await Promise.all(
    Array.from({ length: 20 }, (_, n) => leases.of(name).take(at(`g${n}`, 1_000))),
  );
  assert.equal(taken.filter(Boolean).length, 1);
  const job = jobRecord(1);
  await jobs.adopt(scope, job, {});
  // Clocks differ a little, and who reads the time first need not be the first to claim.
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, n) => leases.claimAsking(scope, job.id, 5_000 - n, 4_000 - n)),
  );
  assert.equal(claims.filter((last) => last === undefined).length, 1);
});

Deno.test("a claim to ask holds for its time, is not kept off by a clock gone wrong, and ends with the job", async () => {
  using open = await openCatalog();
  const { leases, jobs } = open.catalog;
  const job = jobRecord(1);
  await jobs.adopt(scope, job, {});
  const claim = (now: number) => leases.claimAsking(scope, job.id, now, now - 1_000);
  assert.equal(await claim(5_000), undefined);
  assert.equal(await claim(5_999), 5_000);
  assert.equal(await claim(6_000), undefined);
  assert.equal(await claim(900_000_000), undefined);
  assert.equal(await claim(7_000), undefined);
  await jobs.update(scope, job.id, (old) => ({ ...old, status: "Failed" }));
  assert.equal(await claim(50_000), 50_000);
  assert.equal((await open.kv.get(["asked", "default", "cloud", job.id])).value, null);
});
