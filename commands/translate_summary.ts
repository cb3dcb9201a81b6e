/** What became of a translated file, for its user and for programs. */
import type { Loss, LossKind } from "../dialects/loss.ts";
import type { DialectName } from "../dialects/names.ts";

/** Physical lines that met the same. */
export interface LineGroup {
  readonly reason: string;
  readonly lines: readonly number[];
}

/** Losses of one kind at one place of records. */
export interface LossGroup {
  readonly loss: LossKind;
  /** With `[]` for every index. */
  readonly path: string;
  readonly reason: string;
  readonly count: number;
}

/** The summary of a translation, as `--json` prints it. */
export interface Summary {
  readonly from: DialectName | null;
  readonly to: string;
  readonly model: string | null;
  /** Records of the file, also those that were refused. */
  readonly records: number;
  /** Lines that were written. */
  readonly lines: number;
  /** Records whose id was replaced by their number. */
  readonly numberedIds: number;
  readonly refused: readonly LineGroup[];
  readonly broken: readonly LineGroup[];
  readonly losses: readonly LossGroup[];
  /** Losses that can change an answer: the first ten. */
  readonly meaningful: readonly string[];
}

/** Different groups that are counted apart; paths can hold names that users chose. */
const maxGroups = 1_000;
/** Losses that can change an answer and are named one by one. */
const maxNamed = 10;

type Counted = Omit<Summary, "from" | "to" | "model" | "numberedIds">;

/** Counts what happens to the records of a file. */
export class Tally {
  records = 0;
  lines = 0;
  readonly #refused = new Map<string, number[]>();
  readonly #broken = new Map<string, number[]>();
  readonly #losses = new Map<string, { -readonly [Name in keyof LossGroup]: LossGroup[Name] }>();
  readonly #meaningful: string[] = [];

  broken(line: number, reason: string): void {
    addLine(this.#broken, line, reason);
  }

  refused(line: number, reason: string): void {
    addLine(this.#refused, line, withoutIndices(reason));
  }

  /** Counts a loss of a record that is sent. */
  lost(line: number, { kind, path, reason, hint }: Loss): void {
    if (!hint && this.#meaningful.length < maxNamed) {
      this.#meaningful.push(`line ${line}: ${path} ${kind}: ${reason}`);
    }
    const place = withoutIndices(path);
    const group = { loss: kind, path: place, reason, count: 0 };
    const rest = { loss: kind, path: "…", reason: "at many other places; see --report", count: 0 };
    const key = groupOf(this.#losses, JSON.stringify(group), kind);
    const counted = this.#losses.get(key) ?? (key === kind ? rest : group);
    counted.count += 1;
    this.#losses.set(key, counted);
  }

  /** Everything that was counted. */
  get counted(): Counted {
    return {
      records: this.records,
      lines: this.lines,
      refused: groupsOf(this.#refused),
      broken: groupsOf(this.#broken),
      losses: [...this.#losses.values()].sort((one, other) => other.count - one.count),
      meaningful: this.#meaningful,
    };
  }
}

/** The key of a group, or of all others where there are many groups already. */
function groupOf(groups: ReadonlyMap<string, unknown>, key: string, others: string): string {
  return groups.has(key) || groups.size < maxGroups ? key : others;
}

function addLine(groups: Map<string, number[]>, line: number, reason: string): void {
  const key = groupOf(groups, reason, "for yet another reason");
  const lines = groups.get(key);
  if (lines) lines.push(line);
  else groups.set(key, [line]);
}

function groupsOf(groups: ReadonlyMap<string, number[]>): LineGroup[] {
  return [...groups].map(([reason, lines]) => ({ reason, lines }));
}

/** Places in lists are counted together. */
function withoutIndices(path: string): string {
  return path.replace(/\[\d+\]/g, "[]");
}

/** The summary as sentences, one a line. */
export function summaryText(summary: Summary): string {
  const { from, to, records, lines, numberedIds, refused, broken, losses } = summary;
  const counts = [
    `${lines} ${lines === 1 ? "line" : "lines"} of ${to} written`,
    ...count(refused, "refused"),
    ...count(broken, "broken"),
  ];
  return [
    `${records} ${records === 1 ? "record" : "records"} of ${from ?? "no known dialect"}: ${
      counts.join(", ")
    }.`,
    ...broken.map(({ reason, lines }) => `Broken: ${rangesOf(lines)}: ${reason}.`),
    ...refused.map(({ reason, lines }) => `Refused: ${rangesOf(lines)}: ${reason}.`),
    ...losses.map(({ loss, path, reason, count }) =>
      `${loss === "dropped" ? "Dropped" : "Approximated"} ${count}×: ${path}: ${reason}.`
    ),
    ...(numberedIds === 0 ? [] : [
      `Ids that became record numbers, as they repeat or do not fit ${to}: ${numberedIds}.`,
    ]),
  ].join("\n");
}

function count(groups: readonly LineGroup[], what: string): string[] {
  const sum = groups.reduce((sum, { lines }) => sum + lines.length, 0);
  return sum === 0 ? [] : [`${sum} ${what}`];
}

/** Such as `line 3` or `lines 3, 7-9, 12`; every line is named. */
export function rangesOf(lines: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const line of lines) {
    const range = ranges.at(-1);
    if (range?.[1] === line - 1) range[1] = line;
    else ranges.push([line, line]);
  }
  const texts = ranges.map(([first, last]) => first === last ? `${first}` : `${first}-${last}`);
  return `${lines.length === 1 ? "line" : "lines"} ${texts.join(", ")}`;
}
