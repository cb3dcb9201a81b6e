import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { wantedRange } from "../../../routes/s3/wanted_range.ts";

const table: readonly [
  range: string | null,
  part: string | undefined,
  size: number,
  expected: unknown,
][] = [
  [null, undefined, 10, "whole"],
  ["bytes=2-5", undefined, 10, { first: 2, last: 5 }],
  ["bytes=-3", undefined, 10, { first: 7, last: 9 }],
  ["bytes=8-", undefined, 10, { first: 8, last: 9 }],
  ["bytes=0-1,4-5", undefined, 10, "whole"],
  [null, "1", 10, { first: 0, last: 9 }],
  [null, "01", 10, { first: 0, last: 9 }],
  [null, "1", 0, "whole"],
];

for (const [range, part, size, expected] of table) {
  Deno.test(`Range ${range} and partNumber ${part} of ${size} bytes want ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(wantedRange(range, part, size), expected);
  });
}

const parts = { runs: [[1, 2, 5], [7, 1, 3], [8, 1, 0]] } as const;

Deno.test("a partNumber wants the bytes of just that part, by the number it was uploaded under", () => {
  const wanted = (part: string) => wantedRange(null, part, 13, parts);
  assert.deepEqual(wanted("1"), { first: 0, last: 4 });
  assert.deepEqual(wanted("2"), { first: 5, last: 9 });
  assert.deepEqual(wanted("7"), { first: 10, last: 12 });
  assert.throws(() => wanted("3"), /has 4 parts, none of this number/);
  assert.throws(() => wanted("8"), (error) => {
    assert(error instanceof Failure);
    assert.equal(error.details.s3, "InvalidRange");
    return true;
  });
  assert.deepEqual(wantedRange("bytes=4-10", undefined, 13, parts), { first: 4, last: 10 });
});

const refused: readonly [
  range: string | null,
  part: string | undefined,
  size: number,
  s3: string | undefined,
  told: RegExp,
][] = [
  ["bytes=10-", undefined, 10, "InvalidRange", /has 10 bytes/],
  ["bytes=0-", undefined, 0, "InvalidRange", /has 0 bytes/],
  [null, "2", 10, "InvalidPart", /one part/],
  [null, "10000", 10, "InvalidPart", /one part/],
  [null, "0", 10, "InvalidArgument", /from 1 to 10000/],
  [null, "10001", 10, "InvalidArgument", /from 1 to 10000/],
  [null, "-1", 10, "InvalidArgument", /from 1 to 10000/],
  [null, "1.0", 10, "InvalidArgument", /from 1 to 10000/],
  [null, "", 10, "InvalidArgument", /from 1 to 10000/],
  ["bytes=0-1", "1", 10, undefined, /not for both/],
];

for (const [range, part, size, s3, told] of refused) {
  Deno.test(`Range ${range} and partNumber ${part} of ${size} bytes are ${s3 ?? "refused"}`, () => {
    assert.throws(() => wantedRange(range, part, size), (error) => {
      assert(error instanceof Failure);
      assert.deepEqual([error.kind, error.details.s3], ["invalid", s3]);
      assert.match(error.message, told);
      return true;
    });
  });
}
