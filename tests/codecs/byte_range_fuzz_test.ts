import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { resolveRange } from "../../codecs/byte_range.ts";
import { cutBody } from "../../runtime/cut_body.ts";
import fc from "../sdks/fast_check.ts";

const runs = { seed: 20261123, numRuns: 1_000 };
const number = fc.oneof(fc.nat(70), fc.constantFrom(2 ** 31, 2 ** 53));

Deno.test("a range answers what slice() does, out of a body in any pieces", async () => {
  const ends = fc.record({
    first: fc.option(number, { nil: undefined }),
    last: fc.option(number, { nil: undefined }),
  });
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(pieces, ends, async (parts, { first, last }) => {
      const whole = Buffer.concat(parts);
      const range = resolveRange(`bytes=${first ?? ""}-${last ?? ""}`, whole.length);
      const expected = first !== undefined
        ? whole.subarray(first, last === undefined ? undefined : last + 1)
        : last === 0
        ? Buffer.alloc(0)
        : whole.subarray(-(last ?? 0));
      const isBroken = first === undefined
        ? last === undefined
        : last !== undefined && last < first;
      const isSuffixOfNothing = first === undefined && last !== 0 && whole.length === 0;
      if (isBroken || isSuffixOfNothing) return assert.equal(range, "whole");
      if (expected.length === 0) return assert.equal(range, "unsatisfiable");
      assert.ok(typeof range === "object");
      const body = cutBody(ReadableStream.from(parts), range);
      const seen: Uint8Array[] = [];
      for await (const part of body) seen.push(part);
      assert.deepEqual(Buffer.concat(seen), expected);
      assert.equal(range.last - range.first + 1, expected.length);
    }),
    runs,
  );
});

Deno.test("any header of another form asks for the whole", () => {
  const form = /^\s*bytes=(?:\d+-\d*|-\d+)\s*$/;
  const headers = fc.string({ unit: fc.constantFrom("bytes=", "-", ",", "1", "9", " ", "b", "+") });
  fc.assert(
    fc.property(headers.filter((one) => !form.test(one)), fc.nat(100), (header, size) => {
      assert.equal(resolveRange(header, size), "whole");
    }),
    runs,
  );
});
