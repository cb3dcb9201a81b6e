import assert from "node:assert/strict";
import { onDisk } from "../../catalog/disk_kv.ts";
import { groupCommits } from "../../catalog/grouped_kv.ts";
import { kvOver } from "../../catalog/kv.ts";
import { createDisk, isDiskFailure } from "../../runtime/disk.ts";

const key = ["a"];

/** A KV that throws what the test sets, in place of each call. */
async function world(use: (kv: Deno.Kv, state: State) => Promise<void>): Promise<void> {
  const real = await Deno.openKv(":memory:");
  const state: State = { error: undefined, disk: createDisk("the catalog") };
  const instead = <Result>(call: () => Promise<Result>) =>
    state.error ? Promise.reject(state.error) : call();
  const broken = kvOver(real, {
    get: (key, options) => instead(() => real.get(key, options)),
    getMany: (keys, options) => instead(() => real.getMany(keys, options)),
    set: (key, value) => instead(() => real.set(key, value)),
    delete: (key) => instead(() => real.delete(key)),
    list<Value>(selector: Deno.KvListSelector) {
      const entries = real.list<Value>(selector);
      const next = entries.next.bind(entries);
      return Object.assign(entries, { next: () => instead(next) });
    },
    atomic() {
      const step = real.atomic();
      const commit = step.commit.bind(step);
      return Object.assign(step, { commit: () => instead(commit) });
    },
  });
  try {
    await use(groupCommits(onDisk(broken, state.disk)), state);
  } finally {
    real.close();
  }
}

interface State {
  error: Error | undefined;
  readonly disk: ReturnType<typeof createDisk>;
}

const calls: Readonly<Record<string, (kv: Deno.Kv) => Promise<unknown>>> = {
  get: (kv) => kv.get(key),
  getMany: (kv) => kv.getMany([key]),
  list: (kv) => Array.fromAsync(kv.list({ prefix: [] })),
  set: (kv) => kv.set(key, 1),
  delete: (kv) => kv.delete(key),
  atomic: (kv) => kv.atomic().check({ key, versionstamp: null }).set(key, 1).commit(),
  "many in a group": (kv) => Promise.all([1, 2, 3].map((n) => kv.set(["group", n], n))),
};

for (const [name, call] of Object.entries(calls)) {
  Deno.test(`${name} on a disk that fails reports a failure of the disk, and goes on afterwards`, async () => {
    await world(async (kv, state) => {
      const isRead = ["get", "getMany", "list"].includes(name);
      for (const message of ["database or disk is full", "disk I/O error"]) {
        state.error = new TypeError(message);
        await assert.rejects(call(kv), isDiskFailure);
        assert.equal(state.disk.trouble() === undefined, isRead);
        state.error = undefined;
        await call(kv);
        assert.equal(state.disk.trouble(), undefined);
      }
      state.error = new TypeError("Value too large");
      await assert.rejects(call(kv), (error) => error === state.error);
    });
  });
}
