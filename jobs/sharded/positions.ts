/** Positions of the records of a shard in the input, in memory bounded by the gaps between them. */
import type { LinePosition } from "../../dialects/lines.ts";

/** Where a record stands in the input. */
export type InputPosition = Pick<LinePosition, "record" | "line">;

/** Records that follow each other, on lines that do. */
interface Run extends InputPosition {
  count: number;
}

/** Positions of many records, in their order. Any number on consecutive lines takes the memory of one. */
export class InputPositions {
  readonly #runs: Run[] = [];
  /** How many records there are. */
  count = 0;

  /** Adds the position of the next record. */
  add({ record, line }: InputPosition): void {
    this.count++;
    const last = this.#runs.at(-1);
    const follows = last !== undefined && record === last.record + last.count &&
      line === last.line + last.count;
    if (follows) last.count++;
    else this.#runs.push({ record, line, count: 1 });
  }

  /** The position of the first record; zeros where there is none. */
  get first(): InputPosition {
    const { record, line } = this.#runs[0] ?? none;
    return { record, line };
  }

  /** The position of the last record; zeros where there is none. */
  get last(): InputPosition {
    const run = this.#runs.at(-1);
    if (!run) return none;
    return { record: run.record + run.count - 1, line: run.line + run.count - 1 };
  }

  /** Whether the records are on lines that follow each other. */
  get isInARow(): boolean {
    return this.#runs.length <= 1;
  }

  /** Yields each position. */
  *[Symbol.iterator](): Generator<InputPosition> {
    for (const { record, line, count } of this.#runs) {
      for (let n = 0; n < count; n++) yield { record: record + n, line: line + n };
    }
  }
}

const none: InputPosition = { record: 0, line: 0 };
