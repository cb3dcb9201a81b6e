import assert from "node:assert/strict";
import { countJobs } from "../../catalog/job_counts.ts";
import { keys } from "../../catalog/keys.ts";
import type { JobId } from "../../codecs/ids.ts";

const id = (n: number) => `${n}`.padStart(12, "0") as JobId;

Deno.test("jobs are counted by tenant, provider and status up to a bound, with the age of running ones", async () => {
  using kv = await Deno.openKv(":memory:");
  const scopes = [{ tenant: "a", provider: "one" }, { tenant: "b", provider: "one" }, {
    tenant: "b",
    provider: "two",
  }];
  for (const [at, scope] of scopes.entries()) {
    for (let n = 0; n < 4 + at; n++) await kv.set(keys.jobOfStatus(scope, "Completed", id(n)), "x");
    await kv.set(keys.jobOfStatus(scope, "InProgress", id(10 + at)), "x");
    await kv.set(keys.job(scope, id(10 + at)), { submittedAt: 1_000 + at });
    await kv.set(keys.jobOfStatus(scope, "Stopping", id(20)), "x");
  }
  const [a, b1, b2] = scopes;
  assert.deepEqual(await countJobs(kv, 5), [
    { scope: a, status: "Completed", count: 4 },
    { scope: a, status: "InProgress", count: 1, oldest: 1_000 },
    { scope: a, status: "Stopping", count: 1 },
    { scope: b1, status: "Completed", count: 5 },
    { scope: b1, status: "InProgress", count: 1, oldest: 1_001 },
    { scope: b1, status: "Stopping", count: 1 },
    { scope: b2, status: "Completed", count: 5 },
    { scope: b2, status: "InProgress", count: 1, oldest: 1_002 },
    { scope: b2, status: "Stopping", count: 1 },
  ]);
});
