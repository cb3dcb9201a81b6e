import assert from "node:assert/strict";
import { linkForm, withLinkHeaders } from "../../codecs/presigned_headers.ts";

const signature: [string, string] = ["X-Amz-Signature", "0".repeat(64)];

Deno.test("a link's headers join those that were sent, which win", () => {
  const sent = new Headers({ "x-amz-meta-a": "sent" });
  const all = withLinkHeaders(sent, [
    signature,
    ["X-Amz-Date", "20260101T000000Z"],
    ["x-amz-meta-a", "link"],
    ["X-Amz-Meta-B", "ü"],
    ["X-Amz-Copy-Source", "bucket/key"],
    ["partNumber", "1"],
  ]);
  assert.deepEqual([...all], [
    ["x-amz-copy-source", "bucket/key"],
    ["x-amz-meta-a", "sent"],
    // The two bytes of its UTF-8, as they would have come in a header.
    ["x-amz-meta-b", "Ã¼"],
  ]);
  assert.deepEqual([...sent], [["x-amz-meta-a", "sent"]]);
});

Deno.test("a query that is not signed holds no headers", () => {
  const headers = new Headers();
  assert.equal(withLinkHeaders(headers, [["x-amz-copy-source", "bucket/key"]]), headers);
});

Deno.test("a line break in a link's header is refused", () => {
  assert.throws(
    () => withLinkHeaders(new Headers(), [signature, ["x-amz-meta-a", "1\r\nx-evil: 2"]]),
    { kind: "invalid" },
  );
});

Deno.test("the checksum of an empty body becomes no header, nor does the signature's own", () => {
  const all = withLinkHeaders(new Headers(), [
    signature,
    ["x-amz-checksum-crc32", "AAAAAA=="],
    ["x-amz-sdk-checksum-algorithm", "CRC32"],
    ["x-amz-content-sha256", "UNSIGNED-PAYLOAD"],
  ]);
  assert.deepEqual([...all], []);
});

Deno.test("Expires and Signature are a signature's only beside an AWSAccessKeyId", () => {
  const older = linkForm(new Set(["awsaccesskeyid", "signature", "expires"]));
  assert.ok(older.isPresigned && older.isSignature("expires"));
  const plain = linkForm(new Set(["signature", "expires"]));
  assert.ok(!plain.isPresigned && !plain.isSignature("expires"));
});
