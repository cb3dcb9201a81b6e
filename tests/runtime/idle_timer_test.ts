import assert from "node:assert/strict";
import { createIdleTimer } from "../../runtime/idle_timer.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

Deno.test("a wait that lasts too long is reported once", async () => {
  const expired = Promise.withResolvers<void>();
  let times = 0;
  const timer = createIdleTimer(() => {
    times++;
    expired.resolve();
  });
  timer.start(5);
  await expired.promise;
  await pause(20);
  assert.equal(times, 1);
  timer.close();
});

Deno.test("waits that begin again, and one that was stopped, are not reported", async () => {
  let times = 0;
  const timer = createIdleTimer(() => times++);
  for (let n = 0; n < 5; n++) {
    timer.start(60_000);
    timer.stop();
  }
  timer.start(1);
  timer.stop();
  await pause(20);
  assert.equal(times, 0);
  timer.close();
});

Deno.test("a later wait that is shorter ends at its own time", async () => {
  const expired = Promise.withResolvers<void>();
  const timer = createIdleTimer(expired.resolve);
  timer.start(600_000);
  timer.start(5);
  await expired.promise;
  timer.close();
});

Deno.test("a wait that goes on when the timer of an earlier one fires is reported later", async () => {
  const expired = Promise.withResolvers<void>();
  let told = false;
  const timer = createIdleTimer(() => {
    told = true;
    expired.resolve();
  });
  timer.start(10);
  timer.stop();
  timer.start(600_000);
  await pause(30);
  assert.equal(told, false);
  timer.start(5);
  await expired.promise;
  timer.close();
});

Deno.test("a timer that is closed stays so, whatever starts it late", async () => {
  let times = 0;
  const closed = createIdleTimer(() => times++);
  const other = createIdleTimer(() => times++);
  closed.start(1);
  closed.close();
  closed.start(1);
  other.close();
  other.start(1);
  await pause(20);
  assert.equal(times, 0);
  // What would still wait is a leak that Deno reports.
  closed.start(600_000);
});
