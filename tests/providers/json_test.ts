import assert from "node:assert/strict";
import { idText, unixSeconds } from "../../providers/json.ts";

Deno.test("Unix seconds are a date, and what is none is as good as absent", () => {
  assert.equal(unixSeconds(1_700_000_000)?.toISOString(), "2023-11-14T22:13:20.000Z");
  for (const value of [1e16, -1e16, NaN, Infinity, "1700000000", null, undefined, {}]) {
    assert.equal(unixSeconds(value), undefined, `${value}`);
  }
});

Deno.test("an id can be a header and a key of the catalog; anything else is none", () => {
  for (const id of ["file-abc", "files/x", "batch_1", "x".repeat(256)]) {
    assert.equal(idText(id), id);
  }
  for (
    const value of [
      "",
      "a b",
      "a\r\nX: 1",
      "file-☃",
      "x".repeat(257),
      5,
      null,
      ".",
      "..",
      "files/../x",
      "files/.",
      "./x",
    ]
  ) {
    assert.equal(idText(value), undefined, `${value}`);
  }
});
