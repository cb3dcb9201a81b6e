import { deepEqual, equal } from "node:assert/strict";
import { isBucketName, parseS3Uri } from "../../codecs/s3_uri.ts";

Deno.test("a URI is taken apart at the first slash and its key kept to the letter", () => {
  const cases: [string, string, string][] = [
    ["s3://bucket/file-abc", "bucket", "file-abc"],
    ["s3://gemini/files/xyz", "gemini", "files/xyz"],
    ["s3://bucket/p/dt=2026-01-01/a b+c.jsonl", "bucket", "p/dt=2026-01-01/a b+c.jsonl"],
    ["s3://bucket/100%25.jsonl", "bucket", "100%25.jsonl"],
    ["s3://bucket/ü?#.jsonl", "bucket", "ü?#.jsonl"],
    ["s3://bucket//a/../b/", "bucket", "/a/../b/"],
    ["s3://bucket/", "bucket", ""],
    ["s3://bucket", "bucket", ""],
  ];
  for (const [text, bucket, key] of cases) deepEqual(parseS3Uri(text), { bucket, key });
});

Deno.test("a text of another form is not read as an S3 URI", () => {
  for (
    const text of [
      "",
      "s3://",
      "s3:///key",
      "s3:/bucket/key",
      "S3://bucket/key",
      "https://bucket/key",
      " s3://bucket/key",
      "s3://Bucket/key",
      "s3://bu_cket/key",
      "s3://bucket?x/key",
      "arn:aws:s3:::bucket/key",
      "bucket/key",
    ]
  ) {
    equal(parseS3Uri(text), undefined, text);
  }
});

Deno.test("a key may have 1,024 bytes of UTF-8 and no more", () => {
  equal(parseS3Uri(`s3://bucket/${"a".repeat(1024)}`)?.key.length, 1024);
  equal(parseS3Uri(`s3://bucket/${"a".repeat(1025)}`), undefined);
  equal(parseS3Uri(`s3://bucket/${"ü".repeat(512)}`)?.key.length, 512);
  equal(parseS3Uri(`s3://bucket/${"ü".repeat(512)}a`), undefined);
  equal(parseS3Uri("s3://bucket/\ud800"), undefined, "a lone surrogate has no UTF-8 form");
});

Deno.test("bucket names are held to the rules of S3", () => {
  for (const name of ["abc", "a-b.c", "0a0", "openai-files", "a".repeat(63), "1.2.3", "a.-b"]) {
    equal(isBucketName(name), true, name);
  }
  for (
    const name of [
      "",
      "ab",
      "a".repeat(64),
      "Abc",
      "a_b",
      "a b",
      "-abc",
      "abc-",
      ".abc",
      "abc.",
      "a..b",
      "192.168.0.1",
      "999.1.1.1",
      "xn--abc",
      "sthree-abc",
      "abc-s3alias",
      "abc--ol-s3",
      "abc\n",
      "bücket",
    ]
  ) {
    equal(isBucketName(name), false, name);
  }
});
