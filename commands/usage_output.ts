/** Usage as text: a table for people, JSON and CSV for programs. */
import type { UsageAnswer, UsageSum } from "../accounts/sum.ts";
import type { UsageFormat } from "./usage_arguments.ts";

type Cell = string | number | null;

/** Writes an answer. */
export function written(
  { rows }: Pick<UsageAnswer, "rows">,
  by: readonly string[],
  format: UsageFormat,
): string {
  return writers[format](rows, by);
}

type Writer = (rows: readonly UsageSum[], by: readonly string[]) => string;

const writers: Readonly<Record<UsageFormat, Writer>> = {
  json: (rows) => JSON.stringify({ rows }),
  csv: (rows, by) => {
    const names = columnsOf(by);
    const lines = rows.map((row) => cellsOf(row, names).map(csvCell).join(","));
    return [names.join(","), ...lines].join("\r\n");
  },
  table: (rows, by) => {
    if (rows.length === 0) return "No job ended in these days";
    const names = columnsOf(by);
    const cells = rows.map((row) => cellsOf(row, names).map(tableCell));
    return aligned([names, ...cells], by.length);
  },
};

const sums = [
  "jobs",
  "records",
  "succeeded",
  "failed",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "cost",
] as const;

function columnsOf(by: readonly string[]): readonly string[] {
  return [...by, ...sums];
}

function cellsOf(row: UsageSum, names: readonly string[]): Cell[] {
  const cells = new Map<string, Cell>(Object.entries(row));
  return names.map((name) => cells.get(name) ?? null);
}

/** What a spreadsheet may take for a formula. */
const formula = /^[=+\-@\t\r]/;

/** A cell by RFC 4180. Names come from clients: one that a spreadsheet would run is made a text. */
function csvCell(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return plainNumber(cell);
  const text = formula.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A number without an exponent, which not every reader of CSV knows. */
function plainNumber(number: number): string {
  const text = String(number);
  return text.includes("e") ? number.toFixed(12).replace(/0+$/, "") : text;
}

function tableCell(cell: Cell): string {
  if (cell === null) return "-";
  // Control characters of a name could move the cursor of a terminal.
  return typeof cell === "number" ? plainNumber(cell) : cell.replaceAll(/\p{Cc}/gu, "?");
}

/** Columns side by side: groups to the left, numbers to the right. */
function aligned(lines: readonly (readonly string[])[], groups: number): string {
  const widths = (lines[0] ?? []).map((_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0))
  );
  return lines.map((line) =>
    line.map((cell, at) =>
      at < groups ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)
    ).join("  ").trimEnd()
  ).join("\n");
}
