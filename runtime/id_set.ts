/** A set of texts that keeps a digest of each: 16 bytes, however long the text. */
import { hash } from "node:crypto";

/** Words of 32 bits that one digest takes. */
const words = 4;
const firstSlots = 1_024;

/** A set of ids. Two of them are never taken for one: their digests have 128 bits. */
export class IdSet {
  readonly #most: number;
  /** Open addressing; a slot of zeros is free. */
  #table = new Uint32Array(firstSlots * words);
  #size = 0;

  /** @param most How many ids it takes; a set of 2²¹ has a table of 64 MB. */
  constructor(most = 2 ** 21) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether it holds as many as it may. */
  get isFull(): boolean {
    return this.#size >= this.#most;
  }

  /** Adds an id; false where it was there. One that a full set does not hold counts as new. */
  add(id: string | Uint8Array): boolean {
    const digest = digestOf(id);
    const at = this.#find(digest);
    if (!this.#isFree(at)) return false;
    if (this.isFull) return true;
    this.#table.set(digest, at);
    this.#size++;
    if (this.#size * words * 2 > this.#table.length) this.#grow();
    return true;
  }

  has(id: string | Uint8Array): boolean {
    return !this.#isFree(this.#find(digestOf(id)));
  }

  #find(digest: Uint32Array): number {
    const slots = this.#table.length / words;
    let slot = (digest[0] ?? 0) % slots;
    while (!this.#isFree(slot * words) && !this.#holds(slot * words, digest)) {
      slot = (slot + 1) % slots;
    }
    return slot * words;
  }

  #holds(at: number, digest: Uint32Array): boolean {
    for (let n = 0; n < words; n++) if (this.#table[at + n] !== digest[n]) return false;
    return true;
  }

  #isFree(at: number): boolean {
    for (let n = 0; n < words; n++) if (this.#table[at + n] !== 0) return false;
    return true;
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    // One view for all: a million of them would hold all requests for a second.
    const digest = new Uint32Array(words);
    for (let at = 0; at < old.length; at += words) {
      let bits = 0;
      for (let n = 0; n < words; n++) bits |= digest[n] = old[at + n] ?? 0;
      if (bits !== 0) this.#table.set(digest, this.#find(digest));
    }
  }
}

function digestOf(id: string | Uint8Array): Uint32Array {
  // In one go: a Hash object costs five times as much (Deno 2.9.6), and ids come by the million.
  const digest = hash("sha256", id, "buffer");
  const found = new Uint32Array(words);
  for (let n = 0; n < words; n++) found[n] = digest.readUInt32LE(n * 4);
  return found;
}
