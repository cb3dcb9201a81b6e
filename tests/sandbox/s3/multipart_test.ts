import assert from "node:assert/strict";
import { element, startAws } from "../aws.ts";

Deno.test("an upload in parts is checked as it is completed, and can be completed again", async () => {
  const aws = await startAws();
  const created = await aws.s3("POST", "/bkt/k", { query: "uploads=" });
  const id = element(await created.text(), "UploadId") ?? "";
  const part = async (number: number, body: string | Uint8Array) => {
    const query = `uploadId=${id}&partNumber=${number}`;
    return (await aws.s3("PUT", "/bkt/k", { query, body })).headers.get("etag") ?? "";
  };
  const small = await part(1, "small");
  const last = await part(2, "end");
  const complete = async (...parts: (readonly [number, string])[]) => {
    const list = parts.map(([number, etag]) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`
    );
    const body = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
    return await (await aws.s3("POST", "/bkt/k", { query: `uploadId=${id}`, body })).text();
  };
  assert.equal(element(await complete([1, small], [2, last]), "Code"), "EntityTooSmall");
  assert.equal(element(await complete([2, last], [1, small]), "Code"), "InvalidPartOrder");
  assert.equal(element(await complete([1, last]), "Code"), "InvalidPart");
  assert.equal(element(await complete([7, last]), "Code"), "InvalidPart");
  assert.equal(element(await complete(), "Code"), "MalformedXML");
  assert.equal((await aws.s3("HEAD", "/bkt/k")).status, 404);
  const large = await part(1, new Uint8Array(5 * 1024 * 1024));
  const etag = element(await complete([1, large], [2, last]), "ETag");
  assert.match(etag ?? "", /^&quot;[0-9a-f]{32}-2&quot;$/);
  assert.equal(element(await complete([1, large], [2, last]), "ETag"), etag);
  const head = await aws.s3("HEAD", "/bkt/k");
  assert.equal(head.headers.get("content-length"), `${5 * 1024 * 1024 + 3}`);
  const gone = await aws.s3("GET", "/bkt/k", { query: `uploadId=${id}` });
  assert.equal(element(await gone.text(), "Code"), "NoSuchUpload");
});
