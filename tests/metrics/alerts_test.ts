/**
 * The alert rules and the dashboard of docs/monitoring, held to what a gateway really shows: promtool
 * checks both, and runs the rules on series of gateways that are well, and whose providers fail.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { debianProgram } from "../debian.ts";
import { startTestGateway, type TestGatewayOptions } from "../gateway.ts";
import { converse, createClient } from "../jobs/sharded/client.ts";
import { attempt } from "../program.ts";

const docs = fileURLToPath(new URL("../../docs/monitoring/", import.meta.url));
const promtool = await debianProgram({
  name: "promtool",
  package: "prometheus",
  path: "usr/bin/promtool",
  probe: ["--version"],
});
const ignore = promtool.state === "missing";
const reason = promtool.state === "missing" ? ` (${promtool.reason.split("\n")[0]})` : "";

/** Runs promtool; returns its words. Throws them where it fails. */
async function run(args: readonly string[], stdin?: string): Promise<string> {
  assert.ok(promtool.state === "ready");
  if (stdin === undefined) {
    const done = await attempt(promtool.path, args);
    assert.equal(done?.code, 0, `${done?.stdout}${done?.stderr}`);
    return `${done?.stdout}`;
  }
  const options = {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  } satisfies Deno.CommandOptions;
  const child = new Deno.Command(promtool.path, options).spawn();
  const [, done] = await Promise.all([
    new Blob([stdin]).stream().pipeTo(child.stdin),
    child.output(),
  ]);
  const words = new TextDecoder().decode(done.stdout) + new TextDecoder().decode(done.stderr);
  assert.equal(done.code, 0, words);
  return words;
}

/** What a gateway shows after some work. */
async function scrapeAfter(
  options: TestGatewayOptions,
  work: (url: string) => Promise<void>,
): Promise<string> {
  const env = { BATCHWAY_ADMIN_PORT: "0", ...options.env };
  const gateway = await startTestGateway({ ...options, env });
  try {
    await work(gateway.url);
    return await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  } finally {
    await gateway.stop();
  }
}

async function runJob(url: string): Promise<void> {
  const client = createClient(url);
  await client.put("openai", "bucket/in.jsonl", converse("a", "one"));
  await client.ended(
    "openai",
    await client.create("openai", "gpt-4o-mini", "s3://bucket/in.jsonl"),
  );
}

const listFiles = async (url: string) => {
  const headers = { "x-model-provider": "openai" };
  const answer = await fetch(`${url}/bedrock/files/openai-files`, { headers });
  await answer.body?.cancel();
};

const scrapes = {
  well: () => scrapeAfter({}, runJob),
  refused: () => scrapeAfter({ env: { OPENAI_API_KEY: "sk-wrong" } }, listFiles),
  unreachable: () => scrapeAfter({ env: { OPENAI_BASE_URL: "http://127.0.0.1:1/v1" } }, listFiles),
};

/** Samples of a scrape: each series with its value. */
function samplesOf(text: string): [series: string, value: number][] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  });
}

/** Names of alerts that fire where these series stay as they are, and counters grow each minute. */
function unitTest(text: string, alerts: readonly string[], quiet: readonly string[]): unknown {
  const isCounter = (series: string) => /^\w+(_total|_count|_bucket|_sum)\b/.test(series);
  const series = samplesOf(text).map(([series, value]) => ({
    // As Prometheus adds the labels of its target.
    series: series.includes("{")
      ? series.replace("{", '{job="batchway",instance="a",')
      : `${series}{job="batchway",instance="a"}`,
    values: isCounter(series) ? `0+${value}x60` : `${value}x60`,
  }));
  return {
    rule_files: [`${docs}alerts.yml`],
    evaluation_interval: "1m",
    tests: [{
      interval: "1m",
      input_series: series,
      promql_expr_test: [...alerts, ...quiet].map((alertname) => ({
        expr: `count(ALERTS{alertname="${alertname}",alertstate="firing"}) > 0 or vector(0)`,
        eval_time: "50m",
        exp_samples: [{
          labels: "{}",
          // One account, or one provider, is at fault in each of these tests.
          value: alerts.includes(alertname) ? 1 : 0,
        }],
      })),
    }],
  };
}

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
  const known = families(await scrapes.well());
  const rules = await Deno.readTextFile(`${docs}alerts.yml`);
  const dashboard: { panels: { title: string; targets: { expr: string }[] }[] } = JSON.parse(
    await Deno.readTextFile(`${docs}grafana.json`),
  );
  const expressions = [
    rules,
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  for (const expression of expressions) {
    for (const name of metricsIn(expression)) assert.ok(known.has(name), `${name} is not shown`);
  }
  assert.ok(dashboard.panels.every(({ targets }) => targets.length > 0));
});

Deno.test({
  name: `promtool finds nothing wrong with a scrape and with the rules${reason}`,
  ignore,
  async fn() {
    await run(["check", "metrics"], await scrapes.well());
    await run(["check", "rules", `${docs}alerts.yml`]);
  },
});

const all = [
  "BatchwayAccountSetAside",
  "BatchwayProviderFails",
  "BatchwayProviderThrottles",
  "BatchwayJobsFail",
  "BatchwaySweepLags",
  "BatchwayErrors",
  "BatchwayEventsWait",
  "BatchwayJobStuck",
];
const faults = [
  ["none where all is well", scrapes.well, []],
  ["one for an account whose key is refused", scrapes.refused, ["BatchwayAccountSetAside"]],
  ["one for a provider that cannot be reached", scrapes.unreachable, ["BatchwayProviderFails"]],
] as const;

for (const [what, scrape, alerts] of faults) {
  Deno.test({
    name: `of the alerts fires ${what}${reason}`,
    ignore,
    async fn() {
      const path = await Deno.makeTempFile({ suffix: ".yml" });
      try {
        const quiet = all.filter((name) => !(alerts as readonly string[]).includes(name));
        const test = unitTest(await scrape(), alerts, quiet);
        // YAML holds JSON.
        await Deno.writeTextFile(path, JSON.stringify(test));
        await run(["test", "rules", path]);
      } finally {
        await Deno.remove(path);
      }
    },
  });
}
