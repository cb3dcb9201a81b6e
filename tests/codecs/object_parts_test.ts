import assert from "node:assert/strict";
import { serialize } from "node:v8";
import {
  countParts,
  findPart,
  type ObjectPart,
  packParts,
  placedParts,
} from "../../codecs/object_parts.ts";

const mib = 2 ** 20;
const sha256 = "x-amz-checksum-sha256";

/** Parts of these sizes, numbered from 1 on. */
function partsOf(sizes: readonly number[], checksum?: (n: number) => string): ObjectPart[] {
  return sizes.map((bytes, n) => ({ number: n + 1, bytes, checksum: checksum?.(n) }));
}

/** A base64 text of so many bytes. */
function base64(bytes: number, seed: number): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes).fill(seed)));
}

const packed = (parts: readonly ObjectPart[], header?: string) => {
  const found = packParts(parts, header);
  assert(found);
  return found;
};

Deno.test("parts of one size in a row are one run, and come out as they went in", () => {
  const parts = partsOf([5 * mib, 5 * mib, 5 * mib, 1234]);
  const kept = packed(parts);
  assert.deepEqual(kept.runs, [[1, 3, 5 * mib], [4, 1, 1234]]);
  assert.equal(countParts(kept), 4);
  assert.deepEqual([...placedParts(kept)], [
    { number: 1, bytes: 5 * mib, first: 0 },
    { number: 2, bytes: 5 * mib, first: 5 * mib },
    { number: 3, bytes: 5 * mib, first: 10 * mib },
    { number: 4, bytes: 1234, first: 15 * mib },
  ]);
});

Deno.test("numbers that the client left out stay out", () => {
  const kept = packed([{ number: 2, bytes: 7 }, { number: 3, bytes: 7 }, { number: 9, bytes: 7 }]);
  assert.equal(countParts(kept), 3);
  assert.deepEqual(findPart(kept, 9), { number: 9, bytes: 7, first: 14 });
  for (const absent of [0, 1, 4, 8, 10]) assert.equal(findPart(kept, absent), undefined);
});

Deno.test("each part has its own checksum again", () => {
  for (const [header, width] of [[sha256, 32], ["x-amz-checksum-crc32", 4]] as const) {
    const parts = partsOf([8, 8, 9], (n) => base64(width, n + 1));
    const kept = packed(parts, header);
    assert.equal(kept.checksums?.header, header);
    assert.equal(kept.checksums.bytes.byteLength, 3 * width);
    assert.deepEqual(
      [...placedParts(kept)].map(({ checksum }) => checksum),
      parts.map(({ checksum }) => checksum),
    );
  }
});

Deno.test("checksums are kept of all parts or of none", () => {
  const parts = [{ number: 1, bytes: 8, checksum: base64(32, 1) }, { number: 2, bytes: 8 }];
  assert.equal(packed(parts, sha256).checksums, undefined);
  assert.equal(packed(partsOf([8], () => base64(32, 1))).checksums, undefined);
});

Deno.test("the parts of the largest file that a provider takes are kept whole, checksums and all", () => {
  const sizes = Array.from({ length: 2 ** 31 / (5 * mib) }, (_, n) => 5 * mib + n);
  const kept = packed(partsOf(sizes, (n) => base64(32, n % 256)), sha256);
  assert.equal(countParts(kept), sizes.length);
  assert.equal(findPart(kept, 100)?.checksum, base64(32, 99));
});

Deno.test("what would not fit in a record is left out, checksums first", () => {
  const sha = (n: number) => base64(32, n % 256);
  const even = packed(partsOf(Array.from({ length: 10_000 }, () => 5 * mib), sha), sha256);
  assert.equal(even.checksums, undefined);
  assert.equal(countParts(even), 10_000);
  const uneven = partsOf(Array.from({ length: 10_000 }, (_, n) => 5 * mib + n), sha);
  assert.equal(packParts(uneven, sha256), undefined);
  for (let length = 500; length <= 2_000; length += 100) {
    const sizes = Array.from({ length }, (_, n) => 2 ** 32 + n);
    for (const parts of [partsOf(sizes), partsOf(sizes, sha)]) {
      const kept = packParts(parts, sha256);
      const size = kept ? serialize(kept).byteLength : 0;
      assert.ok(size <= 42 * 1024, `${length} parts take ${size} bytes`);
    }
  }
});
