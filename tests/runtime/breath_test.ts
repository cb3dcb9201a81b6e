import { equal, rejects } from "node:assert/strict";
import { createBreath, holdMilliseconds } from "../../runtime/breath.ts";

Deno.test("work pauses once its time is over, and then begins to count again", async () => {
  let time = 0;
  let turns = 0;
  const breath = createBreath({ now: () => time, turn: () => Promise.resolve(void turns++) });
  await breath.take();
  equal(turns, 0);
  time = holdMilliseconds - 1;
  await breath.take();
  equal(turns, 0);
  time = holdMilliseconds;
  equal(breath.isDue(), true);
  await breath.take();
  equal(turns, 1);
  equal(breath.isDue(), false);
  await breath.take();
  equal(turns, 1);
});

Deno.test("in a pause others have their turn", async () => {
  let time = 0;
  const breath = createBreath({ now: () => time });
  time = holdMilliseconds;
  const order: string[] = [];
  const timer = new Promise<void>((resolve) =>
    setTimeout(() => {
      order.push("other");
      resolve();
    }, 0)
  );
  await breath.take();
  order.push("work");
  await timer;
  equal(order.join(), "other,work");
});

Deno.test("work whose callers have all gone ends at its next pause", async () => {
  let time = 0;
  const gone = new AbortController();
  const breath = createBreath({ signal: gone.signal, now: () => time });
  gone.abort(new Error("the client has gone"));
  await breath.take();
  time = holdMilliseconds;
  await rejects(breath.take(), /the client has gone/);
});
