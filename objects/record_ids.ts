/**
 * The ids of an upload's records, noted as its bytes pass. A provider that gives uploaded files to
 * nobody leaves no other way to name the records that its results lack.
 *
 * Of a line that comes in pieces its beginning and its end are kept, which is where ids are; memory
 * is bounded by the ids, and they are given up where they are too many.
 */
import { Fingerprints } from "../codecs/fingerprints.ts";

/** Ids that were noted. */
export interface NotedIds {
  /** A JSON string a line, in the order of the upload. */
  readonly lines: Uint8Array<ArrayBuffer>;
  /** Whether every record has an id, and each its own. */
  readonly unique: boolean;
}

/** Finds the id in a line, or in a long line's two ends: the bytes of a JSON string. */
export type IdIn = (head: Uint8Array, tail: Uint8Array) => Uint8Array | undefined;

/** Bytes of a line's beginning, and of its end, that are kept where it comes in pieces. */
const edgeBytes = 2_048;
/** The most that all ids together may take, in bytes. */
const maxBytes = 16 * 2 ** 20;
/** What holds ids until they are put together. */
const blockBytes = 64 * 1_024;
const lineFeed = 0x0a;

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
  #line = new Edges();

  constructor(idIn: IdIn) {
    this.#idIn = idIn;
  }

  /** Takes the next bytes of the upload. */
  take(chunk: Uint8Array): void {
    // Once there are too many, nobody asks for them.
    if (this.#isTooMuch) return;
    let start = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, start)) {
      const piece = chunk.subarray(start, at);
      start = at + 1;
      // Nearly every line is whole in its chunk, and needs no copy.
      if (this.#line.isEmpty) this.#note(piece, piece);
      else {
        this.#line.add(piece);
        this.#endLine();
      }
    }
    this.#line.add(chunk.subarray(start));
  }

  /** The ids of an upload that has ended; undefined where they were too many. */
  end(): NotedIds | undefined {
    this.#endLine();
    if (this.#isTooMuch) return undefined;
    const lines = new Uint8Array(Math.max(0, this.#bytes - 1));
    let at = 0;
    for (const block of [...this.#full, this.#block.subarray(0, this.#used)]) {
      // The last line feed ends no line that follows.
      lines.set(block.subarray(0, lines.length - at), at);
      at += block.length;
    }
    return { lines, unique: this.#unique };
  }

  #endLine(): void {
    if (this.#line.isEmpty) return;
    this.#note(this.#line.head, this.#line.tail);
    this.#line = new Edges();
  }

  #note(head: Uint8Array, tail: Uint8Array): void {
    const id = this.#idIn(head, tail);
    if (id === undefined) {
      if (!isBlank(head)) this.#unique = false;
      return;
    }
    if (this.#unique && !this.#seen.add(id)) this.#unique = false;
    this.#bytes += id.length + 1;
    this.#isTooMuch = this.#bytes > maxBytes;
    if (this.#isTooMuch) return;
    this.#write(id);
    this.#write(Uint8Array.of(lineFeed));
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#used === blockBytes) {
        this.#full.push(this.#block);
        this.#block = new Uint8Array(blockBytes);
        this.#used = 0;
      }
      const piece = bytes.subarray(at, at + blockBytes - this.#used);
      this.#block.set(piece, this.#used);
      this.#used += piece.length;
      at += piece.length;
    }
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

/** The beginning and the end of a line that comes in pieces; both the whole of a short one. */
class Edges {
  #head = new Uint8Array();
  #tail = new Uint8Array();

  get isEmpty(): boolean {
    return this.#head.length === 0;
  }

  get head(): Uint8Array {
    return this.#head;
  }

  /** The very same bytes where the line is no longer than them. */
  get tail(): Uint8Array {
    return this.#tail.length < edgeBytes ? this.#head : this.#tail;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const room = edgeBytes - this.#head.length;
    if (room > 0) this.#head = joined(this.#head, bytes.subarray(0, room));
    this.#tail = joined(this.#tail, bytes.subarray(-edgeBytes)).slice(-edgeBytes);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
