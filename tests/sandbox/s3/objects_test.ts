import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { element, elements, startAws } from "../aws.ts";

Deno.test("keys are kept byte for byte", async () => {
  const aws = await startAws();
  const keys = [".", "..", "a//b", "/lead", "a/../b", "%2F", "a+b", "ü ", "\u{10000}", "\uffee"];
  for (const key of keys) {
    const raw = key.split("/").map(encodeURIComponent).join("/");
    assert.equal((await aws.s3("PUT", `/bkt/${raw}`, { body: key })).status, 200, key);
  }
  for (const key of keys) {
    const raw = key.split("/").map(encodeURIComponent).join("/");
    assert.equal(await (await aws.s3("GET", `/bkt/${raw}`)).text(), key);
  }
  const xml = await (await aws.s3("GET", "/bkt", { query: "list-type=2" })).text();
  const bytes = (key: string) => new TextEncoder().encode(key).toHex();
  const sorted = [...keys].sort((a, b) => bytes(a) < bytes(b) ? -1 : 1);
  assert.deepEqual(elements(xml, "Key"), sorted);
});

Deno.test("aws-chunked bodies are unwrapped and their trailing checksum is verified", async () => {
  const aws = await startAws();
  const put = (trailer: string) =>
    aws.s3("PUT", "/bkt/k", {
      body: `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${trailer}\r\n\r\n`,
      payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      headers: {
        "content-encoding": "aws-chunked,gzip",
        "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32",
      },
    });
  assert.equal((await put("NhCmhg==")).headers.get("x-amz-checksum-crc32"), "NhCmhg==");
  const wrong = await put("AAAAAA==");
  assert.equal(wrong.status, 400);
  assert.equal(element(await wrong.text(), "Code"), "BadDigest");
  const kept = await aws.s3("GET", "/bkt/k", { headers: { "x-amz-checksum-mode": "ENABLED" } });
  assert.equal(await kept.text(), "hello");
  assert.equal(kept.headers.get("content-encoding"), "gzip");
  assert.equal(kept.headers.get("x-amz-checksum-crc32"), "NhCmhg==");
});

Deno.test("a body that is not what its digest or length says is not stored", async () => {
  const aws = await startAws();
  const md5 = createHash("md5").update("other").digest("base64");
  const cases = [
    [{ headers: { "content-md5": md5 } }, "BadDigest"],
    [{ headers: { "content-md5": "x" } }, "InvalidDigest"],
    [{ payloadHash: "0".repeat(64) }, "XAmzContentSHA256Mismatch"],
    [{ headers: { "x-amz-checksum-sha256": btoa("0".repeat(32)) } }, "BadDigest"],
  ] as const;
  for (const [parts, code] of cases) {
    const response = await aws.s3("PUT", "/bkt/k", { body: "hello", ...parts });
    assert.equal(element(await response.text(), "Code"), code);
  }
  assert.equal((await aws.s3("HEAD", "/bkt/k")).status, 404);
});

Deno.test("ranges are clipped, suffixed, ignored or refused as S3 does", async () => {
  const aws = await startAws();
  await aws.s3("PUT", "/bkt/k", { body: "0123456789" });
  const cases = [
    ["bytes=2-4", 206, "234"],
    ["bytes=7-99", 206, "789"],
    ["bytes=-3", 206, "789"],
    ["bytes=4-", 206, "456789"],
    ["bytes=4-2", 200, "0123456789"],
    ["bytes=1-2,4-5", 200, "0123456789"],
    ["lines=1", 200, "0123456789"],
  ] as const;
  for (const [range, status, text] of cases) {
    const response = await aws.s3("GET", "/bkt/k", { headers: { range } });
    assert.deepEqual([response.status, await response.text()], [status, text], range);
  }
  const beyond = await aws.s3("GET", "/bkt/k", { headers: { range: "bytes=10-" } });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get("content-range"), "bytes */10");
  assert.equal(element(await beyond.text(), "Code"), "InvalidRange");
});

Deno.test("conditions on reads, writes and deletes hold in S3's order", async () => {
  const aws = await startAws();
  const put = await aws.s3("PUT", "/bkt/k", { body: "hello" });
  const etag = put.headers.get("etag") ?? "";
  const bare = etag.replaceAll('"', "");
  const status = async (method: string, headers: Record<string, string>, path = "/bkt/k") => {
    const response = await aws.s3(method, path, { headers });
    await response.body?.cancel();
    return response.status;
  };
  const past = new Date(Date.UTC(2020, 0)).toUTCString();
  const modified = new Date(Date.UTC(2026, 10, 23, 12)).toUTCString();
  assert.equal(await status("GET", { "if-match": bare }), 200);
  assert.equal(await status("GET", { "if-match": '"other"' }), 412);
  assert.equal(await status("GET", { "if-match": etag, "if-unmodified-since": past }), 200);
  assert.equal(await status("GET", { "if-unmodified-since": past }), 412);
  assert.equal(await status("GET", { "if-none-match": `"x", ${etag}` }), 304);
  assert.equal(await status("GET", { "if-none-match": '"x"', "if-modified-since": modified }), 200);
  assert.equal(await status("HEAD", { "if-modified-since": modified }), 304);
  assert.equal(await status("PUT", { "if-none-match": "*" }), 412);
  assert.equal(await status("PUT", { "if-match": "other" }), 412);
  assert.equal(await status("PUT", { "if-match": "*" }, "/bkt/absent"), 404);
  assert.equal(await status("DELETE", { "if-match": "other" }), 412);
  assert.equal(await status("DELETE", { "if-match": "other" }, "/bkt/absent"), 204);
  assert.equal(await status("DELETE", { "if-match": etag }), 204);
});

Deno.test("an object replaced while it is read is read to its old end", async () => {
  const aws = await startAws();
  await aws.s3("PUT", "/bkt/k", { body: "old" });
  const response = await aws.s3("GET", "/bkt/k");
  await aws.s3("PUT", "/bkt/k", { body: "new" });
  assert.equal(await response.text(), "old");
});

Deno.test("a copy onto itself needs a change, and a source that does not match is refused", async () => {
  const aws = await startAws();
  await aws.s3("PUT", "/bkt/a+b", { body: "x", headers: { "x-amz-meta-a": "1" } });
  const copy = async (headers: Record<string, string>) => {
    const response = await aws.s3("PUT", "/bkt/a%2Bb", {
      headers: { "x-amz-copy-source": "/bkt/a%2Bb", ...headers },
    });
    return element(await response.text(), "Code");
  };
  assert.equal(await copy({}), "InvalidRequest");
  assert.equal(await copy({ "x-amz-copy-source-if-none-match": "*" }), "PreconditionFailed");
  assert.equal(await copy({ "x-amz-copy-source": "bkt" }), "InvalidArgument");
  assert.equal(await copy({ "x-amz-copy-source": "bkt/none" }), "NoSuchKey");
  const replaces = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2" };
  assert.equal(await copy(replaces), undefined);
  const { headers } = await aws.s3("HEAD", "/bkt/a%2Bb");
  assert.deepEqual([headers.get("x-amz-meta-a"), headers.get("x-amz-meta-b")], [null, "2"]);
});
