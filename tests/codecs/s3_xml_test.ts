import { equal, ok } from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { s3Error } from "../../codecs/s3_errors.ts";
import {
  childText,
  type ListBucketResult,
  parseXml,
  renderListBucketResult,
  renderListBucketResultV1,
  renderS3Error,
  renderXml,
} from "../../codecs/s3_xml.ts";
import { encodeUri } from "../../codecs/uri.ts";

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** A page with nothing on it, and what a test wants to differ. */
function page(changes: Partial<ListBucketResult>): ListBucketResult {
  return { bucket: "b", prefix: "", maxKeys: 1000, contents: [], commonPrefixes: [], ...changes };
}

const modifiedAt = Date.parse("2026-01-01T00:00:00Z");

Deno.test("an error document has S3's elements and no namespace", async () => {
  const failure = new Failure("not-found", "The key <k> does not exist.", { fields: { Key: "k" } });
  equal(
    await renderS3Error({ ...s3Error(failure), requestId: "R", resource: "/b/k", hostId: "H" }),
    `${declaration}<Error><Code>NoSuchKey</Code><Message>The key &lt;k&gt; does not exist.</Message>` +
      "<Key>k</Key><Resource>/b/k</Resource><RequestId>R</RequestId><HostId>H</HostId></Error>",
  );
});

Deno.test("an error document leaves out what is not known", async () => {
  equal(
    await renderS3Error({ code: "SlowDown", message: "Wait.", requestId: "R" }),
    `${declaration}<Error><Code>SlowDown</Code><Message>Wait.</Message><RequestId>R</RequestId></Error>`,
  );
});

Deno.test("any document is rendered from its elements, with lists, numbers and empty texts", async () => {
  equal(
    await renderXml("R", { A: ["1", { B: 2 }], C: "", D: false, E: undefined, F: [], G: [] }),
    `${declaration}<R ${namespace}><A>1</A><A><B>2</B></A><C></C><D>false</D></R>`,
  );
  equal(
    await renderXml("LocationConstraint", "us-west-2"),
    `${declaration}<LocationConstraint ${namespace}>us-west-2</LocationConstraint>`,
  );
  equal(
    await renderXml("LocationConstraint", ""),
    `${declaration}<LocationConstraint ${namespace}></LocationConstraint>`,
  );
});

Deno.test("a page of V2 holds objects, common prefixes and where the next begins", async () => {
  const text = await renderListBucketResult({
    bucket: "b",
    prefix: "p/",
    delimiter: "/",
    maxKeys: 2,
    encodingType: "url",
    nextContinuationToken: "T",
    contents: [{ key: "p/a+b", modifiedAt, etag: "file-abc", size: 10 }],
    commonPrefixes: ["p/x y/"],
  });
  equal(
    text,
    `${declaration}<ListBucketResult ${namespace}><Name>b</Name><Prefix>p/</Prefix>` +
      "<Delimiter>/</Delimiter><MaxKeys>2</MaxKeys><EncodingType>url</EncodingType>" +
      "<NextContinuationToken>T</NextContinuationToken><KeyCount>2</KeyCount>" +
      "<IsTruncated>true</IsTruncated><Contents><Key>p/a%2Bb</Key>" +
      "<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;file-abc&quot;</ETag>" +
      "<Size>10</Size><StorageClass>STANDARD</StorageClass></Contents>" +
      "<CommonPrefixes><Prefix>p/x%20y/</Prefix></CommonPrefixes></ListBucketResult>",
  );
});

Deno.test("the last page of V2 has no token and an empty prefix is echoed", async () => {
  const root = await parseXml(await renderListBucketResult(page({})), { maxBytes: 10_000 });
  equal(childText(root, "IsTruncated"), "false");
  equal(childText(root, "KeyCount"), "0");
  equal(childText(root, "Prefix"), "");
  for (const absent of ["NextContinuationToken", "ContinuationToken", "StartAfter", "Delimiter"]) {
    equal(childText(root, absent), undefined, absent);
  }
});

Deno.test("encoding-type=url encodes every name but never a token", async () => {
  const text = await renderListBucketResult(page({
    encodingType: "url",
    prefix: "ü ",
    delimiter: "+",
    startAfter: "a&b",
    continuationToken: "t+/=",
    nextContinuationToken: "n+/=",
    contents: [{ key: "\u0001\r/\u{1f600}", modifiedAt, etag: "e", size: 0 }],
    commonPrefixes: ["'()*+"],
  }));
  const root = await parseXml(text, { maxBytes: 10_000 });
  equal(childText(root, "Prefix"), "%C3%BC%20");
  equal(childText(root, "Delimiter"), "%2B");
  equal(childText(root, "StartAfter"), "a%26b");
  equal(childText(root, "ContinuationToken"), "t+/=");
  equal(childText(root, "NextContinuationToken"), "n+/=");
  ok(text.includes("<Key>%01%0D/%F0%9F%98%80</Key>"));
  ok(text.includes("<CommonPrefixes><Prefix>%27%28%29%2A%2B</Prefix></CommonPrefixes>"));
});

Deno.test("an empty continuation token is echoed", async () => {
  const text = await renderListBucketResult(page({ continuationToken: "" }));
  ok(text.includes("<ContinuationToken></ContinuationToken>"));
});

Deno.test("V1 lists markers, owners and storage classes", async () => {
  const text = await renderListBucketResultV1({
    ...page({ encodingType: "url", delimiter: "/" }),
    marker: "m n",
    isTruncated: true,
    nextMarker: "x+",
    contents: [{
      key: "k",
      modifiedAt,
      etag: "e",
      size: 1,
      storageClass: "GLACIER",
      owner: { id: "i", displayName: "d" },
    }],
  });
  ok(text.includes("<Marker>m%20n</Marker><NextMarker>x%2B</NextMarker>"));
  ok(text.includes("<IsTruncated>true</IsTruncated>"));
  ok(text.includes("<Owner><ID>i</ID><DisplayName>d</DisplayName></Owner>"));
  ok(text.includes("<StorageClass>GLACIER</StorageClass>"));
  ok(!text.includes("KeyCount"));
});

Deno.test("without encoding-type a key is escaped and a carriage return is a reference", async () => {
  const key = "a&b<c>\"d'\r\n\t%01 ü\u{1f600}";
  const text = await renderListBucketResult(page({
    contents: [{ key, modifiedAt, etag: "e", size: 0 }],
  }));
  ok(
    text.includes("<Key>a&amp;b&lt;c&gt;&quot;d'&#xD;\n\t%01 ü\u{1f600}</Key>"),
    text,
  );
  const root = await parseXml(text, { maxBytes: 10_000 });
  equal(childText(root.children.find(({ name }) => name === "Contents")!, "Key"), key);
});

Deno.test("a page with a name that XML cannot hold is written in encoding-type=url, and says so", async () => {
  for (const name of ["a\0b", "\u0001", "x\u001f", "\ufffe", "%\uffff"]) {
    const object = { key: name, modifiedAt, etag: "e", size: 0 };
    const encoded = encodeUri(name, true);
    for (
      const text of [
        renderListBucketResult(page({ contents: [object] })),
        renderListBucketResult(page({ commonPrefixes: [name] })),
        renderListBucketResult(page({ startAfter: name })),
        renderListBucketResult(page({ prefix: name })),
        renderListBucketResultV1({ ...page({}), marker: name, isTruncated: false }),
        renderListBucketResultV1({
          ...page({}),
          marker: "",
          isTruncated: true,
          nextMarker: name,
        }),
      ]
    ) {
      const root = await parseXml(text, { maxBytes: 10_000 });
      equal(childText(root, "EncodingType"), "url");
      ok(text.includes(`>${encoded}<`), text);
    }
  }
});

Deno.test("text outside of lists has what XML cannot hold percent-encoded", async () => {
  const text = renderS3Error({
    code: "C",
    message: "m",
    requestId: "r",
    fields: { Key: "a\0%\u0001\ufffe" },
  });
  const root = await parseXml(text, { maxBytes: 10_000 });
  equal(childText(root, "Key"), "a%00%%01%EF%BF%BE");
});

Deno.test("text that looks like markup, an entity or a builder's option stays text", async () => {
  for (
    const text of ["]]>", "&amp;", "&#x41;", "<!-- c -->", "#text", "@xmlns", " ", "0.0", "true"]
  ) {
    const root = await parseXml(await renderXml("R", { A: text }), { maxBytes: 1000 });
    equal(childText(root, "A"), text);
  }
});
