import assert from "node:assert/strict";
import { decode, encode } from "../../codecs/kv_json.ts";

/** Through text, as in a backup. */
const again = (value: unknown) => decode(JSON.parse(JSON.stringify(encode(value))));

Deno.test("whatever a record may hold comes back as it was", () => {
  const values: unknown[] = [
    null,
    true,
    0,
    -0,
    1.5,
    NaN,
    -Infinity,
    2 ** 53 + 2,
    "",
    "zwölf 漢字 \u0000 \ud83d \u2028",
    12345678901234567890n,
    undefined,
    new Uint8Array([0, 255, 128]),
    new Uint8Array(),
    new Date(1_700_000_000_000),
    new Map<unknown, unknown>([["a", 1], [new Uint8Array([1]), new Map()]]),
    new Set(["a", undefined]),
    [1, [undefined, null], []],
    { a: undefined, b: { c: [new Uint8Array([7])] } },
    { $: "bytes", v: "no bytes" },
    { $: undefined },
    Object.fromEntries([["__proto__", "p"], ["constructor", 1]]),
  ];
  for (const value of values) assert.deepEqual(again(value), value);
  assert.ok(Object.is(again(-0), -0));
  assert.ok(again(new Deno.KvU64(2n ** 64n - 1n)) instanceof Deno.KvU64);
  assert.equal((again(new Deno.KvU64(2n ** 64n - 1n)) as Deno.KvU64).value, 2n ** 64n - 1n);
});

Deno.test("what no record holds is not a backup's to write, and odd lines are not values", () => {
  for (const value of [() => 1, Symbol("x"), /x/, new URL("http://a")]) {
    assert.throws(() => encode(value), /^TypeError: Cannot write a backup: a record holds a /);
  }
  for (const encoded of [{ $: "toString" }, { $: 1 }, { $: "bytes", v: 1 }, { $: "map", v: [1] }]) {
    assert.throws(() => decode(encoded), /^TypeError: Cannot read a backup/);
  }
});
