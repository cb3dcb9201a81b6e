import assert from "node:assert/strict";
import { resolveRange } from "../../codecs/byte_range.ts";

const table: readonly [header: string | null, size: number, expected: unknown][] = [
  ["bytes=0-0", 10, { first: 0, last: 0 }],
  ["bytes=0-9", 10, { first: 0, last: 9 }],
  ["bytes=2-", 10, { first: 2, last: 9 }],
  ["bytes=9-", 10, { first: 9, last: 9 }],
  ["bytes=5-100", 10, { first: 5, last: 9 }],
  [" bytes=5-6 ", 10, { first: 5, last: 6 }],
  ["bytes=-3", 10, { first: 7, last: 9 }],
  ["bytes=-10", 10, { first: 0, last: 9 }],
  ["bytes=-11", 10, { first: 0, last: 9 }],
  ["bytes=0-99999999999999999999", 10, { first: 0, last: 9 }],
  ["bytes=10-", 10, "unsatisfiable"],
  ["bytes=10-20", 10, "unsatisfiable"],
  ["bytes=-0", 10, "unsatisfiable"],
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=-0", 0, "unsatisfiable"],
  ["bytes=-1", 0, "whole"],
  ["bytes=-99999999999999999999", 0, "whole"],
  [null, 10, "whole"],
  ["", 10, "whole"],
  ["bytes=-", 10, "whole"],
  ["bytes=5-4", 10, "whole"],
  ["bytes=0-1,3-4", 10, "whole"],
  ["bytes=a-b", 10, "whole"],
  ["bytes=1.5-2", 10, "whole"],
  ["bytes 0-1", 10, "whole"],
  ["lines=0-1", 10, "whole"],
];

for (const [header, size, expected] of table) {
  Deno.test(`Range ${JSON.stringify(header)} of ${size} bytes is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(resolveRange(header, size), expected);
  });
}
