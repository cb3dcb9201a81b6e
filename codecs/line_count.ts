/** Counting the records of JSON Lines as their bytes pass. Pure. */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** A count of the lines that are not empty; one of blanks only counts, too. */
export class LineCount {
  #count = 0;
  /** Whether the line that is under way has a byte that counts. */
  #isBegun = false;

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      const found = chunk.indexOf(lineFeed, at);
      const end = found < 0 ? chunk.length : found;
      if (end - at > 1 || (end > at && chunk[at] !== carriageReturn)) this.#isBegun = true;
      if (found < 0) return;
      if (this.#isBegun) this.#count++;
      this.#isBegun = false;
      at = end + 1;
    }
  }

  /** The lines so far, with one that has no line feed yet. */
  get lines(): number {
    return this.#isBegun ? this.#count + 1 : this.#count;
  }
}

/** Counts the lines of bytes that are not empty. */
export function countLines(bytes: Uint8Array): number {
  const count = new LineCount();
  count.push(bytes);
  return count.lines;
}
