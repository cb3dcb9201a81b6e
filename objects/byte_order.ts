/** S3's order of keys: that of their UTF-8 bytes, which is not that of JavaScript strings. */

const utf8 = new TextEncoder();

/** Negative if `a` comes first, positive if `b` does, 0 if they are the same. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** The first position after a key. */
export function afterKey(key: string): Uint8Array {
  const bytes = utf8.encode(key);
  const after = new Uint8Array(bytes.length + 1);
  after.set(bytes);
  return after;
}

/** The first position after every key that begins with a prefix, which must not be empty. */
export function afterPrefix(prefix: string): Uint8Array {
  const after = utf8.encode(prefix);
  // UTF-8 has no byte 0xFF, so the last byte can always be counted up.
  after[after.length - 1] = (after.at(-1) ?? 0) + 1;
  return after;
}
