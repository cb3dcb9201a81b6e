/** The table that a run writes: JSON for programs, Markdown for people. */
import type { FigureName, Figures, Row } from "./rows.ts";
import { median } from "./statistics.ts";
import { verdicts } from "./rows.ts";

/** A run and what it came to. */
export interface BenchReport {
  readonly machine: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly rows: readonly Row[];
  /** What the reader should know, such as what was not there. */
  readonly notes: readonly string[];
}

/** The columns of figures, and how each is written. */
const columns: readonly { readonly title: string; readonly cell: (row: Row) => string }[] = [
  { title: "case", cell: ({ title }) => title },
  { title: "at once", cell: ({ concurrency }) => `${concurrency}` },
  { title: "requests", cell: ({ requests }) => requests.toLocaleString("en") },
  { title: "median ms", cell: (row) => beside(row, "medianMs") },
  { title: "p99 ms", cell: (row) => beside(row, "p99Ms") },
  {
    title: "speed ÷ reference",
    cell: ({ gateway: { ratio }, reference }) =>
      ratio === undefined ? "" : `${written(ratio)} of ${reference?.name ?? "the reference"}`,
  },
  { title: "nginx ÷ reference", cell: ({ nginx }) => written(nginx?.ratio) },
  { title: "CPU units", cell: (row) => beside(row, "cpuUnits") },
  { title: "peak MB", cell: (row) => beside(row, "peakMb") },
  { title: "times quiet CPU", cell: (row) => beside(row, "besideQuiet") },
  { title: "MB each", cell: (row) => beside(row, "eachMb") },
  { title: "provider calls", cell: ({ gateway }) => written(gateway.providerCalls) },
  { title: "targets", cell: verdict },
];

const figureTitles: Readonly<Record<FigureName, string>> = {
  medianMs: "median ms",
  p99Ms: "p99 ms",
  ratio: "speed",
  cpuUnits: "CPU units",
  unitMs: "ms of a CPU unit",
  peakMb: "peak MB",
  overReferenceMb: "MB above the reference",
  besideQuiet: "times quiet CPU",
  eachMb: "MB each",
  providerCalls: "provider calls",
};

/** Writes the report for people. */
export function renderMarkdown({ machine, quick, rows, notes }: BenchReport): string {
  const all = rows.flatMap(verdicts);
  const units = rows.flatMap(({ gateway: { unitMs } }) => unitMs === undefined ? [] : [unitMs]);
  const met = all.filter((one) => one.met).length;
  const used = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ""));
  const lines = [
    "# Results of `deno task bench`",
    "",
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    ...(quick ? ["- A quick run: few requests, so these figures say little."] : []),
    ...notes.map((note) => `- ${note}`),
    "",
    `${met} of ${all.length} targets are met. Where two figures stand in a cell, the second is the`,
    "reference's in the same rounds. A CPU unit is what the bare pass-through needs for a PutObject",
    `of 1 KB${units.length > 0 ? `: ${written(median(units))} ms here` : ""}.`,
    "",
    `| ${used.map(({ title }) => title).join(" | ")} |`,
    `| ${used.map(() => "---").join(" | ")} |`,
    ...rows.map((row) => `| ${used.map(({ cell }) => cell(row)).join(" | ")} |`),
    ...new Set(rows.flatMap(({ title, note }) => note ? [`\n${title}: ${note}.`] : [])),
  ];
  return `${lines.join("\n")}\n`;
}

/** Writes the report for programs: verdicts are part of it. */
export function renderJson(report: BenchReport): string {
  const rows = report.rows.map((row) => ({ ...row, targets: verdicts(row) }));
  return `${JSON.stringify({ ...report, rows }, undefined, 2)}\n`;
}

function beside({ gateway, reference }: Row, name: keyof Figures): string {
  const [own, other] = [written(gateway[name]), written(reference?.figures[name])];
  return other === "" ? own : `${own} / ${other}`;
}

function verdict(row: Row): string {
  return verdicts(row).map(({ figure, at, value, met }) =>
    `${figureTitles[figure]} ${at === "least" ? "≥" : "≤"} ${written(value)}: ${
      met ? "met" : "**missed**"
    }`
  ).join("<br>");
}

function written(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\.0+$/, "");
}
