import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import {
  childrenNamed,
  childText,
  parseXml,
  type ParseXmlOptions,
} from "../../codecs/xml_reader.ts";

const bounds: ParseXmlOptions = { maxBytes: 10_000 };

async function refuses(document: string | Uint8Array, options = bounds): Promise<void> {
  await rejects(parseXml(document, options), (error) => {
    ok(error instanceof Failure, String(error));
    deepEqual([error.kind, error.details.s3], ["invalid", "MalformedXML"]);
    return true;
  }, `accepted ${JSON.stringify(document)}`);
}

Deno.test("a request is read with or without declaration, namespace, prefix and white space", async () => {
  const inner = "<Object><Key>a</Key></Object><Object><Key>b</Key></Object><Quiet>true</Quiet>";
  for (
    const document of [
      `<Delete>${inner}</Delete>`,
      `<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</Delete>\n`,
      `<!-- c --><Delete><?pi x?>${inner.replaceAll("><", ">\n  <")}</Delete><!-- c -->`,
      `<s:Delete xmlns:s="x">${inner.replaceAll(/<(\/?)/g, "<$1s:")}</s:Delete>`,
    ]
  ) {
    const root = await parseXml(document, { ...bounds, root: "Delete" });
    deepEqual(childrenNamed(root, "Object").map((object) => childText(object, "Key")), ["a", "b"]);
    equal(childText(root, "Quiet"), "true");
    equal(childText(root, "VersionId"), undefined);
  }
});

Deno.test("text is kept to the letter: white space, zeros, references and CDATA", async () => {
  const cases: [string, string][] = [
    [" a  b ", " a  b "],
    ["007", "007"],
    ["1e5", "1e5"],
    ["", ""],
    ["&quot;x&#34;&#x22;&apos;&lt;&gt;&amp;", '"x""\'<>&'],
    ["&amp;lt;", "&lt;"],
    ["&#128512;&#x1F600;", "\u{1f600}\u{1f600}"],
    ["&#13;\n&#xA;", "\r\n\n"],
    ["a\r\nb", "a\nb"],
    ["<![CDATA[<&amp;>]]>&amp;z", "<&amp;>&z"],
    ["q<!-- c -->r", "qr"],
    ["ü", "ü"],
  ];
  for (const [written, read] of cases) {
    equal(childText(await parseXml(`<R><K>${written}</K></R>`, bounds), "K"), read, written);
  }
  equal(childText(await parseXml("<R><K/></R>", bounds), "K"), "");
});

Deno.test("bytes are read as UTF-8, with a byte order mark too", async () => {
  const bytes = new TextEncoder().encode("\ufeff<R>ü</R>");
  equal((await parseXml(bytes, bounds)).text, "ü");
  await refuses(Uint8Array.of(0x3c, 0x52, 0x3e, 0xff, 0x3c, 0x2f, 0x52, 0x3e));
});

Deno.test("a document type is refused, and so is every entity that is not XML's own", async () => {
  await refuses('<!DOCTYPE R [<!ENTITY a "b">]><R>&a;</R>');
  await refuses('<!DOCTYPE R SYSTEM "file:///etc/passwd"><R/>');
  for (
    const entity of [
      "&a;",
      "&nbsp;",
      "&",
      "&amp",
      "&;",
      "&#;",
      "&#x;",
      "&#0;",
      "&#x1;",
      "&#31;",
      "&#xFFFE;",
      "&#xD800;",
    ]
  ) {
    await refuses(`<R>${entity}</R>`);
  }
  await refuses("<R>&#x110000;</R>");
  await refuses("<R>&#99999999;</R>");
  await refuses("<R>&constructor;</R>");
  for (const character of ["\0", "\u0001", "\u001f", "\uffff", "\ud800"]) {
    await refuses(`<R>${character}</R>`);
    await refuses(`<R a="${character}"><![CDATA[${character}]]></R>`);
  }
});

Deno.test("what is not one well-formed element is refused", async () => {
  for (
    const document of [
      "",
      " ",
      "text",
      "{}",
      "<R>",
      "<R",
      "</R>",
      "<R></S>",
      "<R><A></R>",
      "<R><A></R></A>",
      "<R/><S/>",
      "<R/>text",
      "text<R/>",
      "<R a=1/>",
      "<R><![CDATA[</R>",
      "<R><!-- </R>",
      "<__proto__>x</__proto__>",
    ]
  ) {
    await refuses(document);
  }
});

Deno.test("the outermost element must have the name that is asked for", async () => {
  equal((await parseXml("<Delete/>", { ...bounds, root: "Delete" })).name, "Delete");
  await refuses("<Remove/>", { ...bounds, root: "Delete" });
});

Deno.test("depth is bounded at the element, whatever it holds", async () => {
  const nested = (depth: number, inner: string) =>
    "<A>".repeat(depth) + inner + "</A>".repeat(depth);
  for (const inner of ["", "x"]) {
    await parseXml(nested(3, inner), { ...bounds, maxDepth: 3 });
    await refuses(nested(4, inner), { ...bounds, maxDepth: 3 });
  }
  await refuses(nested(3, "<A/>"), { ...bounds, maxDepth: 3 });
  await refuses(nested(100_000, ""), { maxBytes: 1_000_000 });
});

Deno.test("size is bounded in bytes", async () => {
  const document = `<R>${"ü".repeat(10)}</R>`;
  equal((await parseXml(document, { maxBytes: 27 })).text.length, 10);
  await refuses(document, { maxBytes: 26 });
  await refuses(new TextEncoder().encode(document), { maxBytes: 26 });
});

Deno.test("a crowd of elements or attributes is refused before it is parsed", async () => {
  const wide: ParseXmlOptions = { maxBytes: 8_000_000 };
  await refuses(`<Delete>${"<a/>".repeat(200_001)}</Delete>`, wide);
  await refuses(`<Delete${' a="1"'.repeat(1_001)}></Delete>`, wide);
  await refuses(`<Delete>${"&amp;".repeat(100_001)}</Delete>`, wide);
  // The largest that S3 has: 10,000 parts, each with all its checksums.
  const part = "<Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag>" +
    ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]
      .map((name) => `<Checksum${name}>AAAA==</Checksum${name}>`).join("") +
    "</Part>";
  const root = "CompleteMultipartUpload";
  const whole = await parseXml(`<${root}>${part.repeat(10_000)}</${root}>`, wide);
  equal(childrenNamed(whole, "Part").length, 10_000);
});
