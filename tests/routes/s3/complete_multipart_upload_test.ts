import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { readCompleteDocument } from "../../../routes/s3/complete_multipart_upload.ts";

const read = (text: string) => readCompleteDocument(new TextEncoder().encode(text));
const wrap = (parts: string, more = "") =>
  `<CompleteMultipartUpload${more}>${parts}</CompleteMultipartUpload>`;

Deno.test("ETags come with quotes, without, and with quotes as entities", async () => {
  for (const etag of ["abc", '"abc"', "&quot;abc&quot;", "&#34;abc&#34;", "\n  abc\n"]) {
    const text = wrap(`<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`);
    assert.deepEqual(await read(text), [{ number: 1, etag: "abc", checksums: {} }], etag);
  }
});

Deno.test("the namespace and the order of elements do not matter, and checksums are read", async () => {
  const text = wrap(
    "<Part><ChecksumSHA256>x=</ChecksumSHA256><ETag>a</ETag><PartNumber> 2 </PartNumber></Part>" +
      "<Part><ETag>b</ETag><PartNumber>1</PartNumber><ChecksumCRC32></ChecksumCRC32></Part>",
    ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
  );
  assert.deepEqual(await read(text), [
    { number: 2, etag: "a", checksums: { "x-amz-checksum-sha256": "x=" } },
    { number: 1, etag: "b", checksums: {} },
  ]);
});

Deno.test("a document without parts, or with a broken one, is malformed", async () => {
  const texts = [
    "",
    "{}",
    wrap(""),
    "<Other/>",
    wrap("<Part><PartNumber>1</PartNumber></Part>"),
    wrap("<Part><PartNumber>one</PartNumber><ETag>a</ETag></Part>"),
    wrap("<Part><PartNumber>-1</PartNumber><ETag>a</ETag></Part>"),
    wrap("<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>".repeat(10_001)),
  ];
  for (const text of texts) {
    const isMalformed = (error: unknown) =>
      error instanceof Failure && error.details.s3 === "MalformedXML";
    await assert.rejects(read(text), isMalformed, text.slice(0, 80));
  }
});
