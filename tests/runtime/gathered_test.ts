import { deepEqual, equal } from "node:assert/strict";
import { gathered } from "../../runtime/gathered.ts";

const pieces = (...sizes: number[]) => sizes.map((size, n) => new Uint8Array(size).fill(n));
const flat = (all: readonly Uint8Array[]) => all.flatMap((one) => [...one]);

Deno.test("few pieces go on as they are", () => {
  const few = pieces(1, 2, 3);
  equal(gathered(few), few);
  deepEqual(gathered([]), []);
});

Deno.test("many small pieces become one, and large ones among them are not copied", () => {
  const many = pieces(
    ...Array.from({ length: 100 }, () => 2),
    5_000,
    ...Array.from({ length: 20 }, () => 1),
  );
  const out = gathered(many);
  equal(out.length, 3);
  equal(out[1], many[100]);
  deepEqual(flat(out), flat(many));
  const large = pieces(...Array.from({ length: 20 }, () => 4_096));
  deepEqual(gathered(large), large);
});
