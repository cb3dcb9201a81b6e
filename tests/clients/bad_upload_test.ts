import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { line, s3, s3Error } from "./calls.ts";
import { heldFiles, ledgerOf, withGateway } from "./session.ts";
import { s3Head, wireTo } from "./wire.ts";

const storing = ["openai", "gemini"] as const;

const other = (algorithm: string, encoding: "base64" | "hex") =>
  createHash(algorithm).update("other bytes").digest(encoding);

const wrongDigests: Readonly<Record<string, readonly [string, string, string]>> = {
  "a wrong crc32": ["x-amz-checksum-crc32", "AAAAAA==", "BadDigest"],
  "a wrong crc32c": ["x-amz-checksum-crc32c", "AAAAAA==", "BadDigest"],
  "a wrong crc64nvme": ["x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", "BadDigest"],
  "a wrong sha1": ["x-amz-checksum-sha1", other("sha1", "base64"), "BadDigest"],
  "a wrong sha256": ["x-amz-checksum-sha256", other("sha256", "base64"), "BadDigest"],
  "a wrong Content-MD5": ["content-md5", other("md5", "base64"), "BadDigest"],
  "a Content-MD5 that is none": ["content-md5", "bm8gbWQ1", "InvalidDigest"],
  "a wrong x-amz-content-sha256": [
    "x-amz-content-sha256",
    other("sha256", "hex"),
    "XAmzContentSHA256Mismatch",
  ],
};

for (const provider of storing) {
  Deno.test(`an upload with a wrong digest is refused and nothing stays at ${provider}`, () =>
    withGateway(async (gateway) => {
      const old = await s3(gateway, "PUT", "/my-bucket/kept.jsonl", provider, { body: line });
      await old.body?.cancel();
      const before = await heldFiles(gateway.sandbox, provider);
      for (const [name, [header, value, code]] of Object.entries(wrongDigests)) {
        for (const key of ["new.jsonl", "kept.jsonl"]) {
          const headers = { [header]: value };
          const answer = await s3(gateway, "PUT", `/my-bucket/${key}`, provider, {
            headers,
            body: line,
          });
          const error = await s3Error(answer);
          assert.deepEqual([error.status, error.code], [400, code], name);
        }
        assert.deepEqual(await heldFiles(gateway.sandbox, provider), before, name);
      }
      const list = await (await s3(gateway, "GET", "/my-bucket?list-type=2", provider)).text();
      assert.deepEqual([...list.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key), [
        "kept.jsonl",
      ]);
      const head = await s3(gateway, "HEAD", "/my-bucket/kept.jsonl", provider);
      assert.equal(head.headers.get("etag"), old.headers.get("etag"));
    }));

  Deno.test(`an upload without a length is refused at ${provider}`, () =>
    withGateway(async ({ url, sandbox }) => {
      using wire = await wireTo(url);
      await wire.head(...s3Head("PUT", "/my-bucket/a", provider, "Transfer-Encoding: chunked"));
      await wire.send("2\r\n{}\r\n0\r\n\r\n");
      const answer = await wire.answer();
      assert.equal(answer.status, 411);
      assert.match(answer.body, /<Code>MissingContentLength<\/Code>/);
      assert.deepEqual((await ledgerOf(sandbox)).requests, []);
    }));
}

for (const [provider, limit] of [["openai", 200 * 2 ** 20], ["gemini", 2 ** 31]] as const) {
  Deno.test(`one byte more than ${provider} takes is refused before any byte is sent where nothing is kept`, () =>
    withGateway(async ({ url, sandbox }) => {
      using wire = await wireTo(url);
      const length = `Content-Length: ${limit + 1}`;
      await wire.head(...s3Head("PUT", "/my-bucket/large.jsonl", provider, length));
      const answer = await wire.answer();
      assert.equal(answer.status, 400);
      assert.match(answer.body, /<Code>EntityTooLarge<\/Code>/);
      assert.match(answer.body, new RegExp(`<MaxSizeAllowed>${limit}</MaxSizeAllowed>`));
      assert.deepEqual((await ledgerOf(sandbox)).requests, []);
    }, { configuration: '{ "objects": { "keep": "never" } }' }));
}

Deno.test("the configuration's own limit of a body is kept", () =>
  withGateway(async (gateway) => {
    for (const [body, status] of [["x".repeat(100), 200], ["x".repeat(101), 400]] as const) {
      const answer = await s3(gateway, "PUT", "/my-bucket/a.jsonl", "openai", { body });
      assert.equal(answer.status, status);
      if (status === 400) assert.equal((await s3Error(answer)).code, "EntityTooLarge");
      else await answer.body?.cancel();
    }
  }, { configuration: '{ "limits": { "maxBodyBytes": 100 } }' }));

Deno.test("a range outside of the object is refused with its size", () =>
  withGateway(async (gateway) => {
    await (await s3(gateway, "PUT", "/my-bucket/a", "openai", { body: line })).body?.cancel();
    const headers = { range: `bytes=${line.length}-` };
    const answer = await s3(gateway, "GET", "/my-bucket/a", "openai", { headers });
    assert.equal(answer.headers.get("content-range"), `bytes */${line.length}`);
    const error = await s3Error(answer);
    assert.deepEqual([error.status, error.code], [416, "InvalidRange"]);
  }));

Deno.test("user metadata over two kilobytes is refused", () =>
  withGateway(async (gateway) => {
    const headers = { "x-amz-meta-a": "v".repeat(2048) };
    const answer = await s3(gateway, "PUT", "/my-bucket/a", "openai", { headers, body: line });
    assert.equal((await s3Error(answer)).code, "MetadataTooLarge");
    assert.deepEqual((await ledgerOf(gateway.sandbox)).requests, []);
  }));

Deno.test("headers that a record has no room for are refused, whichever they are", () =>
  withGateway(async (gateway) => {
    for (const name of ["content-type", "cache-control", "content-encoding"]) {
      for (const target of ["/my-bucket/a", "/my-bucket/a?uploads"]) {
        const method = target.endsWith("?uploads") ? "POST" : "PUT";
        const headers = { [name]: "v".repeat(9_000) };
        const body = method === "PUT" ? { body: line } : {};
        const answer = await s3(gateway, method, target, "openai", { headers, ...body });
        const error = await s3Error(answer);
        assert.deepEqual(
          [error.status, error.code],
          [400, "MetadataTooLarge"],
          `${name} ${target}`,
        );
      }
    }
    assert.deepEqual((await ledgerOf(gateway.sandbox)).requests, []);
  }));
