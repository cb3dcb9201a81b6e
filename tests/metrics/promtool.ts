/** Debian's promtool, and its tests of rules over what gateways really showed. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { debianProgram } from "../debian.ts";

/** Where the rules and the dashboard are. */
export const docs = fileURLToPath(new URL("../../docs/monitoring/", import.meta.url));

const promtool = await debianProgram({
  name: "promtool",
  package: "prometheus",
  path: "usr/bin/promtool",
  probe: ["--version"],
});

/** Whether tests cannot run for want of promtool, and why: for the names of tests. */
export const missing = promtool.state === "missing"
  ? { ignore: true, reason: ` (${promtool.reason.split("\n")[0]})` }
  : { ignore: false, reason: "" };

/** Runs promtool; returns its words. Throws them where it fails. */
export async function run(args: readonly string[], stdin = ""): Promise<string> {
  assert.ok(promtool.state === "ready");
  const child = new Deno.Command(promtool.path, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [, done] = await Promise.all([
    new Blob([stdin]).stream().pipeTo(child.stdin),
    child.output(),
  ]);
  const words = new TextDecoder().decode(done.stdout) + new TextDecoder().decode(done.stderr);
  assert.equal(done.code, 0, words);
  return words;
}

/** One answer of `/metrics`, and for how many minutes each scrape looks like it. */
export interface Moment {
  /** Undefined where there was no answer. */
  readonly text: string | undefined;
  readonly minutes: number;
}

/** Series by their name with labels, with the values of each minute; `_` where there is none. */
export type Series = ReadonlyMap<string, readonly string[]>;

/** How long the last moments go on, in minutes. */
const lasts = 180;

/** Samples of a scrape: each series with its value. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

const isCounter = (series: string) => /^\w+(_total|_count|_bucket|_sum)\b/.test(series);

/**
 * What Prometheus would have where it scraped each minute: first the moments as they were, and then for
 * three hours the same again as between the last `period` moments: gauges repeat, counters grow on.
 */
export function seriesOf(moments: readonly Moment[], period = 1): Series {
  const scrapes = moments.flatMap(({ text, minutes }) =>
    Array.from({ length: minutes }, () => text === undefined ? undefined : samplesOf(text))
  );
  const names = new Set(scrapes.flatMap((samples) => [...samples?.keys() ?? []]));
  const all = new Map<string, string[]>();
  for (const name of names) {
    const values = scrapes.map((samples) => samples?.get(name));
    for (let minute = 0; minute < lasts; minute++) {
      const [then, before] = [values.at(-period), values.at(-period - 1)];
      const growth = then === undefined || before === undefined ? 0 : then - before;
      const last = values.at(-1);
      values.push(isCounter(name) && last !== undefined ? last + growth : then);
    }
    all.set(name, values.map((value) => value === undefined ? "_" : `${value}`));
  }
  const up = scrapes.map((samples) => samples ? "1" : "0");
  all.set("up", [...up, ...Array.from({ length: lasts }, () => up.at(-1) ?? "0")]);
  return all;
}

/** What is expected of a promtool expression at a minute: its one value. */
export interface Expected {
  readonly expr: string;
  readonly minute: number;
  readonly value: number;
}

/** A test of promtool over series. */
export function unitTest(name: string, series: Series, expected: readonly Expected[]): unknown {
  return {
    name,
    interval: "1m",
    input_series: [...series].map(([series, values]) => ({
      // As Prometheus adds the labels of its target.
      series: series.includes("{")
        ? series.replace("{", '{job="batchway",instance="a",')
        : `${series}{job="batchway",instance="a"}`,
      values: values.join(" "),
    })),
    promql_expr_test: expected.map(({ expr, minute, value }) => ({
      expr,
      eval_time: `${minute}m`,
      exp_samples: [{ labels: "{}", value }],
    })),
  };
}

/** Runs tests over the rules, in one run of promtool. */
export async function testRules(tests: readonly unknown[]): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".yml" });
  try {
    const file = { rule_files: [`${docs}alerts.yml`], evaluation_interval: "1m", tests };
    // YAML holds JSON.
    await Deno.writeTextFile(path, JSON.stringify(file));
    await run(["test", "rules", path]);
  } finally {
    await Deno.remove(path);
  }
}
