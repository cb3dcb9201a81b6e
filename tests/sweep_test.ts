import assert from "node:assert/strict";
import { trustedClock } from "../runtime/clock.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { createLog } from "../log.ts";
import type { Objects } from "../objects/objects.ts";
import { startSweep } from "../sweep.ts";
import { openCatalog, sleep } from "./catalog/memory.ts";
import { gate } from "./double.ts";

/** A sweep whose work the test does itself. */
async function world(work: { jobs?: Jobs["sweep"]; objects?: Objects["sweep"] }) {
  const open = await openCatalog();
  const state = { time: 10_000, closed: false, leftNothing: true, logged: [] as string[] };
  const sweep = startSweep({
    catalog: open.catalog,
    instance: "one",
    clock: trustedClock(() => state.time),
    log: createLog({
      format: "json",
      now: () => new Date(0),
      write: (line) => state.logged.push(line),
    }),
    jobs: {
      sweep: work.jobs ?? (() => Promise.resolve()),
      close: () => state.closed = true,
    } as unknown as Jobs,
    objects: {
      sweep: work.objects ?? (() => Promise.resolve()),
      leftNothing: () => state.leftNothing,
    } as unknown as Objects,
  }, 0);
  const { instances } = open.catalog;
  return {
    state,
    seenAt: async () => (await instances.all())[0]?.record.seenAt,
    async stop() {
      await sweep.stop();
      const left = (await instances.all()).map(({ id }) => id);
      open[Symbol.dispose]();
      return left;
    },
  };
}

async function until(ask: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 400; n++) {
    if (await ask()) return;
    await sleep(25);
  }
  throw new Error("In ten seconds it did not happen");
}

Deno.test("a process whose sweep takes long still says that it is alive", async () => {
  const held = gate();
  const { state, seenAt, stop } = await world({ jobs: () => held.wait() });
  await held.reached;
  assert.equal(await seenAt(), 10_000);
  state.time = 20_000;
  await until(async () => await seenAt() === 20_000);
  held.open();
  await stop();
});

Deno.test("a sweep that fails is logged, and the next one follows", async () => {
  let sweeps = 0;
  const deadlines: number[] = [];
  const { state, stop } = await world({
    jobs: () => ++sweeps === 1 ? Promise.reject(new Error("broken")) : Promise.resolve(),
    objects: (deadline) => Promise.resolve(void deadlines.push(deadline)),
  });
  await until(() => Promise.resolve(deadlines.length > 0));
  await stop();
  assert.match(state.logged.join(), /A sweep was cut short/);
  // Three seconds of silence at the least.
  assert.equal(deadlines[0], 7_000);
});

Deno.test("a process says farewell only if it leaves nothing behind, and closes what hangs", async () => {
  for (const leftNothing of [true, false]) {
    const hanging = (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve());
      });
    const { state, seenAt, stop } = await world({ jobs: hanging });
    await until(async () => await seenAt() !== undefined);
    state.leftNothing = leftNothing;
    assert.deepEqual(await stop(), leftNothing ? [] : ["one"]);
    assert.ok(state.closed);
  }
});

Deno.test("a part of the sweep that fails every time keeps neither the others nor the next round", async () => {
  const rounds = { jobs: 0, objects: 0 };
  const { state, stop } = await world({
    jobs() {
      rounds.jobs++;
      return Promise.reject(new Error("the jobs"));
    },
    objects() {
      rounds.objects++;
      throw new Error("the objects");
    },
  });
  await until(() => Promise.resolve(rounds.objects >= 2));
  assert.ok(rounds.jobs >= 2);
  for (const what of ["the jobs", "the objects"]) {
    assert.ok(state.logged.some((line) => line.includes(what)), what);
  }
  await stop();
});
