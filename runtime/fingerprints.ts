/** A set that remembers of each member 64 bits: quick and small, for millions of ids that pass by. */

/** Words of 32 bits that a fingerprint takes. */
const words = 2;
const firstSlots = 1_024;

/**
 * Fingerprints of texts. Two that differ are taken for one with a chance of one in 2⁶⁴, and
 * such two can be made on purpose: only for what does no harm when it is taken for a repetition.
 */
export class Fingerprints {
  readonly #most: number;
  /** Open addressing; a slot of zeros is free. */
  #table = new Uint32Array(firstSlots * words);
  #size = 0;

  /** @param most How many it takes; 2²¹ of them are a table of 32 MB. */
  constructor(most = 2 ** 21) {
    this.#most = most;
  }

  /** Adds a text; false where it was there, or where there is no room for more. */
  add(text: string): boolean {
    if (this.#size >= this.#most) return false;
    let low = 0x811c9dc5;
    let high = 0x9747b28c;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ unit, 0x85ebca6b);
    }
    // A slot of zeros is free.
    if (!this.#insert(mixed(low) || 1, mixed(high ^ text.length))) return false;
    this.#size++;
    if (this.#size * words * 3 > this.#table.length * 2) this.#grow();
    return true;
  }

  #insert(low: number, high: number): boolean {
    const table = this.#table;
    const mask = table.length / words - 1;
    for (let slot = low & mask;; slot = (slot + 1) & mask) {
      const at = slot * words;
      if (table[at] === 0) {
        table[at] = low;
        table[at + 1] = high;
        return true;
      }
      if (table[at] === low && table[at + 1] === high) return false;
    }
  }

  #grow(): void {
    const old = this.#table;
    this.#table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += words) {
      const low = old[at] as number;
      if (low !== 0) this.#insert(low, old[at + 1] as number);
    }
  }
}

/** Spreads a difference in one bit over all (the last steps of MurmurHash3), as 32 bits without sign. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
