import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { declaredDigests } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { openBody } from "../../routes/body.ts";
import { newAudit } from "../../routes/context.ts";

const small = 64 * 1024;

/** Opens a body as a handler does; what was read of it is in the audit. */
function open(
  body: BodyInit,
  bytes: number,
  fields: Record<string, string> = {},
  idleMilliseconds = 60_000,
) {
  const headers = new Headers(fields);
  const request = new Request("http://a/", { method: "PUT", body });
  const audit = newAudit();
  const sender = { request, headers, audit, principal: {}, deps: { idleMilliseconds } };
  return { audit, opened: openBody(sender, bytes, declaredDigests(headers)) };
}

const refused = (s3: string) => (error: unknown) =>
  error instanceof Failure && error.kind === "invalid" && error.details.s3 === s3;
const md5 = (text: string) => createHash("md5").update(text).digest("base64");

Deno.test("a small body is in memory and verified before anything is done with it", async () => {
  for (const bytes of [0, 1, small]) {
    const text = "x".repeat(bytes);
    const { opened, audit } = open(text, bytes, { "content-md5": md5(text) });
    const { body } = await opened;
    assert.ok(body instanceof Uint8Array);
    assert.equal(new TextDecoder().decode(body), text);
    assert.equal(audit.bytesIn, bytes);
  }
  const { body } = await open("x".repeat(small + 1), small + 1).opened;
  assert.ok(body instanceof ReadableStream);
  await body.cancel();
});

Deno.test("a small body with a wrong digest or length is never given out", async () => {
  const sha256 = createHash("sha256").update("other").digest("hex");
  for (
    const [name, value, code] of [
      ["content-md5", md5("other"), "BadDigest"],
      ["x-amz-checksum-crc32", "AAAAAA==", "BadDigest"],
      ["x-amz-checksum-crc32c", "AAAAAA==", "BadDigest"],
      ["x-amz-content-sha256", sha256, "XAmzContentSHA256Mismatch"],
    ] as const
  ) {
    await assert.rejects(open("text", 4, { [name]: value }).opened, refused(code), name);
  }
  await assert.rejects(open("text", 5).opened, refused("IncompleteBody"));
  await assert.rejects(open("text", 3).opened, refused("IncompleteBody"));
  await assert.rejects(open("text", 0).opened, refused("IncompleteBody"));
});

Deno.test("a small body in chunks is unframed, and held to its trailer and its end", async () => {
  const framed = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": "4",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const right = "4\r\ntext\r\n0\r\nx-amz-checksum-crc32:O4unxw==\r\n\r\n";
  const { body, checksums } = await open(right, 4, framed).opened;
  assert.ok(body instanceof Uint8Array);
  assert.equal(new TextDecoder().decode(body), "text");
  assert.deepEqual(checksums(), { "x-amz-checksum-crc32": "O4unxw==" });
  const wrong = right.replace("O4unxw==", "AAAAAA==");
  await assert.rejects(open(wrong, 4, framed).opened, refused("BadDigest"));
  await assert.rejects(open(right.slice(0, -30), 4, framed).opened, refused("InvalidRequest"));
  await assert.rejects(open("4\r\ntext\r\n", 4, framed).opened, refused("IncompleteBody"));
  await assert.rejects(open("9\r\ntextiles!\r\n", 4, framed).opened, refused("IncompleteBody"));
});

Deno.test("a small body that stands still or breaks is let go of, with its reason", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const still = new ReadableStream<Uint8Array>({ cancel: (why) => cancelled.resolve(why) });
  await assert.rejects(open(still, 4, {}, 5).opened, refused("RequestTimeout"));
  assert.match(String(await cancelled.promise), /No byte of the body came/);
  const broken = new Error("broken");
  const breaking = new ReadableStream<Uint8Array>({ start: (own) => own.error(broken) });
  await assert.rejects(open(breaking, 4).opened, broken);
});
