import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { generateLine, line } from "./calls.ts";
import { heldFiles, ledgerOf, until, withGateway } from "./session.ts";
import { s3Head, wireTo } from "./wire.ts";

const put = (provider: string, ...headers: string[]) =>
  s3Head("PUT", "/my-bucket/a.jsonl", provider, `Content-Length: ${line.length}`, ...headers);

for (const provider of ["bedrock", "openai", "gemini"]) {
  Deno.test(`Expect: 100-continue is answered before the body is sent, at ${provider}`, () =>
    withGateway(async ({ url }) => {
      using wire = await wireTo(url);
      await wire.head(...put(provider, "Expect: 100-continue"));
      const { status } = await wire.answer();
      assert.equal(status, 100);
      await wire.send(line);
      const answer = await wire.answer();
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get("etag") ?? "", /^".+"$/);
    }));

  Deno.test(`HEAD answers the length and sends no body, at ${provider}`, () =>
    withGateway(async ({ url }) => {
      using wire = await wireTo(url);
      await wire.head(...put(provider));
      await wire.send(line);
      const etag = (await wire.answer()).headers.get("etag");
      await wire.head(...s3Head("HEAD", "/my-bucket/a.jsonl", provider));
      const head = await wire.answer("HEAD");
      assert.equal(head.status, 200);
      assert.equal(head.headers.get("content-length"), `${line.length}`);
      assert.equal(head.headers.get("transfer-encoding"), null);
      assert.equal(head.headers.get("etag"), etag);
      assert.ok(head.headers.get("x-amz-request-id"));
      // The next answer on the connection begins where that one ended.
      await wire.head(...s3Head("HEAD", "/my-bucket/missing", provider));
      const missing = await wire.answer("HEAD");
      assert.equal(missing.status, 404);
      assert.ok(missing.headers.get("x-amz-request-id"));
      await wire.head(...s3Head("GET", "/my-bucket/missing", provider));
      const got = await wire.answer();
      assert.equal(got.status, 404);
      assert.match(got.body, /<Code>NoSuchKey<\/Code>/);
    }));
}

for (const provider of ["openai", "gemini"] as const) {
  Deno.test(`an upload that its client breaks off leaves no file at ${provider}`, () =>
    withGateway(async ({ url, sandbox, logged }) => {
      {
        using wire = await wireTo(url);
        const records = (provider === "openai" ? line : generateLine).repeat(5_000);
        const length = `Content-Length: ${2 * records.length}`;
        await wire.head(...s3Head("PUT", "/my-bucket/half.jsonl", provider, length));
        await wire.send(records);
        // It is half-way up when its client goes away.
        await until(async () => (await ledgerOf(sandbox)).requests.length > 0);
      }
      await until(() => logged.some((entry) => JSON.parse(entry).operation === "PutObject"));
      assert.deepEqual(await heldFiles(sandbox, provider), []);
      const left = await fetch(`${url}/bedrock/files/my-bucket?list-type=2`, {
        headers: { "x-model-provider": provider },
      });
      assert.match(await left.text(), /<KeyCount>0<\/KeyCount>/);
    }));

  Deno.test(`aws-chunked bodies are unwrapped and their trailers verified at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      const sha256 = (text: string) => createHash("sha256").update(text).digest("base64");
      const framed = (digest: string) =>
        `${line.length.toString(16)}\r\n${line}\r\n0\r\nx-amz-checksum-sha256:${digest}\r\n\r\n`;
      using wire = await wireTo(url);
      const send = async (digest: string) => {
        const body = framed(digest);
        await wire.head(...s3Head(
          "PUT",
          "/my-bucket/framed.jsonl",
          provider,
          `Content-Length: ${body.length}`,
          "Content-Encoding: aws-chunked",
          "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
          `x-amz-decoded-content-length: ${line.length}`,
          "x-amz-trailer: x-amz-checksum-sha256",
        ));
        await wire.send(body);
        return await wire.answer();
      };
      const wrong = await send(sha256("something else"));
      assert.equal(wrong.status, 400);
      assert.match(wrong.body, /<Code>BadDigest<\/Code>/);
      assert.deepEqual(await heldFiles(sandbox, provider), []);
      const right = await send(sha256(line));
      assert.equal(right.status, 200);
      assert.equal(right.headers.get("x-amz-checksum-sha256"), sha256(line));
      await wire.head(...s3Head("HEAD", "/my-bucket/framed.jsonl", provider));
      const head = await wire.answer("HEAD");
      assert.equal(head.headers.get("content-length"), `${line.length}`);
      assert.equal(head.headers.get("content-encoding"), null);
    }));
}
