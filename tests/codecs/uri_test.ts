import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { decodeKey, encodeUri, parseRawQuery } from "../../codecs/uri.ts";

Deno.test("a key is decoded once and byte for byte", () => {
  const cases: [raw: string, key: string][] = [
    ["batch%201%2B%C3%BC.jsonl", "batch 1+ü.jsonl"],
    ["a+b", "a+b"],
    ["a%252Fb", "a%2Fb"],
    ["a%2fb", "a/b"],
    ["a//b/./../c", "a//b/./../c"],
    ["%2e%2e/%5C", "../\\"],
    ["ünescaped%20\u{1F600}", "ünescaped \u{1F600}"],
    ["%EF%BB%BFbom", "\uFEFFbom"],
    ["%00", "\0"],
    ["", ""],
  ];
  for (const [raw, key] of cases) assert.equal(decodeKey(raw), key, raw);
});

Deno.test("a broken escape or bytes that are not UTF-8 make no key", () => {
  for (const raw of ["%", "%4", "%zz", "a%2", "%FF", "%C3", "%C0%80", "%ED%A0%80", "\uD800"]) {
    assert.equal(decodeKey(raw), undefined, JSON.stringify(raw));
  }
});

Deno.test("encoding leaves AWS's unreserved characters as they are and writes upper-case hex", () => {
  const unreserved = "ABCXYZabcxyz0189-._~";
  assert.equal(encodeUri(unreserved, false), unreserved);
  assert.equal(
    encodeUri("!\"#$%&'()*+,/:;<=>?@[\\]^`{|}", false),
    "%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D",
  );
  assert.equal(encodeUri("ü \u{1F600}\n", false), "%C3%BC%20%F0%9F%98%80%0A");
  assert.equal(encodeUri("\uD800", false), "%EF%BF%BD");
});

Deno.test("a slash is kept or escaped as asked, an escaped percent sign never turns into one", () => {
  assert.equal(encodeUri("a/b c", true), "a/b%20c");
  assert.equal(encodeUri("a/b c", false), "a%2Fb%20c");
  assert.equal(encodeUri("a/b", false), "a%2Fb");
  assert.equal(encodeUri("a%2Fb/c", true), "a%252Fb/c");
});

Deno.test("what was encoded decodes to itself", () => {
  for (const text of ["", "a/b", "100% +ü/", "//..//", "\u{10FFFF}\0~", "e\u0301 'q' (x)*!"]) {
    assert.equal(decodeKey(encodeUri(text, true)), text);
    assert.equal(decodeKey(encodeUri(text, false)), text);
  }
});

Deno.test("a query is split into decoded pairs in order", () => {
  assert.deepEqual(parseRawQuery("list-type=2&prefix=a%2Fb%20c+d&uploads&x=&x=1=2&&=v"), [
    ["list-type", "2"],
    ["prefix", "a/b c+d"],
    ["uploads", ""],
    ["x", ""],
    ["x", "1=2"],
    ["", "v"],
  ]);
  assert.deepEqual(parseRawQuery(""), []);
});

Deno.test("a query with a broken escape in a name or a value is refused", () => {
  for (const raw of ["a=%zz", "%=1", "ok=1&b=%FF"]) {
    assert.throws(
      () => parseRawQuery(raw),
      (error) =>
        error instanceof Failure && error.kind === "invalid" &&
        error.details.s3 === "InvalidArgument",
    );
  }
});
