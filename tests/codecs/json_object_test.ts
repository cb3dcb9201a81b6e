import assert from "node:assert/strict";
import { isObject, memberOf } from "../../codecs/json_object.ts";

Deno.test("an object is neither null, an array, nor a plain value", () => {
  for (const value of [null, undefined, [], [{}], "{}", 1, true]) {
    assert.equal(isObject(value), false, `${value}`);
  }
  assert.equal(isObject({}), true);
  assert.equal(isObject(JSON.parse('{"__proto__":{"a":1}}')), true);
});

Deno.test("only what was sent is a member of an object", () => {
  assert.equal(memberOf({ a: 1 }, "a"), 1);
  assert.equal(memberOf({ a: 1 }, "toString"), undefined);
  assert.equal(memberOf(Object.create({ a: 1 }), "a"), undefined);
  assert.equal(memberOf(["a"], "0"), undefined);
  assert.equal(memberOf(null, "a"), undefined);
  assert.equal(memberOf("text", "length"), undefined);
});
