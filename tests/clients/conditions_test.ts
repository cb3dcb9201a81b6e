import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { line, s3, s3Error } from "./calls.ts";
import { heldFiles, withGateway } from "./session.ts";
import { s3Head, wireTo } from "./wire.ts";
import type { TestGateway } from "../gateway.ts";

/** Puts an object; its ETag, and the answer's status. */
async function put(gateway: TestGateway, path: string, headers: Record<string, string> = {}) {
  const answer = await s3(gateway, "PUT", path, "openai", { headers, body: line });
  await answer.body?.cancel();
  return { status: answer.status, etag: answer.headers.get("etag") ?? "" };
}

async function statusOf(answer: Response): Promise<number> {
  await answer.body?.cancel();
  return answer.status;
}

Deno.test("a put, a copy and a Complete spare the objects that If-None-Match names", () =>
  withGateway(async (gateway) => {
    const { etag } = await put(gateway, "/conditional/a");
    const copy = (tag: string) =>
      s3(gateway, "PUT", "/conditional/a", "openai", {
        headers: { "if-none-match": tag, "x-amz-copy-source": "/conditional/b" },
      });
    const opened = await s3(gateway, "POST", "/conditional/a?uploads", "openai");
    const id = /<UploadId>([a-z0-9]+)</.exec(await opened.text())?.[1];
    const part = await s3(
      gateway,
      "PUT",
      `/conditional/a?partNumber=1&uploadId=${id}`,
      "openai",
      { body: line },
    );
    await part.body?.cancel();
    const complete = (tag: string) =>
      s3(gateway, "POST", `/conditional/a?uploadId=${id}`, "openai", {
        headers: { "if-none-match": tag },
        body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>" +
          `<ETag>${part.headers.get("etag")}</ETag></Part></CompleteMultipartUpload>`,
      });
    const { etag: other } = await put(gateway, "/conditional/b");
    for (const tag of [etag, etag.replaceAll('"', ""), `"x", ${etag}`, "*"]) {
      assert.equal((await put(gateway, "/conditional/a", { "if-none-match": tag })).status, 412);
    }
    assert.deepEqual((await s3Error(await copy(etag))).code, "PreconditionFailed");
    assert.deepEqual((await s3Error(await complete(etag))).code, "PreconditionFailed");
    assert.equal((await heldFiles(gateway.sandbox, "openai")).length, 2);
    const second = await put(gateway, "/conditional/a", { "if-none-match": other });
    assert.equal(second.status, 200);
    assert.equal(await statusOf(await copy(etag)), 200);
    assert.equal(await statusOf(await complete(etag)), 200);
    assert.equal((await put(gateway, "/conditional/c", { "if-none-match": etag })).status, 200);
    assert.equal((await heldFiles(gateway.sandbox, "openai")).length, 3);
  }));

Deno.test("a write's conditions take a file's id with and without what its provider begins it with", () =>
  withGateway(async (gateway) => {
    const write = async (headers: Record<string, string>) => {
      const body = '{"key":"a","request":{"contents":[{"parts":[{"text":"Hi"}]}]}}\n';
      const answer = await s3(gateway, "PUT", "/conditional/a", "gemini", { headers, body });
      await answer.body?.cancel();
      return {
        status: answer.status,
        id: /files\/(.*)"/.exec(answer.headers.get("etag") ?? "")?.[1],
      };
    };
    const { id } = await write({});
    for (const tag of [`"${id}"`, `"files/${id}"`]) {
      assert.equal((await write({ "if-none-match": tag })).status, 412);
    }
    const second = await write({ "if-match": `"${id}"` });
    assert.equal(second.status, 200);
    assert.equal((await write({ "if-match": `"${id}"` })).status, 412);
    const copy = (name: string) =>
      s3(gateway, "PUT", "/conditional/a", "gemini", {
        headers: {
          [name]: `"${second.id}"`,
          "x-amz-copy-source": "/conditional/a",
          "x-amz-metadata-directive": "REPLACE",
        },
      });
    assert.equal(await statusOf(await copy("if-none-match")), 412);
    assert.equal(await statusOf(await copy("if-match")), 200);
  }));

Deno.test("an object of another size or time than its deletion names stays", () =>
  withGateway(async (gateway) => {
    const remove = (headers: Record<string, string>) =>
      s3(gateway, "DELETE", "/conditional/a", "openai", { headers });
    await put(gateway, "/conditional/a");
    const head = await s3(gateway, "HEAD", "/conditional/a", "openai");
    const modified = head.headers.get("last-modified") ?? "";
    const old = "Thu, 01 Jan 2015 00:00:00 GMT";
    const [time, size] = ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"];
    const right = `${line.length}`;
    for (const headers of [{ [time]: old }, { [size]: "0" }, { [time]: modified, [size]: "1" }]) {
      const error = await s3Error(await remove(headers));
      assert.deepEqual([error.status, error.code], [412, "PreconditionFailed"]);
    }
    for (const headers of [{ [time]: "soon" }, { [size]: "-1" }, { [size]: "1e3" }]) {
      assert.equal((await s3Error(await remove(headers))).code, "InvalidArgument");
    }
    assert.equal(await statusOf(await s3(gateway, "HEAD", "/conditional/a", "openai")), 200);
    assert.equal(await statusOf(await remove({ [time]: modified, [size]: right })), 204);
    assert.equal(await statusOf(await s3(gateway, "HEAD", "/conditional/a", "openai")), 404);
    assert.equal(await statusOf(await remove({ [size]: "0" })), 204, "as where there is none");
  }));

Deno.test("conditions of a bulk deletion are each object's own", () =>
  withGateway(async (gateway) => {
    for (const key of ["a", "b", "c", "d"]) await put(gateway, `/conditional/${key}`);
    const body = "<Delete>" +
      "<Object><Key>a</Key><Size>1</Size></Object>" +
      `<Object><Key>b</Key><Size>${line.length}</Size></Object>` +
      "<Object><Key>c</Key><LastModifiedTime>2015-01-01T00:00:00Z</LastModifiedTime></Object>" +
      "<Object><Key>d</Key><Size>many</Size></Object>" +
      "</Delete>";
    const digest = createHash("md5").update(body).digest("base64");
    const headers = { "content-md5": digest };
    const answer = await s3(gateway, "POST", "/conditional?delete", "openai", { headers, body });
    const text = await answer.text();
    const outcomes = [...text.matchAll(/<Key>(.)<\/Key>(?:<Code>(\w+)<\/Code>)?/g)];
    assert.deepEqual(outcomes.map(([_, key, code]) => [key, code]), [
      ["b", undefined],
      ["a", "PreconditionFailed"],
      ["c", "PreconditionFailed"],
      ["d", "InvalidArgument"],
    ]);
    assert.equal((await heldFiles(gateway.sandbox, "openai")).length, 3);
  }));

Deno.test("no bucket is created with a hyphen next to a dot, and all else goes on as before", () =>
  withGateway(async (gateway) => {
    for (const name of ["foo-.bar", "foo.-bar"]) {
      const error = await s3Error(await s3(gateway, "PUT", `/${name}`, "openai"));
      assert.deepEqual([error.status, error.code], [400, "InvalidBucketName"]);
      assert.equal(await statusOf(await s3(gateway, "GET", `/${name}`, "openai")), 200);
    }
    assert.equal(await statusOf(await s3(gateway, "PUT", "/foo-1.bar", "openai")), 200);
  }));

Deno.test("user metadata comes back byte for byte, whatever its encoding", () =>
  withGateway(async ({ url }) => {
    // UTF-8, Latin-1, and what is neither: one character here is one byte on the wire.
    for (const value of ["Hello \xc3\xa9", "Hello \xe9", "\xff\xfe\x80", "=?UTF-8?B?w6k=?="]) {
      using wire = await wireTo(url);
      const headers = [`x-amz-meta-word: ${value}`, `Content-Length: ${line.length}`];
      await wire.head(...s3Head("PUT", "/my-bucket/key", "openai", ...headers));
      await wire.send(line);
      assert.equal((await wire.answer()).status, 200);
      await wire.head(...s3Head("HEAD", "/my-bucket/key", "openai"));
      assert.equal((await wire.answer("HEAD")).headers.get("x-amz-meta-word"), value);
    }
  }));
