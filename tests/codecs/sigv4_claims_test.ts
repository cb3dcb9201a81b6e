import assert from "node:assert/strict";
import {
  formatTimestamp,
  parseAuthorization,
  parseCredential,
  parsePresigned,
  parseTimestamp,
  requestTimestamp,
} from "../../codecs/sigv4.ts";

const timestamp = "20240102T030405Z";

Deno.test("a presigned query with a part missing, repeated or malformed is not one", () => {
  const whole: [string, string][] = [
    ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
    ["X-Amz-Credential", "AK/20240102/us-west-2/s3/aws4_request"],
    ["X-Amz-Date", timestamp],
    ["X-Amz-Expires", "60"],
    ["X-Amz-SignedHeaders", "host"],
    ["X-Amz-Signature", "0".repeat(64)],
  ];
  assert.ok(parsePresigned(whole));
  for (const [name, value] of whole) {
    assert.equal(parsePresigned(whole.filter((pair) => pair[0] !== name)), undefined, name);
    assert.equal(parsePresigned([...whole, [name, value]]), undefined, name);
    const malformed = whole.map(([key, kept]) => [key, key === name ? "x y" : kept] as const);
    assert.equal(parsePresigned(malformed), undefined, name);
  }
});

Deno.test("an Authorization header is read whatever its spaces and order", () => {
  const signed = "ab".repeat(32);
  const expected = {
    accessKeyId: "AK/with/slash",
    date: "20240102",
    region: "us-west-2",
    service: "s3",
    signedHeaders: ["host", "x-amz-date"],
    signature: signed,
  };
  const parts = [
    "Credential=AK/with/slash/20240102/us-west-2/s3/aws4_request",
    "SignedHeaders=host;x-amz-date",
    `Signature=${signed}`,
  ];
  for (const text of [parts.join(", "), parts.join(","), parts.toReversed().join(",  ")]) {
    assert.deepEqual(parseAuthorization(`AWS4-HMAC-SHA256 ${text}`), expected, text);
  }
});

Deno.test("an Authorization header of any other form does not count", () => {
  const credential = "Credential=AK/20240102/us-west-2/s3/aws4_request";
  const names = "SignedHeaders=host";
  const signed = `Signature=${"0".repeat(64)}`;
  const good = `AWS4-HMAC-SHA256 ${credential}, ${names}, ${signed}`;
  assert.ok(parseAuthorization(good));
  const bad = [
    "",
    "Bearer token",
    "AWS AK:c2ln",
    `${good}, ${good}`,
    `${good}, ${signed}`,
    `AWS4-HMAC-SHA256 ${credential}, ${names}`,
    good.replace("SHA256", "SHA512"),
    good.replace("aws4_request", "aws4"),
    good.replace("20240102", "2024-01-02"),
    good.replace("us-west-2", "us west"),
    good.replace("us-west-2", "evil.example"),
    good.replace("AK/", "/"),
    good.replace("=host", "="),
    good.replace("=host", "=Host"),
    good.replace("=host", "=host;;x"),
    good.replace("=host", "=ho(st"),
    good.replace(/0{64}/, "0".repeat(63)),
    good.replace(/0{64}/, "G".repeat(64)),
  ];
  for (const text of bad) assert.equal(parseAuthorization(text), undefined, text);
  assert.equal(parseCredential("AK/20240102/us-west-2/s3/aws4_request/x"), undefined);
});

Deno.test("a timestamp is read only if it is of SigV4's form and exists", () => {
  assert.equal(formatTimestamp(new Date("2024-01-02T03:04:05.678Z")), timestamp);
  assert.deepEqual(parseTimestamp(timestamp), new Date("2024-01-02T03:04:05Z"));
  for (const text of ["", "2024-01-02T03:04:05Z", "20240230T000000Z", "20240102T250000Z"]) {
    assert.equal(parseTimestamp(text), undefined, text);
  }
  assert.equal(requestTimestamp(new Headers({ date: timestamp })), timestamp);
  assert.equal(requestTimestamp(new Headers({ date: "yesterday" })), undefined);
  assert.equal(requestTimestamp(new Headers({ "x-amz-date": "1 GMT x" })), undefined);
  assert.equal(requestTimestamp(new Headers()), undefined);
});
