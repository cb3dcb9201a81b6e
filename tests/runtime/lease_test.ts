import assert from "node:assert/strict";
import { type Lease, underLease } from "../../runtime/lease.ts";

const clock = { earliest: () => 1_000, latest: () => 1_010 };

/** A lease that notes what is asked of it. */
function createLease(own: Partial<Lease> = {}) {
  const calls: unknown[][] = [];
  const lease: Lease = {
    take(request) {
      calls.push(["take", request]);
      return own.take?.(request) ?? Promise.resolve(true);
    },
    prolong(owner, until) {
      calls.push(["prolong", owner, until]);
      return own.prolong?.(owner, until) ?? Promise.resolve(true);
    },
    release(owner, doneAt) {
      calls.push(["release", owner, doneAt]);
      return own.release?.(owner, doneAt) ?? Promise.resolve();
    },
  };
  const failures: unknown[] = [];
  const tools = {
    clock,
    instance: "one",
    leaseMilliseconds: 9,
    failed: (error: unknown) => void failures.push(error),
  };
  return { lease, calls, failures, tools };
}

Deno.test("work is done under a lease that is taken by the earliest time, lasts by the latest, and is given back", async () => {
  const { lease, calls, tools } = createLease();
  const done = await underLease(lease, { ...tools, leaseMilliseconds: 6_000 }, (held) => {
    held.done(1_005);
    return Promise.resolve("done");
  });
  assert.equal(done, "done");
  assert.deepEqual(calls, [
    ["take", { owner: "one", now: 1_000, until: 7_010 }],
    ["release", "one", 1_005],
  ]);
});

Deno.test("work that another process is at is not begun, and its lease is left to it", async () => {
  const { lease, calls, tools } = createLease({ take: () => Promise.resolve(false) });
  const done = await underLease(lease, { ...tools, doneSince: 7 }, () => assert.fail());
  assert.equal(done, undefined);
  const request = { owner: "one", now: 1_000, until: 1_019, doneSince: 7 };
  assert.deepEqual(calls, [["take", request]]);
});

Deno.test("work hears that its lease was taken by another process", async () => {
  const { lease, calls, tools } = createLease({ prolong: () => Promise.resolve(false) });
  await underLease(lease, tools, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  assert.deepEqual(calls[1], ["prolong", "one", 1_019]);
  assert.deepEqual(calls.at(-1), ["release", "one", undefined]);
});

Deno.test("a renewal that fails is tried again, and none comes once the work has stopped them", async () => {
  let tries = 0;
  const renewed = Promise.withResolvers<void>();
  const { lease, calls, failures, tools } = createLease({
    prolong() {
      if (++tries === 1) return Promise.reject(new Error("the catalog is busy"));
      renewed.resolve();
      return Promise.resolve(true);
    },
  });
  await underLease(lease, tools, async (held) => {
    await renewed.promise;
    await held.stop();
    const before = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(calls.length, before);
    assert.ok(!held.signal.aborted);
  });
  assert.match(String(failures), /the catalog is busy/);
});

Deno.test("work that fails gives its lease back, and its error goes before that of giving it back", async () => {
  const { lease, calls, failures, tools } = createLease({
    release: () => Promise.reject(new Error("not given back")),
  });
  const failing = underLease(lease, tools, () => Promise.reject(new Error("no disk")));
  await assert.rejects(failing, /no disk/);
  assert.deepEqual(calls.at(-1), ["release", "one", undefined]);
  assert.match(String(failures), /not given back/);
});
