/**
 * The ids of an upload's records, noted as its bytes pass. Where a provider does not give uploaded files
 * back, there is no other way to name the records that its results lack.
 * Memory is bounded by the ids, and they are given up where they are too many.
 */
import { Fingerprints } from "../runtime/fingerprints.ts";

/** Ids that were noted. */
export interface NotedIds {
  /** A JSON string a line, in the order of the upload. */
  readonly lines: Uint8Array<ArrayBuffer>;
  /** Whether every record has an id, and each its own. */
  readonly unique: boolean;
  /** The first record, or its beginning; one character a byte. */
  readonly first: string;
}

/** Finds the id of the record on a line; see the port. */
export type IdIn = (text: string, start: number, end: number) => string | undefined;

/** The most that all ids together may take, in bytes. */
const maxBytes = 16 * 2 ** 20;
/** Holds ids until they are put together. */
const blockBytes = 64 * 1_024;
const lineFeed = 0x0a;
/** How much of the first record is kept until its form is known. */
const headBytes = 64 * 1_024;

/** Notes of one upload. */
export class IdNotes {
  readonly #idIn: IdIn;
  readonly #seen = new Fingerprints();
  readonly #full: Uint8Array[] = [];
  #block = new Uint8Array(blockBytes);
  #used = 0;
  #bytes = 0;
  #unique = true;
  #isTooMuch = false;
  #first = "";

  constructor(idIn: IdIn) {
    this.#idIn = idIn;
  }

  /** Takes the next line of the upload, which stands in a text of one character a byte. */
  see(text: string, start: number, end: number): void {
    // A copy: a slice would keep the whole chunk in memory.
    if (this.#first === "") {
      this.#first = copyOf(text.slice(start, Math.min(end, start + headBytes)));
    }
    // Once there are too many, they are not used.
    if (this.#isTooMuch) return;
    const id = this.#idIn(text, start, end);
    if (id === undefined) {
      if (text.slice(start, end).trim() !== "") this.#unique = false;
      return;
    }
    if (this.#unique && !this.#seen.add(id)) this.#unique = false;
    this.#bytes += id.length + 1;
    this.#isTooMuch = this.#bytes > maxBytes;
    if (this.#isTooMuch) return;
    // By characters: a slice would keep the whole chunk in memory.
    for (let at = 0; at < id.length; at++) this.#write(id.charCodeAt(at));
    this.#write(lineFeed);
  }

  /** The ids of an upload that has ended; undefined where they were too many. */
  end(): NotedIds | undefined {
    if (this.#isTooMuch) return undefined;
    const lines = new Uint8Array(Math.max(0, this.#bytes - 1));
    let at = 0;
    for (const block of [...this.#full, this.#block.subarray(0, this.#used)]) {
      // The last line feed ends no line that follows.
      lines.set(block.subarray(0, lines.length - at), at);
      at += block.length;
    }
    return { lines, unique: this.#unique, first: this.#first };
  }

  #write(byte: number): void {
    if (this.#used === blockBytes) {
      this.#full.push(this.#block);
      this.#block = new Uint8Array(blockBytes);
      this.#used = 0;
    }
    this.#block[this.#used++] = byte;
  }
}

/** A text of its own, without white space around it; of a long line that shows its ends, the first. */
function copyOf(text: string): string {
  const [beginning = ""] = text.split("\\\n", 1);
  return [...beginning.trim()].join("");
}
