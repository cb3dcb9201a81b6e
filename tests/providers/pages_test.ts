import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { text } from "../../providers/json.ts";
import { readPage } from "../../providers/pages.ts";

const page = (reply: unknown, cursor?: string) =>
  readPage("cloud", reply, cursor, (item) => {
    const id = text(item["id"]);
    return id === undefined ? undefined : { id };
  });
const data = [{ id: "a" }, { odd: true }, "none", { id: "b" }];

Deno.test("a page goes on after its last id while there is more", () => {
  const items = [{ id: "a" }, { id: "b" }];
  assert.deepEqual(page({ data, has_more: true, last_id: "z" }), { items, cursor: "z" });
  assert.deepEqual(page({ data, has_more: true }), { items, cursor: "b" });
  assert.deepEqual(page({ data, has_more: false, last_id: "z" }), { items });
});

Deno.test("a page that repeats its cursor, or is empty, is the last", () => {
  assert.equal(page({ data, has_more: true, last_id: "z" }, "z").cursor, undefined);
  assert.equal(page({ data: [], has_more: true, last_id: "z" }).cursor, undefined);
  assert.equal(page({ data: [{ odd: true }], has_more: true, last_id: "z" }).cursor, "z");
});

Deno.test("what is not a page is reported, and not taken for an empty one", () => {
  for (const reply of [undefined, null, "", 0, {}, { data: {} }]) {
    assert.throws(
      () => page(reply),
      (error) => error instanceof Failure && error.kind === "unavailable",
    );
  }
});

Deno.test("a bare list is a page, and the last one", () => {
  assert.deepEqual(page(data), { items: [{ id: "a" }, { id: "b" }] });
  assert.deepEqual(page([]), { items: [] });
});
