import assert from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { checkRead, parseEntityTags } from "../../codecs/preconditions.ts";

const tag = "file-abc";
const modifiedAt = Date.UTC(2026, 10, 23, 12, 0, 0, 700);
const earlier = "Mon, 23 Nov 2026 11:59:59 GMT";
const same = "Mon, 23 Nov 2026 12:00:00 GMT";
const later = "Mon, 23 Nov 2026 12:00:01 GMT";
const check = (headers: Record<string, string>) =>
  checkRead(new Headers(headers), (one) => one === tag, modifiedAt);

Deno.test("entity tags are read quoted, unquoted, weak and several at once", () => {
  assert.deepEqual(parseEntityTags('"file-abc"'), ["file-abc"]);
  assert.deepEqual(parseEntityTags("file-abc"), ["file-abc"]);
  assert.deepEqual(parseEntityTags('W/"a", "files/b" ,*'), ["a", "files/b", "*"]);
  assert.deepEqual(parseEntityTags('""'), [""]);
  assert.deepEqual(parseEntityTags('"a,b", W/"c,,d",e'), ["a,b", "c,,d", "e"]);
  assert.deepEqual(parseEntityTags('"a,b'), ['"a', "b"]);
  assert.equal(parseEntityTags(""), undefined);
  assert.equal(parseEntityTags(" "), undefined);
  assert.equal(parseEntityTags(null), undefined);
});

Deno.test("a condition of more than ten tags is refused, in whatever header it comes", () => {
  const tags = (count: number) => Array.from({ length: count }, (_, n) => `"file-${n}"`).join();
  assert.equal(parseEntityTags(tags(10))?.length, 10);
  const isRefused = (error: unknown) =>
    error instanceof Failure && error.details.s3 === "InvalidArgument";
  for (const header of [tags(11), tags(2_000), ",".repeat(48_000)]) {
    assert.throws(() => parseEntityTags(header), isRefused);
    assert.throws(() => check({ "if-none-match": header }), isRefused);
  }
});

Deno.test("without conditions an object is read", () => {
  assert.equal(check({}), "go");
});

Deno.test("If-None-Match spares what the client has", () => {
  assert.equal(check({ "if-none-match": '"file-abc"' }), "not-modified");
  assert.equal(check({ "if-none-match": "file-abc" }), "not-modified");
  assert.equal(check({ "if-none-match": 'W/"file-abc"' }), "not-modified");
  assert.equal(check({ "if-none-match": '"a", "file-abc"' }), "not-modified");
  assert.equal(check({ "if-none-match": "*" }), "not-modified");
  assert.equal(check({ "if-none-match": '"file-abcd"' }), "go");
});

Deno.test("If-Modified-Since compares whole seconds", () => {
  assert.equal(check({ "if-modified-since": earlier }), "go");
  assert.equal(check({ "if-modified-since": same }), "not-modified");
  assert.equal(check({ "if-modified-since": later }), "not-modified");
  assert.equal(check({ "if-modified-since": "yesterday" }), "go");
});

Deno.test("If-None-Match makes If-Modified-Since void", () => {
  assert.equal(check({ "if-none-match": '"x"', "if-modified-since": later }), "go");
  assert.equal(
    check({ "if-none-match": '"file-abc"', "if-modified-since": earlier }),
    "not-modified",
  );
});

Deno.test("If-Unmodified-Since fails for an object that changed later", () => {
  const failed = { failed: "If-Unmodified-Since" };
  assert.deepEqual(check({ "if-unmodified-since": earlier }), failed);
  assert.equal(check({ "if-unmodified-since": same }), "go");
  assert.equal(check({ "if-unmodified-since": later }), "go");
  assert.equal(check({ "if-unmodified-since": "yesterday" }), "go");
});

Deno.test("If-Match makes If-Unmodified-Since void", () => {
  assert.equal(check({ "if-match": '"file-abc"', "if-unmodified-since": earlier }), "go");
});

Deno.test("a failed If-Unmodified-Since comes before If-None-Match", () => {
  assert.deepEqual(
    check({ "if-unmodified-since": earlier, "if-none-match": '"file-abc"' }),
    { failed: "If-Unmodified-Since" },
  );
});
