import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { isS3Etag, isTagged, multipartEtag, resultsEtag } from "../../codecs/etag.ts";
import { jobId } from "../../codecs/ids.ts";
import { resultsId } from "../../codecs/results_id.ts";

Deno.test("an object is named by its ETag and by its file's id, and results have S3's multipart form", () => {
  const sha256 = "ab".repeat(32);
  const results = resultsId(jobId("abcdefghij01"), sha256);
  const etag = resultsEtag(sha256);
  assert.equal(etag, `${sha256.slice(0, 32)}-1`);
  for (const text of [results, etag]) {
    assert.equal(isTagged({ file: results, etag }, ["x", text]), true, text);
  }
  assert.equal(isTagged({ file: results, etag }, ["x", sha256.slice(0, 32)]), false);
  assert.equal(isTagged({ file: "files/a", etag: "0f" }, ["files/a"]), true);
});

Deno.test("S3's own ETags are distinguished from other texts", () => {
  const md5 = "0123456789abcdef0123456789abcdef";
  for (const text of [md5, `${md5}-1`, `${md5}-10000`]) assert.equal(isS3Etag(text), true, text);
  for (
    const text of ["", "file-a", md5.toUpperCase(), `${md5}-0`, `${md5}-`, `${md5}0`, `"${md5}"`]
  ) {
    assert.equal(isS3Etag(text), false, text);
  }
});

Deno.test("the ETag of parts is the MD5 of their MD5s and their number", () => {
  const parts = ["a", "bc", ""].map((text) => createHash("md5").update(text).digest());
  const expected = createHash("md5").update(parts[0] ?? "").update(parts[1] ?? "")
    .update(parts[2] ?? "").digest("hex");
  assert.equal(multipartEtag(parts.map((md5) => md5.toString("hex"))), `${expected}-3`);
});
