import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createCatalog } from "../../catalog/catalog.ts";
import { openKv } from "../../catalog/kv.ts";
import { parseUsageArguments } from "../../commands/usage_arguments.ts";
import { written } from "../../commands/usage_output.ts";
import { UsageError } from "../../config/arguments.ts";
import { sleep, temporaryFolder } from "../catalog/memory.ts";
import { runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../batchway.ts", import.meta.url));
const now = Date.parse("2026-11-15T23:30:00Z");

Deno.test("the present month by tenant, provider and model is shown where nothing is asked for", () => {
  const by = ["tenant", "provider", "model"];
  const query = (...args: string[]) => parseUsageArguments(args, now).query;
  assert.deepEqual(query(), { from: "2026-11-01", to: "2026-11-15", by });
  assert.deepEqual(query("--to", "2026-02-10"), { from: "2026-02-01", to: "2026-02-10", by });
  assert.deepEqual(query("--from", "2026-10-30"), { from: "2026-10-30", to: "2026-11-15", by });
  assert.deepEqual(query("--by", "day, key").by, ["day", "key"]);
});

Deno.test("a command line that is not understood says what to write", () => {
  for (
    const [args, said] of [
      [["--form", "2026-01-01"], /--form.*nearest is --from/],
      [["--from", "1.11.2026"], /--from must be a date such as/],
      [["--by", "tenants"], /nearest is tenant/],
      [["--json", "--csv"], /exclude each other/],
      [["november"], /takes options only/],
    ] as const
  ) {
    const wrong = (error: unknown) => error instanceof UsageError && said.test(error.message);
    assert.throws(() => parseUsageArguments(args, now), wrong, args.join(" "));
  }
});

const row = {
  jobs: 1,
  records: 3,
  succeeded: 2,
  failed: 1,
  inputTokens: 10,
  cachedInputTokens: 4,
  outputTokens: 5,
  cost: 1.5e-7,
};

Deno.test("CSV is RFC 4180's, and no cell of it is a formula", () => {
  const rows = [
    { model: '=HYPERLINK("http://x")', ...row },
    { model: "a,b", ...row, cost: null },
    { model: "+1\n", ...row, cost: 2 },
    { model: "plain", ...row, cost: 0.25 },
  ];
  const lines = written({ rows }, ["model"], "csv").split("\r\n");
  assert.equal(
    lines[0],
    "model,jobs,records,succeeded,failed,inputTokens,cachedInputTokens,outputTokens,cost",
  );
  assert.deepEqual(lines.slice(1), [
    `"'=HYPERLINK(""http://x"")",1,3,2,1,10,4,5,0.00000015`,
    `"a,b",1,3,2,1,10,4,5,`,
    `"'+1\n",1,3,2,1,10,4,5,2`,
    `plain,1,3,2,1,10,4,5,0.25`,
  ]);
});

Deno.test("the command reads the catalog, and names models without a price", async () => {
  await using folder = await temporaryFolder();
  const data = `${folder.path}/data`;
  await Deno.mkdir(data);
  const kv = await openKv(`${data}/catalog.kv`);
  const { usage } = createCatalog(kv, sleep);
  const arn = "arn:aws:bedrock:us-west-2:123456789012:model-invocation-job/abcdefghijkl";
  const entry = { tenant: "team", model: "m", output: "", createdAt: 0, nextAt: 0, tries: 0 };
  await usage.remember("aws", arn, entry);
  const tokens = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5 };
  const run = { provider: "aws", succeeded: 2, failed: 0, ...tokens };
  const ended = { id: "abcdefghijkl" as Parameters<typeof usage.count>[1]["id"], endedAt: now };
  await usage.count({ provider: "aws", arn }, ended, {
    model: "m",
    runs: [{ ...run, model: "m", price: { input: 100, output: 200 } }, { ...run, model: "odd" }],
  });
  kv.close();
  const usageOf = (...args: string[]) =>
    runProgram(
      Deno.execPath(),
      ["run", "--no-prompt", "--cached-only", "-A", program, "usage", ...args],
      { HOME: Deno.env.get("HOME") ?? "/", NO_COLOR: "1", BATCHWAY_DATA: data, ...cache },
    );
  const range = ["--from", "2026-11-01", "--to", "2026-11-15"];
  const json = await usageOf(...range, "--json");
  assert.equal(json.code, 0, json.stderr);
  const { rows } = JSON.parse(json.stdout);
  const of = (model: string) => rows.find((one: { model: string }) => one.model === model);
  assert.deepEqual(of("m"), {
    tenant: "team",
    provider: "aws",
    model: "m",
    jobs: 1,
    records: 2,
    succeeded: 2,
    failed: 0,
    ...tokens,
    cost: 0.002,
  });
  assert.deepEqual([of("odd").jobs, of("odd").cost], [0, null]);
  assert.match(json.stderr, /No price was known for odd/);
  const table = await usageOf(...range, "--by", "tenant");
  assert.match(table.stdout, /^tenant +jobs +records.*\nteam +1 +4 /);
  assert.equal((await usageOf("--by", "months")).code, 2);
});

const cache = Deno.env.has("DENO_DIR") ? { DENO_DIR: Deno.env.get("DENO_DIR") ?? "" } : {};
