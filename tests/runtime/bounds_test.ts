import assert from "node:assert/strict";
import { bounds } from "../../runtime/bounds.ts";
import { defaultTimeouts } from "../../providers/timeouts.ts";

/** A bound as documents write it, by the unit at the end of its name. */
function written(name: string, value: number): string {
  if (name.endsWith("Milliseconds")) {
    if (value % 3_600_000 === 0) return `${value / 3_600_000} h`;
    return value > 120_000 ? `${value / 60_000} min` : `${value / 1000} s`;
  }
  if (name.endsWith("PerSecond")) return `${value / 1024} KiB/s`;
  if (!name.endsWith("Bytes")) return `${value}`;
  return value % 2 ** 30 === 0 ? `${value / 2 ** 30} GiB` : `${value / 2 ** 20} MiB`;
}

/** The cells of the rows below a heading. */
function tableBelow(text: string, heading: string): string[][] {
  const [, section = ""] = text.split(`\n${heading}\n`);
  return (section.split("\n## ")[0] ?? "").split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("the table of bounds names every bound with its value, and says what a client sees", async () => {
  const url = new URL("../../docs/reliability.md", import.meta.url);
  const rows = tableBelow(await Deno.readTextFile(url), "## Bounds");
  const told = rows.map(([name, value]) => `${name} ${value}`);
  const real = Object.entries(bounds).map(([name, value]) => `\`${name}\` ${written(name, value)}`);
  assert.deepEqual(told.sort(), real.sort());
  for (const row of rows) {
    assert.equal(row.length, 4);
    assert.ok(row.every((cell) => cell !== ""), `${row[0]}`);
  }
});

Deno.test("the document on security sends its readers to that table", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/security.md", import.meta.url));
  assert.match(text, /\(reliability\.md#bounds\)/);
});

Deno.test("three attempts of a call are over before the 60 seconds that boto3 waits", () => {
  assert.ok(3 * bounds.callMilliseconds < 60_000);
  assert.equal(defaultTimeouts.callMilliseconds, bounds.callMilliseconds);
});
