/**
 * The alert rules and the dashboard of docs/monitoring, held to what a gateway really shows: promtool
 * checks both, and runs the rules on series of gateways that are well, and of faults.
 */
import assert from "node:assert/strict";
import { wellMinutes } from "./fault_world.ts";
import { allFaults, type Fault, well } from "./faults.ts";
import { docs, missing, run, seriesOf, testRules, unitTest } from "./promtool.ts";

const { ignore, reason } = missing;
const rules = await Deno.readTextFile(`${docs}alerts.yml`);
const allAlerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);

/** How many alerts with these labels have fired by a minute; each counts once. */
const fired = (labels: Readonly<Record<string, string>>) => {
  const all = Object.entries({ ...labels, alertstate: "firing" });
  const selector = all.map(([name, value]) => `${name}="${value}"`).join(",");
  return `count(last_over_time(ALERTS{${selector}}[4h])) or vector(0)`;
};

async function testOf({ what, alerts, happen, period }: Fault): Promise<unknown> {
  const series = seriesOf(await happen(), period);
  const end = (series.get("up")?.length ?? 0) - 1;
  const names = Object.entries(alerts);
  return unitTest(what, series, [
    { expr: fired({}), minute: wellMinutes - 1, value: 0 },
    ...names.map(([alertname, labels]) => ({
      expr: fired({ alertname, ...labels }),
      minute: end,
      value: 1,
    })),
    ...allAlerts.filter((one) => !Object.hasOwn(alerts, one)).map((alertname) => ({
      expr: fired({ alertname }),
      minute: end,
      value: 0,
    })),
  ]);
}

Deno.test({
  name: `each alert fires for its fault and for no other, and none where all is well${reason}`,
  ignore,
  async fn() {
    const faults = await allFaults();
    const caught = new Set(faults.flatMap(({ alerts }) => Object.keys(alerts)));
    assert.deepEqual(allAlerts.filter((name) => !caught.has(name)), []);
    // All of them end before one that fails fails the test.
    const tests = await Promise.allSettled([well, ...faults].map(testOf));
    await testRules(tests.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    }));
  },
});

Deno.test("each alert says how bad it is, what is wrong and what to do, with labels that it has", async () => {
  const faults = await allFaults();
  for (const [, name = "", text = ""] of rules.matchAll(/- alert: (\w+)([^]*?)(?=- alert|$)/g)) {
    assert.match(text, /severity: (?:warning|critical) /, name);
    assert.match(text, /summary: ".+"\n/, name);
    assert.match(text, /description: ".+\."\n/, name);
    const known = faults.flatMap(({ alerts }) => Object.keys(alerts[name] ?? {}));
    for (const [, label = ""] of text.matchAll(/\$labels\.(\w+)/g)) {
      assert.ok(known.includes(label), `${name} has no ${label}`);
    }
  }
});

Deno.test({
  name: `promtool finds nothing wrong with the rules${reason}`,
  ignore,
  fn: async () => void await run(["check", "rules", `${docs}alerts.yml`]),
});
