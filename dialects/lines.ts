/** JSON Lines as they come: which line is which, in memory bounded by the longest line. */
import { isBlank, PartialLine, withoutByteOrderMark } from "../codecs/jsonl.ts";

/** Where a line stands in its file. */
export interface LinePosition {
  /** Physical lines count from 1, blank ones too. */
  readonly line: number;
  /** Lines that are not blank count from 1. */
  readonly record: number;
  /** Bytes before the line. */
  readonly offset: number;
  /** Bytes of the line without its line feed, also where it was cut. */
  readonly length: number;
}

/** A line that is not blank. */
export interface SplitLine extends LinePosition {
  /** A view that is good until the next line is asked for; of a line over the limit its beginning. */
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

/** Lines longer than this are not read whole: no provider takes a record of half of it. */
export const maxLineBytes = 64 * 2 ** 20;
/** What is kept of a line over the limit: enough for the id that it begins with. */
const keptBytes = 64 * 2 ** 10;

const lineFeed = 0x0a;

/**
 * Cuts chunks of bytes into lines. A byte order mark, carriage returns at the end of lines and blank
 * lines are passed over; a last line needs no line feed.
 */
export class LineReader {
  readonly #most: number;
  readonly #begun: PartialLine;
  /** Bytes of a line over the limit that were not kept. */
  #passed = 0;
  #line = 1;
  #record = 0;
  #offset = 0;

  /** @param most Bytes of a line; of longer ones only the beginning is given. */
  constructor(most = maxLineBytes) {
    this.#most = most;
    this.#begun = new PartialLine({ maxLineBytes: most });
  }

  /** The lines that end in this chunk. */
  *push(chunk: Uint8Array): Generator<SplitLine> {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      const line = this.#ended(piece);
      if (line) yield line;
      this.#line += 1;
    }
    if (start < chunk.length) this.#append(chunk.subarray(start));
  }

  /** The last line, where it has no line feed. */
  *end(): Generator<SplitLine> {
    const line = this.#ended(new Uint8Array());
    if (line) yield line;
  }

  #ended(piece: Uint8Array): SplitLine | undefined {
    let bytes = piece;
    let length = piece.length;
    if (this.#begun.length > 0 || piece.length > this.#most) {
      this.#append(piece);
      length = this.#begun.length + this.#passed;
      bytes = this.#begun.take();
      this.#passed = 0;
    }
    const offset = this.#offset;
    this.#offset += length + 1;
    if (offset === 0) bytes = withoutByteOrderMark(bytes);
    const isCut = length > this.#most;
    if (!isCut && isBlank(bytes)) return undefined;
    this.#record += 1;
    return { bytes, line: this.#line, record: this.#record, offset, length, isCut };
  }

  #append(piece: Uint8Array): void {
    if (this.#passed === 0 && this.#begun.length + piece.length <= this.#most) {
      this.#begun.append(piece);
      return;
    }
    const room = Math.max(0, keptBytes - this.#begun.length);
    const kept = piece.subarray(0, Math.min(room, this.#most - this.#begun.length));
    this.#begun.append(kept);
    this.#passed += piece.length - kept.length;
  }
}
