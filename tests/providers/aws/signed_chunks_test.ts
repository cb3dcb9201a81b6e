import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { Failure } from "../../../codecs/failure.ts";
import { chunks, quiet } from "../harness.ts";
import { assertSigned, aws, request, startGateway, startUpstream } from "./wires.ts";

const signature = "a".repeat(64);

/** Two lines, each for a chunk of its own: only the last may have less than 8,192 bytes. */
const lines = ['{"a":1}\n'.padStart(8192), '{"a":2}\n'];
const total = 8200;

/** A body as minio's clients send it: chunks signed with the client's own key. */
function signed(data: readonly string[], trailer = ""): string {
  const framed = data.map((text) =>
    `${text.length.toString(16)};chunk-signature=${signature}\r\n${text}\r\n`
  );
  return `${framed.join("")}0;chunk-signature=${signature}\r\n${trailer}\r\n`;
}

function crc(text: string): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, crc32(text));
  return btoa(String.fromCharCode(...bytes));
}

function upload(path: string, body: string, headers: Record<string, string>) {
  return request({
    method: "PUT",
    path,
    headers: new Headers({ "content-length": String(body.length), ...headers }),
    body: chunks(body.match(/.{1,7}/gs) ?? []),
  });
}

Deno.test("chunks signed with the client's key are decoded and sent with their length", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  const response = await one.provider.forward(
    upload("/b/k", signed(lines), {
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "x-amz-decoded-content-length": `${total}`,
      "content-encoding": "aws-chunked,gzip",
      "x-amz-checksum-crc32": "AAAAAA==",
    }),
    quiet(),
  );
  await response.body?.cancel();
  const [received] = upstream.received;
  assert(received !== undefined);
  assert.equal(received.body, lines.join(""));
  assert.equal(received.headers.get("content-length"), `${total}`);
  assert.equal(received.headers.get("content-encoding"), "gzip");
  assert.equal(received.headers.get("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  assert.equal(received.headers.get("x-amz-decoded-content-length"), null);
  assert.equal(received.headers.get("x-amz-checksum-crc32"), "AAAAAA==", "S3's to verify");
  assertSigned(received, "s3");
});

Deno.test("an empty upload in signed chunks arrives as an empty one", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  const response = await one.provider.forward(
    upload("/b/k", signed([]), {
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "x-amz-decoded-content-length": "0",
      "content-encoding": "aws-chunked",
    }),
    quiet(),
  );
  await response.body?.cancel();
  assert.equal(upstream.received[0]?.headers.get("content-length"), "0");
  assert.equal(upstream.received[0]?.headers.get("content-encoding"), null);
});

const withTrailer = {
  "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "x-amz-decoded-content-length": "16",
  "x-amz-trailer": "x-amz-checksum-crc32",
  "x-amz-sdk-checksum-algorithm": "CRC32",
  "content-encoding": "aws-chunked",
};

Deno.test("a signed trailer's checksum reaches S3 as an unsigned trailer", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  const trailer = `x-amz-checksum-crc32:${crc(lines.join(""))}\n\r\n` +
    `x-amz-trailer-signature:${signature}\r\n`;
  const response = await one.provider.forward(
    upload("/b/k", signed(lines, trailer), {
      ...withTrailer,
      "x-amz-decoded-content-length": `${total}`,
    }),
    quiet(),
  );
  await response.body?.cancel();
  const [received] = upstream.received;
  assert(received !== undefined);
  assert.equal(
    received.body,
    `${total.toString(16)}\r\n${lines.join("")}\r\n0\r\nx-amz-checksum-crc32:${
      crc(lines.join(""))
    }\r\n\r\n`,
  );
  assert.equal(received.headers.get("content-length"), String(received.body.length));
  assert.equal(
    received.headers.get("x-amz-content-sha256"),
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  );
  assert.equal(received.headers.get("x-amz-trailer"), "x-amz-checksum-crc32");
  assertSigned(received, "s3");
});

const broken: [name: string, body: string, s3: string][] = [
  ["a wrong checksum", signed(["x".repeat(16)], "x-amz-checksum-crc32:AAAAAA==\r\n"), "BadDigest"],
  ["no checksum", signed(["x".repeat(16)]), "InvalidRequest"],
  ["too few bytes", signed(["x".repeat(15)]), "IncompleteBody"],
  ["too many bytes", signed(["x".repeat(17)]), "IncompleteBody"],
  ["an early end", signed(["x".repeat(16)]).slice(0, 90), "IncompleteBody"],
];
for (const [name, body, s3] of broken) {
  Deno.test(`signed chunks with ${name} end the upload and say why`, async () => {
    await using upstream = startUpstream();
    await using one = aws(upstream.url);
    await assert.rejects(
      one.provider.forward(upload("/b/k", body, withTrailer), quiet()),
      (error) => error instanceof Failure && error.details.s3 === s3,
    );
    assert(
      upstream.received.every((received) => received.body === undefined),
      "the upstream never gets a whole body",
    );
  });
}

Deno.test("chunks without signatures pass through untouched, also without a length", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  await using gateway = startGateway(one.provider);
  const body = `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crc("hello")}\r\n\r\n`;
  const headers = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": "5",
    "x-amz-trailer": "x-amz-checksum-crc32",
    "content-encoding": "aws-chunked",
  };
  for (const sent of [body, chunks([body])]) {
    const response = await fetch(`${gateway.url}/b/k`, { method: "PUT", headers, body: sent });
    assert.equal(await response.text(), "ok");
  }
  assert.deepEqual(
    upstream.received.map(({ headers }) => headers.get("content-length")),
    [String(body.length), null],
  );
  for (const received of upstream.received) {
    assert.equal(received.body, body);
    assert.equal(received.headers.get("content-encoding"), "aws-chunked");
    assertSigned(received, "s3");
  }
});

Deno.test("chunks without a length to a key that URLs cannot hold get one", async () => {
  await using upstream = startUpstream();
  await using one = aws(upstream.url);
  const given = upload(
    "/b/../k",
    `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crc("hello")}\r\n\r\n`,
    {
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
      "x-amz-trailer": "x-amz-checksum-crc32",
      "content-encoding": "aws-chunked",
    },
  );
  given.headers.delete("content-length");
  const response = await one.provider.forward(given, quiet());
  await response.body?.cancel();
  const [received] = upstream.received;
  assert.equal(received?.target, "/b/../k");
  assert.match(received?.body ?? "", /^5\r\nhello\r\n0\r\nx-amz-checksum-crc32:\S{8}\r\n\r\n$/);
  assert.equal(received?.headers.get("content-length"), String(received?.body?.length));
});

const refused: [name: string, headers: Record<string, string>, s3: string][] = [
  [
    "no decoded length",
    { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
    "MissingContentLength",
  ],
  ["a payload hash of no known form", { "x-amz-content-sha256": "abc" }, "InvalidArgument"],
  [
    "a trailer that is no checksum",
    { ...withTrailer, "x-amz-trailer": "x-amz-meta-a" },
    "InvalidRequest",
  ],
];
for (const [name, headers, s3] of refused) {
  Deno.test(`an upload with ${name} is refused before anything is sent`, async () => {
    await using upstream = startUpstream();
    await using one = aws(upstream.url);
    await assert.rejects(
      one.provider.forward(upload("/b/k", "hello", headers), quiet()),
      (error) => error instanceof Failure && error.details.s3 === s3,
    );
    assert.equal(upstream.received.length, 0);
  });
}
