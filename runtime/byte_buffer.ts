/** Bytes that come in pieces, gathered in memory. */

/**
 * A buffer that grows. Pieces are copied, so that a sender of tiny ones costs no more than the bytes
 * are, and the room doubles, so that each byte is copied about once.
 */
export class ByteBuffer {
  readonly #most: number;
  #room = new Uint8Array();
  #length = 0;

  /** @param most How many bytes it takes. */
  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** What has come, with room behind it; to be read before the next bytes are added. */
  get bytes(): Uint8Array {
    return this.#room;
  }

  /** Adds bytes; false, and none are added, where there would be too many. */
  append(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length;
    if (length > this.#most) return false;
    if (length > this.#room.length) {
      const room = new Uint8Array(Math.max(length, Math.min(this.#most, 2 * length)));
      room.set(this.#room.subarray(0, this.#length));
      this.#room = room;
    }
    this.#room.set(bytes, this.#length);
    this.#length = length;
    return true;
  }

  /** Gives the bytes away and is empty again. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#room.subarray(0, this.#length);
    this.#room = new Uint8Array();
    this.#length = 0;
    return taken;
  }
}
