import assert from "node:assert/strict";
import { createRegistry, labels } from "../../metrics/registry.ts";
import { seldom } from "../../metrics/seldom.ts";

Deno.test("quotes, backslashes and line feeds in labels are escaped", () => {
  assert.equal(labels({ a: 'x"y', b: "\\", c: "1\n2" }), 'a="x\\"y",b="\\\\",c="1\\n2"');
});

Deno.test("a histogram's buckets hold what the lesser ones hold, with and without labels", async () => {
  const registry = createRegistry();
  const seconds = registry.histogram("wait_seconds", "Waits.", [1, 5]);
  for (const value of [0.5, 1, 3, 9]) seconds.observe("", value);
  seconds.observe('of="a"', 2);
  assert.equal(
    await registry.render(),
    [
      "# HELP wait_seconds Waits.",
      "# TYPE wait_seconds histogram",
      'wait_seconds_bucket{le="1"} 2',
      'wait_seconds_bucket{le="5"} 3',
      'wait_seconds_bucket{le="+Inf"} 4',
      "wait_seconds_sum 13.5",
      "wait_seconds_count 4",
      'wait_seconds_bucket{of="a",le="1"} 0',
      'wait_seconds_bucket{of="a",le="5"} 1',
      'wait_seconds_bucket{of="a",le="+Inf"} 1',
      'wait_seconds_sum{of="a"} 2',
      'wait_seconds_count{of="a"} 1',
      "",
    ].join("\n"),
  );
});

Deno.test("no name is given out twice, and a cleared gauge shows nothing", async () => {
  const registry = createRegistry();
  const gauge = registry.gauge("a", "A.");
  assert.throws(() => registry.counter("a", "B."), /a exists already/);
  gauge.set("", 3);
  gauge.clear();
  assert.equal(await registry.render(), "# HELP a A.\n# TYPE a gauge\n");
});

Deno.test("work for scrapes takes a fiftieth of the time, and scrapes at once share it", async () => {
  let time = 0;
  let done = 0;
  const work = seldom(async () => {
    await Promise.resolve();
    done++;
    time += 100;
  }, () => time);
  await Promise.all([work(), work(), work()]);
  assert.equal(done, 1);
  time += 4_999;
  await work();
  assert.equal(done, 1);
  time += 1;
  await work();
  assert.equal(done, 2);
});

Deno.test("work that hangs or fails keeps no scrape waiting", async () => {
  const held = Promise.withResolvers<void>();
  await seldom(() => held.promise, () => 0, 1)();
  held.resolve();
  await seldom(() => Promise.reject(new Error("no catalog")), () => 0)();
});
