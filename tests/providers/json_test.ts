import assert from "node:assert/strict";
import { idText, time } from "../../providers/json.ts";

const moment = "2023-11-14T22:13:20.000Z";
const times: readonly unknown[] = [
  1_700_000_000,
  1_700_000_000.0004,
  1_700_000_000_000,
  1_700_000_000_000_000,
  "1700000000",
  "1700000000000",
  "1700000000.0",
  moment,
  "2023-11-14T22:13:20Z",
  "2023-11-14t22:13:20.000123456Z",
  "2023-11-14T23:13:20+01:00",
  "2023-11-14 22:13:20.000000",
  "2023-11-14 22:13:20 UTC",
  "2023-11-14T22:13:20",
  "Tue, 14 Nov 2023 22:13:20 GMT",
];
for (const value of times) {
  Deno.test(`${JSON.stringify(value)} is a time`, () => {
    assert.equal(time(value)?.toISOString(), moment);
  });
}

Deno.test("what is not a time, and what stands for none, is as good as absent", () => {
  const none = [0, "0", -1, null, undefined, "", "never", {}, [], true, NaN, Infinity, 1e30, -1e16];
  const epochs = ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2023-13-45", "14.11.2023"];
  for (const value of [...none, ...epochs]) assert.equal(time(value), undefined, `${value}`);
});
Deno.test("an id can be a header and a key of the catalog; anything else is not an id", () => {
  for (const id of ["file-abc", "files/x", "batch_1", "x".repeat(2048)]) {
    assert.equal(idText(id), id);
  }
  for (
    const value of [
      "",
      "a b",
      "a\r\nX: 1",
      "file-☃",
      "x".repeat(2049),
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
