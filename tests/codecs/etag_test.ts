import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { etagOf, isS3Etag, isTagged, multipartEtag } from "../../codecs/etag.ts";
import { fileId, jobId } from "../../codecs/ids.ts";
import { resultsId } from "../../codecs/results_id.ts";

Deno.test("an object's ETag is its own, else that of results, else its file's id", () => {
  const sha256 = "ab".repeat(32);
  const results = resultsId(jobId("abcdefghij01"), sha256);
  assert.equal(etagOf({ file: fileId("file-a") }), "file-a");
  assert.equal(etagOf({ file: fileId("files/a"), etag: "0f" }), "0f");
  assert.equal(etagOf({ file: results }), `${sha256.slice(0, 32)}-1`);
  for (const text of [results, etagOf({ file: results })]) {
    assert.equal(isTagged({ file: results }, ["x", text]), true, text);
  }
  assert.equal(isTagged({ file: results }, ["x", sha256.slice(0, 32)]), false);
});

Deno.test("S3's own ETags are told from other texts", () => {
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
