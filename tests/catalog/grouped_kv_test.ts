import assert from "node:assert/strict";
import { groupCommits } from "../../catalog/grouped_kv.ts";
import { all } from "./memory.ts";

/** A grouped KV in memory, and how many steps each commit of the KV below it was made of. */
async function openGrouped(fail?: (commit: number) => Error | undefined) {
  const below = await Deno.openKv(":memory:");
  const commits: number[] = [];
  const counting = new Proxy(below, {
    get(target, name) {
      if (name !== "atomic") {
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return () => {
        const step = target.atomic();
        const { mutate, commit } = step;
        let mutations = 0;
        step.mutate = (...given) => {
          mutations += given.length;
          return mutate.apply(step, given);
        };
        step.commit = async () => {
          commits.push(mutations);
          const error = fail?.(commits.length);
          if (error) throw error;
          return await commit.call(step);
        };
        return step;
      };
    },
  });
  return { kv: groupCommits(counting), below, commits, [Symbol.dispose]: () => below.close() };
}

const free = (key: Deno.KvKey) => ({ key, versionstamp: null });

Deno.test("what is to be committed while a commit is under way goes together into the next", async () => {
  using opened = await openGrouped();
  const { kv, commits } = opened;
  const outcomes = await Promise.all(
    Array.from(
      { length: 9 },
      (_, n) => kv.atomic().check(free(["n", n])).set(["n", n], n).commit(),
    ),
  );
  assert.ok(outcomes.every(({ ok }) => ok));
  assert.deepEqual(commits, [1, 8]);
  const found = await all(kv.list<number>({ prefix: ["n"] }));
  assert.deepEqual(found.map(({ value }) => value), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const [, second] = outcomes;
  assert.equal(found[1]?.versionstamp, second?.ok && second.versionstamp);
});

Deno.test("a single step is committed by itself, as it is", async () => {
  using opened = await openGrouped();
  const { kv, commits } = opened;
  await kv.set(["a"], "x");
  await kv.delete(["a"]);
  const step = kv.atomic().sum(["sum"], 2n).min(["min"], 5n).max(["max"], 7n).set(["b"], 1);
  assert.equal((await step.commit()).ok, true);
  await kv.atomic().sum(["sum"], 3n).min(["min"], 9n).max(["max"], 1n).delete(["b"]).commit();
  assert.deepEqual(commits, [1, 1, 4, 4]);
  const [a, b, sum, min, max] = await kv.getMany([["a"], ["b"], ["sum"], ["min"], ["max"]]);
  assert.equal(a?.value, null);
  assert.equal(b?.value, null);
  assert.deepEqual(
    [sum, min, max].map((one) => one?.value),
    [5n, 5n, 7n].map((n) => new Deno.KvU64(n)),
  );
});

Deno.test("a check that fails fails only its own step", async () => {
  using opened = await openGrouped();
  const { kv } = opened;
  await kv.set(["taken"], 1);
  const outcomes = await Promise.all([
    kv.set(["first"], 1).then(() => ({ ok: true })),
    kv.atomic().check(free(["a"])).set(["a"], 1).commit(),
    kv.atomic().check(free(["taken"])).set(["taken"], 2).set(["lost"], 2).commit(),
    kv.atomic().check(free(["b"])).set(["b"], 1).commit(),
  ]);
  assert.deepEqual(outcomes.map(({ ok }) => ok), [true, true, false, true]);
  assert.equal((await kv.get(["taken"])).value, 1);
  assert.equal((await kv.get(["lost"])).value, null);
});

Deno.test("of steps that check one key and write it, one goes through", async () => {
  using opened = await openGrouped();
  const { kv } = opened;
  for (const key of ["text", new Uint8Array([1, 2]), 7n, 7, true]) {
    const outcomes = await Promise.all(
      Array.from(
        { length: 12 },
        (_, n) => kv.atomic().check(free(["one", key])).set(["one", key], n).commit(),
      ),
    );
    const won = outcomes.flatMap(({ ok }, n) => ok ? [n] : []);
    assert.deepEqual(won, [0]);
    assert.equal((await kv.get(["one", key])).value, 0);
  }
});

Deno.test("a later step may check what an earlier one wrote, and sees the truth", async () => {
  using opened = await openGrouped();
  const { kv, commits } = opened;
  await kv.set(["key"], "old");
  const old = await kv.get(["key"]);
  const [, write, late] = await Promise.all([
    kv.set(["other"], 1),
    kv.atomic().set(["key"], "new").commit(),
    kv.atomic().check(old).set(["late"], 1).commit(),
  ]);
  assert.deepEqual([write.ok, late.ok], [true, false]);
  assert.equal((await kv.get(["late"])).value, null);
  assert.deepEqual(commits, [1, 1, 1, 1]);
});

Deno.test("writes of one key keep their order within a group", async () => {
  using opened = await openGrouped();
  const { kv, commits } = opened;
  await Promise.all(Array.from({ length: 20 }, (_, n) => kv.set(["key"], n)));
  assert.equal((await kv.get(["key"])).value, 19);
  assert.deepEqual(commits, [1, 19]);
});

Deno.test("a group keeps to the limits of one commit", async () => {
  using opened = await openGrouped();
  const { kv, commits } = opened;
  const large = new Uint8Array(60_000);
  await Promise.all(Array.from({ length: 40 }, (_, n) => kv.set(["large", n], large)));
  assert.equal(commits.reduce((sum, n) => sum + n), 40);
  assert.ok(commits.every((n) => n <= 10), `${commits}`);
  commits.length = 0;
  await Promise.all(Array.from({ length: 100 }, (_, n) => {
    const step = kv.atomic();
    for (let m = 0; m < 30; m++) step.check(free(["many", n, m])).set(["many", n, m], true);
    return step.commit();
  }));
  assert.ok(commits.every((n) => n <= 90), `${commits}`);
  commits.length = 0;
  await Promise.all(Array.from({ length: 100 }, (_, n) => kv.set(["few", n], n)));
  assert.deepEqual(commits, [1, 32, 32, 32, 3]);
});

Deno.test("a step that no KV takes fails by itself, whatever its group", async () => {
  using opened = await openGrouped();
  const { kv } = opened;
  const settled = await Promise.allSettled([
    kv.set(["first"], 1),
    kv.set(["a"], 1),
    kv.set(["large"], "x".repeat(70_000)),
    kv.set(["unserializable"], () => {}),
    kv.atomic().set(["b"], 1).commit(),
  ]);
  assert.deepEqual(settled.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  assert.match(String(settled[2]?.status === "rejected" && settled[2].reason), /too large/i);
  assert.equal((await kv.get(["a"])).value, 1);
  assert.equal((await kv.get(["b"])).value, 1);
  assert.throws(() => kv.atomic().enqueue("work"), TypeError);
});

Deno.test("a locked file fails steps with checks, and those without are tried by themselves", async () => {
  const locked = new TypeError("database is locked");
  using opened = await openGrouped((commit) => commit === 2 ? locked : undefined);
  const { kv, commits } = opened;
  const settled = await Promise.allSettled([
    kv.set(["first"], 1),
    kv.atomic().check(free(["a"])).set(["a"], 1).commit(),
    kv.set(["b"], 1),
    kv.atomic().check(free(["c"])).set(["c"], 1).commit(),
  ]);
  assert.deepEqual(settled.map((one) => one.status === "rejected" ? one.reason : "done"), [
    "done",
    locked,
    "done",
    locked,
  ]);
  assert.deepEqual(commits, [1, 3, 1]);
});

Deno.test("a disk that fails fails each step, and not the next ones", async () => {
  const full = new TypeError("database or disk is full");
  using opened = await openGrouped((commit) => commit < 7 ? full : undefined);
  const { kv } = opened;
  const settled = await Promise.allSettled(
    Array.from({ length: 5 }, (_, n) => kv.set(["n", n], n)),
  );
  assert.ok(settled.every((one) => one.status === "rejected" && one.reason === full));
  await kv.set(["well"], 1);
  assert.equal((await kv.get(["well"])).value, 1);
});

Deno.test("a step that cannot be looked at fails by itself, and keeps no other waiting", async () => {
  using opened = await openGrouped();
  const { kv } = opened;
  const broken = {
    type: "set",
    value: 1,
    get key(): Deno.KvKey {
      throw new Error("no key");
    },
  } as const;
  const first = kv.set(["first"], 1);
  const steps = [
    kv.atomic().mutate(broken).commit(),
    kv.set(["second"], 2),
    kv.atomic().mutate(broken).commit(),
  ];
  await first;
  const outcomes = await Promise.allSettled(steps);
  assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "fulfilled", "rejected"]);
  await kv.set(["third"], 3);
  const found = await all(kv.list<number>({ prefix: [] }));
  assert.deepEqual(found.map(({ value }) => value), [1, 2, 3]);
});
