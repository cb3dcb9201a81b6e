import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { verdicts } from "../../bench/rows.ts";
import { median, quantile } from "../../bench/statistics.ts";
import { renderMarkdown } from "../../bench/table.ts";
import { runProgram } from "../program.ts";

const program = fileURLToPath(new URL("../../bench/main.ts", import.meta.url));

/** Runs the bench on one case. */
async function bench(...args: string[]) {
  const run = await runProgram(Deno.execPath(), [
    "run",
    "--no-prompt",
    "--cached-only",
    "-A",
    program,
    "--quick",
    ...args,
  ]);
  assert.equal(run.code, 0, run.stderr);
  return run.stdout;
}

Deno.test({
  name: "one command measures a case beside the reference and writes a table of ratios",
  // It reads /proc, as the table says.
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const report = JSON.parse(
        await bench("--only", "put-1k-forwarded", "--json", "--out", folder),
      );
      assert.deepEqual(
        report.rows.map(({ name, concurrency }: { name: string; concurrency: number }) =>
          `${name} ${concurrency}`
        ),
        ["put-1k-forwarded 8", "put-1k-forwarded 1"],
      );
      const [row] = report.rows;
      for (const figure of ["medianMs", "p99Ms", "ratio", "cpuUnits", "unitMs", "peakMb"]) {
        assert.ok(row.gateway[figure] > 0, figure);
      }
      assert.equal(row.gateway.providerCalls, 1);
      assert.equal(row.reference.name, "fetch");
      assert.ok(row.reference.figures.p99Ms >= row.reference.figures.medianMs);
      const figures = row.targets.map(({ figure }: { figure: string }) => figure);
      assert.deepEqual(figures, ["ratio", "cpuUnits"]);
      const markdown = await Deno.readTextFile(`${folder}/results.md`);
      assert.match(
        markdown,
        /^\| PutObject 1 KB, forwarded \| 8 \| [0-9]+ \| [0-9.]+ \/ [0-9.]+ \|/m,
      );
      assert.match(markdown, /speed ≥ 0\.85: (met|\*\*missed\*\*)/);
      assert.deepEqual(JSON.parse(await Deno.readTextFile(`${folder}/results.json`)), report);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("an unknown case is refused, with those that there are", async () => {
  const run = await runProgram(Deno.execPath(), ["run", "-A", program, "--only", "no-such-case"]);
  assert.equal(run.code, 1);
  assert.match(run.stderr, /put-1k-forwarded/);
});

Deno.test("a target is met at its very value, and one without a figure is left out", () => {
  const row = {
    name: "a",
    title: "A",
    concurrency: 1,
    requests: 2,
    gateway: { ratio: 0.85, p99Ms: 25.1 },
    targets: [
      { figure: "ratio", at: "least", value: 0.85 },
      { figure: "p99Ms", at: "most", value: 25 },
      { figure: "cpuUnits", at: "most", value: 1 },
    ],
  } as const;
  assert.deepEqual(verdicts(row).map(({ figure, met }) => [figure, met]), [
    ["ratio", true],
    ["p99Ms", false],
  ]);
  const text = renderMarkdown({ machine: {}, quick: false, rows: [row], notes: ["x"] });
  assert.match(text, /1 of 2 targets are met/);
  assert.match(text, /p99 ms ≤ 25: \*\*missed\*\*/);
});

Deno.test("medians and quantiles are values that were there, or the mean of two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(quantile([5, 1, 4, 2, 3], 0.99), 5);
  assert.equal(quantile([5, 1, 4, 2, 3], 0.5), 3);
  assert.equal(quantile([7], 0.01), 7);
});
