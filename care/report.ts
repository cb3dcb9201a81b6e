/** What a check found, counted and in words. */
import { calledAs } from "../runtime/program_name.ts";
import { type DifferenceKind, differenceKinds } from "./compare.ts";
import type { Rebuilt } from "./rebuild.ts";
import { type VerdictKind, verdictKinds } from "./rules.ts";

/** Something that is wrong. */
export interface Problem {
  readonly kind: VerdictKind | DifferenceKind;
  readonly what: string;
}

/** What a check found. */
export interface Report {
  readonly catalog: string;
  readonly schema: number;
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** Accounts that the catalog was held against. */
  readonly accounts: number;
  readonly counts: Readonly<Record<string, number>>;
  /** The first of each kind. */
  readonly problems: readonly Problem[];
}

/** Problems of a kind that are named one by one. */
const maxOfKind = 100;
/** Problems of a kind that are printed. */
const printed = 10;

/** Counts problems, in memory that does not grow with them. */
export async function collect(
  about: Pick<Report, "catalog" | "schema" | "accounts">,
  problems: AsyncIterable<Problem>,
): Promise<Report> {
  const counts: Record<string, number> = {};
  const first: Problem[] = [];
  for await (const { kind, what } of problems) {
    const count = (counts[kind] ?? 0) + 1;
    counts[kind] = count;
    if (count <= maxOfKind) first.push({ kind, what });
  }
  return { ...about, ok: first.length === 0, counts, problems: first };
}

/** A report as lines to read. */
export function reportLines(report: Report): string[] {
  const { catalog, schema, accounts } = report;
  const lines = [
    `Catalog ${catalog}, schema ${schema}, held against ${countOf(accounts, "account")}`,
  ];
  const words: Readonly<Record<string, string>> = { ...verdictKinds, ...differenceKinds };
  for (const [kind, count] of Object.entries(report.counts)) {
    lines.push(`${count} ${words[kind] ?? kind}:`);
    const some = report.problems.filter((one) => one.kind === kind).slice(0, printed);
    for (const { what } of some) lines.push(`  ${what}`);
    if (count > some.length) lines.push(`  and ${count - some.length} more`);
  }
  lines.push(
    report.ok ? "Nothing is wrong" : `\`${calledAs("catalog rebuild")}\` puts right what it can`,
  );
  return lines;
}

/** Returns what a rebuild did, as lines to read. */
export function rebuiltLines(catalog: string, done: Rebuilt): string[] {
  const { mended, jobs, objects, left, leftCount } = done;
  const lines = [
    `Catalog ${catalog}: ${mended} entries put right, ${countOf(jobs, "job")} and ` +
    `${countOf(objects, "object")} made again`,
  ];
  if (jobs + objects > 0) {
    lines.push(
      "Providers do not tell: content types, metadata and checksums of objects; output places, roles " +
        "and idempotency tokens of jobs, and tags beyond those that travelled with a batch",
    );
  }
  lines.push(...left.map((sentence) => `Left: ${sentence}`));
  if (leftCount > left.length) lines.push(`and ${leftCount - left.length} more are left`);
  return lines;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
