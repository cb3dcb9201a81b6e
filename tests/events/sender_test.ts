import assert from "node:assert/strict";
import { createCatalog } from "../../catalog/catalog.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { createClock } from "../../runtime/clock.ts";
import type { EventBody } from "../../events/body.ts";
import type { Delivery, Receiver } from "../../events/receiver.ts";
import { createSender, type Sender } from "../../events/sender.ts";
import { all, jobRecord, openCatalog, scope, sleep } from "../catalog/memory.ts";

type Send = (body: EventBody, signal: AbortSignal) => Promise<Delivery>;

const day = 24 * 3_600_000;
const refused: Delivery = { delivered: false, reason: "The receiver answers 503" };

/** Gateways on one catalog, with receivers that do what a test wants. */
async function world(receivers: Record<string, Send>) {
  const { kv, [Symbol.dispose]: close } = await openCatalog();
  const senders: Sender[] = [];
  const warnings: string[] = [];
  let ahead = 0;
  const clock = createClock({
    now: () => Date.now() + ahead,
    uptime: () => performance.now() + ahead,
  });
  const targets = Object.keys(receivers).map((id) => ({ id, name: id }));
  const catalog = createCatalog(kv, sleep, undefined, undefined, {
    targetsOf: () => targets,
    committed: () => senders.forEach((one) => one.wake()),
  });
  return {
    catalog,
    warnings,
    /** Lets time pass. */
    pass: (milliseconds: number) => void (ahead += milliseconds),
    start(names: readonly string[] = Object.keys(receivers)): Sender {
      const sender = createSender({
        catalog,
        clock,
        receivers: () =>
          names.map((id): Receiver => ({
            id,
            name: id,
            tenants: ["*"],
            send: receivers[id] ?? assert.fail(),
          })),
        instance: `gateway ${senders.length}`,
        leaseMilliseconds: 5_000,
        random: () => 0,
        warn: (message) => void warnings.push(message),
      });
      senders.push(sender);
      return sender;
    },
    /** A job that goes through three statuses. */
    async job(name: string): Promise<JobEntry> {
      const job = jobRecord(Date.now(), { name, status: "Submitted" });
      await catalog.journal.finish(scope, job);
      for (const status of ["InProgress", "Completed"] as const) {
        await catalog.jobs.update(scope, job.id, (old) => ({ ...old, status }));
      }
      return job;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(senders.map((one) => one.close()));
      close();
    },
  };
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail(`not in time: ${what}`);
}

/** Notes what comes, and answers. */
function recorder(
  answer: (event: EventBody) => Delivery | Promise<Delivery> = () => ({ delivered: true }),
) {
  const seen: string[] = [];
  const send: Send = async (body, signal) => {
    const ended = Promise.withResolvers<Delivery>();
    signal.addEventListener("abort", () => ended.reject(signal.reason));
    const given = await Promise.race([answer(body), ended.promise]);
    if (given.delivered) seen.push(`${body.detail.batchJobName} ${body.detail.status}`);
    return given;
  };
  return { seen, send, of: (name: string) => seen.filter((one) => one.startsWith(`${name} `)) };
}

const whole = (name: string) =>
  ["Submitted", "InProgress", "Completed"].map((one) => `${name} ${one}`);

Deno.test("events of a job come in order, once each, soon after they are written", async () => {
  const hook = recorder();
  await using gateway = await world({ hook: hook.send });
  const sender = gateway.start();
  await Promise.all(["a", "b", "c"].map(gateway.job));
  await until("all nine came", () => hook.seen.length >= 9);
  for (const name of ["a", "b", "c"]) assert.deepEqual(hook.of(name), whole(name));
  await until("none waits", async () => await sender.waiting() === 0);
  const done = await all(gateway.catalog.outbox.done());
  assert.deepEqual(new Set(done.map(({ entry }) => entry.outcome)), new Set(["delivered"]));
  assert.equal(done.length, 9);
});

Deno.test("a job whose event fails waits, and neither other jobs nor other receivers do", async () => {
  let isWell = false;
  const bad = recorder(({ detail }) =>
    detail.batchJobName === "a" && !isWell ? refused : { delivered: true }
  );
  const dead = recorder(() => refused);
  const held = Promise.withResolvers<Delivery>();
  const slow = recorder(() => held.promise);
  const good = recorder();
  await using gateway = await world({
    bad: bad.send,
    dead: dead.send,
    slow: slow.send,
    good: good.send,
  });
  gateway.start();
  await gateway.job("a");
  await gateway.job("b");
  await until("others went on", () => good.seen.length === 6 && bad.of("b").length === 3);
  // What comes while a receiver is being waited for goes to the others at once.
  await gateway.job("c");
  await until("others still go on", () => good.seen.length === 9 && bad.of("c").length === 3);
  assert.deepEqual(bad.of("a"), []);
  assert.deepEqual(dead.seen, []);
  isWell = true;
  await until("its turn comes", () => bad.of("a").length === 3);
  assert.deepEqual(bad.of("a"), whole("a"));
  held.resolve({ delivered: true });
  await until("the slow one has all", () => slow.seen.length === 9);
  for (const name of ["a", "b", "c"]) assert.deepEqual(slow.of(name), whole(name));
});

Deno.test("an event is given up after a day, is named, and the next of its job goes out", async () => {
  const hook = recorder(({ detail }) =>
    detail.status === "Submitted" ? refused : { delivered: true }
  );
  await using gateway = await world({ hook: hook.send });
  const sender = gateway.start();
  await gateway.job("a");
  await until("it was tried", () => gateway.warnings.length > 0);
  assert.equal(await sender.waiting(), 3);
  gateway.pass(day);
  sender.wake();
  await until("the others went out", () => hook.seen.length === 2);
  assert.equal(sender.givenUp(), 1);
  assert.match(gateway.warnings.join(), /given up/);
  const [first] = await all(gateway.catalog.outbox.done());
  assert.equal(first?.entry.outcome, "given-up");
  assert.equal(first?.entry.error, "The receiver answers 503");
});

Deno.test("a receiver that asks for patience gets it, and 410 does not end it", async () => {
  let tries = 0;
  const hook = recorder(() => {
    tries++;
    return tries === 1
      ? {
        delivered: false,
        reason: "The receiver answers 410",
        isGone: true,
        retryAfter: 3_600_000,
      }
      : { delivered: true };
  });
  await using gateway = await world({ hook: hook.send });
  const sender = gateway.start();
  await gateway.job("a");
  await until("it was tried", () => gateway.warnings.length > 0);
  assert.match(gateway.warnings.join(), /gone/);
  gateway.pass(3_500_000);
  sender.wake();
  const [first] = await all(gateway.catalog.outbox.waiting("hook"));
  assert.equal(first?.entry.tries, 1);
  gateway.pass(200_000);
  sender.wake();
  await until("all came", () => hook.seen.length === 3);
});

Deno.test("of two gateways one sends, and what a dead one left the other sends", async () => {
  let underWay = 0;
  let most = 0;
  const hook = recorder(async () => {
    most = Math.max(most, ++underWay);
    await sleep(5);
    underWay--;
    return { delivered: true };
  });
  await using gateway = await world({ hook: hook.send });
  gateway.start();
  gateway.start();
  await gateway.job("a");
  await until("all came", () => hook.seen.length >= 3);
  assert.equal(most, 1);
  assert.deepEqual(hook.seen, whole("a"));
});

Deno.test("what no receiver is configured for waits a day, and is then given up", async () => {
  await using gateway = await world({ gone: () => Promise.resolve(refused) });
  const sender = gateway.start([]);
  await gateway.job("a");
  sender.sweep();
  await sleep(30);
  assert.equal(await sender.waiting(), 3);
  gateway.pass(day);
  sender.sweep();
  await until("none waits", async () => await sender.waiting() === 0);
  assert.equal(sender.givenUp(), 3);
  gateway.pass(8 * day);
  sender.sweep();
  await until(
    "all are forgotten",
    async () => (await all(gateway.catalog.outbox.done())).length === 0,
  );
});

Deno.test("a replay that another process asked for goes out without a sweep, once each", async () => {
  const hook = recorder();
  await using gateway = await world({ hook: hook.send });
  gateway.start();
  gateway.start();
  await gateway.job("a");
  const delivered = async () => await all(gateway.catalog.outbox.done());
  await until("all came", async () => (await delivered()).length === 3);
  for (const round of [2, 3]) {
    for (const { key, scope, number, entry } of await delivered()) {
      const targets = [{ id: "hook", name: "hook" }];
      await gateway.catalog.outbox.sendAgain(scope, number, entry.event, targets, 1, [key]);
    }
    await until("all came again", async () => (await delivered()).length === 3);
    assert.equal(hook.seen.length, 3 * round);
  }
});
