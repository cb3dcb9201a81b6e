import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { markPrefix, parseProviderName, providerName } from "../../objects/name.ts";

const mark = `${markPrefix("abc12345")}z.`;
const name = (key: string, more = {}) =>
  providerName({ tenant: "default", bucket: "bucket", key, ...more }, mark);

Deno.test("a name yields its object again, whatever is in the key", () => {
  for (
    const key of [
      "a.jsonl",
      "dir/é 漢.JSONL",
      "/",
      "..",
      "a\0b\0",
      ".bw-x-1.jsonl",
      "x".repeat(100),
    ]
  ) {
    const made = name(key);
    assert.ok(made.endsWith(".jsonl"));
    assert.ok(made.includes(mark));
    assert.deepEqual(parseProviderName(made), {
      instance: "abc12345",
      object: { tenant: "default", bucket: "bucket", key },
    });
  }
});

Deno.test("a name never has more bytes than a file system takes, and then holds no object", () => {
  for (const key of ["漢".repeat(340), "x".repeat(1_024), "😀".repeat(256), "😀".repeat(59)]) {
    assert.ok(Buffer.byteLength(name(key)) <= 240);
    assert.deepEqual(parseProviderName(name(key)), { instance: "abc12345" });
  }
  assert.deepEqual(parseProviderName("old.bw-abc12345-0.jsonl"), { instance: "abc12345" });
});

Deno.test("names of others are not taken for ours", () => {
  for (const other of ["a.jsonl", "a.bw.jsonl", "a.bw-ABC-1.jsonl", "a.bw-abc-1.txt", ""]) {
    assert.equal(parseProviderName(other), undefined);
  }
});

Deno.test("a name of an object which no put takes yields no object", () => {
  const told = (tenant: string, bucket: string, key: string) =>
    Buffer.from([tenant, bucket, key].join("\0")).toString("base64url");
  const wrong = [
    told("default", "../../etc", "passwd"),
    told("default", "Bucket", "key"),
    told("default", "bucket", "x".repeat(1_025)),
    told("default", "bucket", ""),
    told("@native", "bucket", "key"),
    told("t".repeat(200), "bucket", "key"),
    Buffer.from([...Buffer.from("default\0bucket\0"), 0xff]).toString("base64url"),
  ];
  for (const address of wrong) {
    const parsed = parseProviderName(`a.bw-abc12345-0.${address}.jsonl`);
    assert.deepEqual(parsed, { instance: "abc12345" }, address);
  }
  const right = parseProviderName(`a.bw-abc12345-0.${told("team", "bucket", "../k")}.jsonl`);
  assert.deepEqual(right?.object, { tenant: "team", bucket: "bucket", key: "../k" });
});
