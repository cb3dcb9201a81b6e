import assert from "node:assert/strict";
import { createRateLimit } from "../../access/rate_limit.ts";

Deno.test("a principal may send its rate, a second's worth at once after a pause", () => {
  let now = 0;
  const limit = createRateLimit(2, () => now);
  assert.equal(limit.take("a"), undefined);
  assert.equal(limit.take("a"), undefined);
  assert.equal(limit.take("a"), 0.5);
  now += 250;
  assert.equal(limit.take("a"), 0.25);
  now += 250;
  assert.equal(limit.take("a"), undefined);
  now += 3_600_000;
  assert.deepEqual([1, 2, 3].map(() => limit.take("a")), [undefined, undefined, 0.5]);
});

Deno.test("one principal's requests are not counted against another's", () => {
  const limit = createRateLimit(1, () => 0);
  assert.equal(limit.take("a"), undefined);
  assert.equal(limit.take("b"), undefined);
  assert.equal(limit.take("a"), 1);
});

Deno.test("a rate below one a second lets one through in its time", () => {
  let now = 0;
  const limit = createRateLimit(0.1, () => now);
  assert.equal(limit.take("a"), undefined);
  assert.equal(limit.take("a"), 10);
  now += 10_000;
  assert.equal(limit.take("a"), undefined);
});

Deno.test("a clock that is set back gives and takes nothing", () => {
  let now = 1_000;
  const limit = createRateLimit(1, () => now);
  limit.take("a");
  now = 0;
  assert.equal(limit.take("a"), 1);
});

Deno.test("without a limit every request passes", () => {
  const limit = createRateLimit(null, () => 0);
  for (let n = 0; n < 1000; n++) assert.equal(limit.take("a"), undefined);
});
