/** Ids of translated lines: those of the records where they fit and are unique, else numbers. */
import { type DialectName, fitsId } from "../dialects/names.ts";
import type { Raw } from "../dialects/json.ts";
import { unquote } from "../dialects/raw.ts";
import { numberedId, type RecordPosition } from "../dialects/stream.ts";
import { IdSet } from "../runtime/id_set.ts";

/** Ids that are remembered: a table of 512 MB at the most, and of 64 MB for a million. */
const maxIds = 2 ** 23;

/** Learns all ids of a file in a first pass, and gives its lines theirs in a second one. */
export class LineIds {
  readonly #known = new IdSet(maxIds);
  readonly #repeated = new IdSet(maxIds);
  /** Records whose id became a number. */
  numbered = 0;

  /** Takes note of a record's id. */
  learn(id: Raw): void {
    if (!this.#known.add(id)) this.#repeated.add(id);
  }

  /** The id of a record's line. */
  lineId(record: RecordPosition, to: DialectName): string {
    const id = record.id.startsWith('"') ? unquote(record.id) : undefined;
    if (id !== undefined && this.#isUnique(record.id) && fits(id, to)) return id;
    this.numbered += 1;
    return this.#number(record);
  }

  #isUnique(id: Raw): boolean {
    // What a full set does not hold cannot be compared.
    return this.#known.has(id) && !this.#repeated.has(id);
  }

  /** The record's number, with a tail where the file uses it as an id. */
  #number(record: RecordPosition): string {
    const number = numberedId(record);
    let id = number;
    for (let tail = 2; this.#known.has(`"${id}"`); tail++) id = `${number}_${tail}`;
    return id;
  }
}

/** A record of embeddings can become several lines, whose ids end in their index. */
const indexed = /\.\d+$/;

function fits(id: string, to: DialectName): boolean {
  return fitsId(id, to) && !(to === "bedrock-titan-embed" && indexed.test(id));
}
