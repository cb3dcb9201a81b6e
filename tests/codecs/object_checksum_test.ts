import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { createDigestTap } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import {
  algorithmName,
  compositeChecksum,
  computedDigest,
  typeOfChecksum,
  wantedChecksum,
} from "../../codecs/object_checksum.ts";

const asked = (algorithm?: string, type?: string) =>
  wantedChecksum(
    new Headers({
      ...(algorithm !== undefined && { "x-amz-checksum-algorithm": algorithm }),
      ...(type !== undefined && { "x-amz-checksum-type": type }),
    }),
  );

Deno.test("an upload's checksum has S3's default type unless another is asked for", () => {
  assert.equal(asked(), undefined);
  const header = (name: string) => `x-amz-checksum-${name}`;
  assert.deepEqual(asked("CRC32"), { header: header("crc32"), type: "COMPOSITE" });
  assert.deepEqual(asked("crc32c", "FULL_OBJECT"), {
    header: header("crc32c"),
    type: "FULL_OBJECT",
  });
  assert.deepEqual(asked("CRC64NVME"), { header: header("crc64nvme"), type: "FULL_OBJECT" });
  assert.deepEqual(asked("SHA256"), { header: header("sha256"), type: "COMPOSITE" });
});

Deno.test("what S3 does not offer is refused", () => {
  const wrong = [["SHA256", "FULL_OBJECT"], ["CRC64NVME", "COMPOSITE"], ["MD4"], [
    undefined,
    "COMPOSITE",
  ]];
  for (const [algorithm, type] of wrong) {
    const isRefused = (error: unknown) =>
      error instanceof Failure && error.details.s3 === "InvalidRequest";
    assert.throws(() => asked(algorithm, type), isRefused, `${algorithm} ${type}`);
  }
});

Deno.test("a composite checksum is that of the parts' checksums, with their number", async () => {
  const digests = ["one", "two"].map((text) => createHash("sha1").update(text).digest());
  const expected = createHash("sha1").update(Buffer.concat(digests)).digest("base64");
  const parts = digests.map((digest) => digest.toString("base64"));
  const value = await compositeChecksum("x-amz-checksum-sha1", parts);
  assert.equal(value, `${expected}-2`);
  assert.equal(typeOfChecksum(value), "COMPOSITE");
  assert.equal(typeOfChecksum(expected), "FULL_OBJECT");
});

Deno.test("a digest that is not declared is only computed", async () => {
  const digest = computedDigest("x-amz-checksum-crc32");
  assert.ok(digest);
  const tap = await createDigestTap([digest]);
  tap.update(new TextEncoder().encode("hello"));
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32("hello"));
  assert.deepEqual(tap.verify(), { "x-amz-checksum-crc32": bytes.toString("base64") });
  assert.equal(computedDigest("content-md5"), undefined);
  assert.equal(algorithmName("x-amz-checksum-crc64nvme"), "CRC64NVME");
});
