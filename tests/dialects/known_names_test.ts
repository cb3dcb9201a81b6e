import assert from "node:assert/strict";
import { parseJson } from "../../dialects/json.ts";
import { nameBetween } from "../../dialects/known_names.ts";

Deno.test("names are those of the text, however many and whatever they are", () => {
  const odd = [
    "",
    "__proto__",
    "constructor",
    "10",
    "é",
    "a\u2028b",
    "a".repeat(16),
    "a".repeat(17),
  ];
  const many = Array.from({ length: 3_000 }, (_, at) => `n${at}`);
  for (const name of [...odd, ...many, ...odd, ...many]) {
    assert.equal(nameBetween(`{"${name}":1}`, 2, 2 + name.length), name);
  }
});

Deno.test("names that fall into one slot are distinguished", () => {
  // The letters in the middle differ only where the slot does not look.
  for (const name of ["abcdefgh", "aXcdefgh", "abcdeXgh", "abXdefgh"]) {
    assert.deepEqual(parseJson(`{"${name}":1}`).keys, [name]);
  }
});

Deno.test("a member is found by a name that is written with escapes", () => {
  assert.equal(parseJson('{"m\\u006fdel":"x"}').get("model")?.text, "x");
  assert.equal(parseJson('{"model":"a","m\\u006fdel":"b"}').get("model")?.text, "b");
});
