/**
 * Compares two strings by the bytes of their UTF-8 form, the order of every S3 listing. It differs
 * from JavaScript's own order where surrogate pairs meet U+E000 to U+FFFF.
 *
 * @returns Negative, zero or positive, as `Array.prototype.sort` wants it.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    const leftPair = left >= 0xd800 && left <= 0xdfff;
    const rightPair = right >= 0xd800 && right <= 0xdfff;
    return leftPair === rightPair ? left - right : leftPair ? 1 : -1;
  }
  return a.length - b.length;
}
