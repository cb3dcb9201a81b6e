/**
 * Whether the catalog's file has changed, found out in two microseconds instead of the twenty
 * and more of a read.
 *
 * Deno KV keeps a file of this machine in SQLite with a write-ahead log. The log's index, `-shm`, is
 * memory that all processes share, and begins with a header, twice, that every commit of any process
 * writes again before it returns: a version, a counter of transactions, the log's length and
 * checksums (sqlite.org/walformat.html, "The WAL-Index File Format"). Two copies that differ are a
 * header that is being written.
 */

/** A number that changes with the file. */
export interface ChangeCounter {
  /**
   * A number that is another one after every commit that had returned before this was asked. It may
   * be another one without a change, too.
   */
  now(): number;
  /** The log's counter, which each commit of any process raises by one; undefined while it is written. */
  count(): number | undefined;
  close(): void;
}

/** Bytes of one copy of the header, of which the second follows the first. */
const headerBytes = 48;
/** Where the counter of transactions stands in a copy, as a word. */
const counterWord = 2;
/** The form of the index that is known (SQLite since 3.7). */
const knownVersion = 3_007_000;

/**
 * Opens the counter of a catalog that is open. Throws as Deno does where there is no index, and
 * TypeError where it has another form.
 *
 * @param path The catalog's file.
 */
export function openChangeCounter(path: string): ChangeCounter {
  const file = Deno.openSync(`${path}-shm`, { read: true });
  const bytes = new Uint8Array(2 * headerBytes);
  const words = new Uint32Array(bytes.buffer);
  const copyWords = headerBytes / Uint32Array.BYTES_PER_ELEMENT;
  const last = new Uint32Array(copyWords);
  let generation = 0;

  function look(): boolean {
    file.seekSync(0, Deno.SeekMode.Start);
    return file.readSync(bytes) === bytes.length;
  }

  function count(): number | undefined {
    for (let at = look() ? 0 : copyWords; at < copyWords; at++) {
      if (words[at] !== words[at + copyWords]) return undefined;
      if (at === copyWords - 1) return words[counterWord];
    }
    return undefined;
  }

  function now(): number {
    const isWhole = look();
    for (let at = 0; at < copyWords; at++) {
      if (isWhole && words[at] === last[at] && words[at] === words[at + copyWords]) continue;
      last.set(words.subarray(0, copyWords));
      // Also while it is being written: the next look finds it whole, and another one than this.
      last[0] = isWhole && areAlike() ? last[0] as number : 0;
      return ++generation;
    }
    return generation;
  }

  function areAlike(): boolean {
    return last.every((word, at) => word === words[at + copyWords]);
  }

  now();
  if (last[0] !== knownVersion) {
    file.close();
    throw new TypeError("The catalog's index has a form that is not known");
  }
  return { now, count, close: () => file.close() };
}
