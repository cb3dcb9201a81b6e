/** The dashboard for Grafana, held to what a gateway really shows. */
import assert from "node:assert/strict";
import { well } from "./faults.ts";
import { docs, missing, type Moment, run, seriesOf, testRules, unitTest } from "./promtool.ts";

const { ignore, reason } = missing;

/** What Grafana writes into expressions. */
const variables: Readonly<Record<string, string>> = { $__rate_interval: "5m", $__interval: "1m" };

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  await Deno.readTextFile(`${docs}grafana.json`),
);
const panels = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({
    title,
    expr: Object.entries(variables).reduce(
      (text, [name, value]) => text.replaceAll(name, value),
      expr,
    ),
  }))
);

let worked: Promise<readonly Moment[]> | undefined;
/** What a gateway shows that has worked. */
const moments = () => worked ??= well.happen();
const textOf = (all: readonly Moment[]) => all.at(-1)?.text ?? assert.fail("no scrape");

const families = (text: string) =>
  new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
    ),
  );

/** Names of our metrics in an expression. */
const metricsIn = (text: string) =>
  new Set([...text.matchAll(/\b(?:batchway|process)_[a-z_]+/g)].map(([name]) => name));

Deno.test("rules and dashboard name only metrics that a gateway shows", async () => {
  const known = families(textOf(await moments()));
  const rules = await Deno.readTextFile(`${docs}alerts.yml`);
  for (const expression of [rules, ...panels.map(({ expr }) => expr)]) {
    for (const name of metricsIn(expression)) assert.ok(known.has(name), `${name} is not shown`);
  }
  assert.ok(dashboard.panels.every(({ targets }) => targets.length > 0));
});

Deno.test("the page of figures has each one that a gateway shows, with its type and its labels", async () => {
  const text = textOf(await moments());
  const page = await Deno.readTextFile(`${docs}../monitoring.md`);
  const rows = [...page.matchAll(/^\| (`(?:batchway|process)_.+?) +\| +(\w*) +\| +(.*?) *\|/gm)]
    .map(([, names = "", type = "", labels = ""]) => ({
      names: named(names),
      type,
      labels: named(labels).toSorted(),
    }));
  for (const [, name = "", type = ""] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const row = rows.find(({ names }) => names.includes(name));
    if (row === undefined) {
      assert.ok(page.includes(`\`${name}\``), `${name} is not on the page`);
      continue;
    }
    if (row.type !== "") assert.equal(type, row.type, name);
    const sample = new RegExp(`^${name}(?:_sum)?(?:{(.*)})? `, "m").exec(text);
    if (sample === null) continue;
    const shown = [...(sample[1] ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label);
    assert.deepEqual(shown.toSorted(), row.labels, name);
  }
  const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  // Where the process may not read them, they are not there.
  const others = rows.flatMap(({ names }) => names).filter((name) => !/_fds$/.test(name));
  assert.deepEqual(others.filter((name) => !known.has(name)), []);
  assert.ok(others.length > 25);
});

const named = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);

Deno.test({
  name: `promtool finds nothing wrong with what a gateway shows${reason}`,
  ignore,
  fn: async () => void await run(["check", "metrics"], textOf(await moments())),
});

Deno.test({
  name: `each panel of the dashboard has samples of a gateway that works${reason}`,
  ignore,
  async fn() {
    const series = seriesOf(await moments());
    const expected = panels.map(({ expr }) => ({
      expr: `count(${expr}) > bool 0`,
      minute: 60,
      value: 1,
    }));
    assert.ok(expected.length > 10);
    await testRules([unitTest("dashboard", series, expected)]);
  },
});
