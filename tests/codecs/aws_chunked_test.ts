import assert from "node:assert/strict";
import {
  awsChunkedDecoder,
  type AwsChunkedOptions,
  type Chunk,
  decodedLength,
  isAwsChunked,
  stripAwsChunked,
} from "../../codecs/aws_chunked.ts";
import { Failure } from "../../codecs/failure.ts";

const encode = (text: string) => new TextEncoder().encode(text);

interface Decoded {
  readonly data: string;
  readonly trailers: [string, string][];
  readonly chunks: Chunk[];
}

/** Decodes pieces of a body; without `onChunk` where `hash` is false. */
async function decode(
  pieces: Iterable<Uint8Array>,
  length: number,
  hash = true,
): Promise<Decoded> {
  const trailers: [string, string][] = [];
  const chunks: Chunk[] = [];
  const options: AwsChunkedOptions = {
    decodedLength: length,
    // Framing is looked at here, with chunks that are short enough to be read.
    minChunkBytes: 1,
    onTrailer: (name, value) => trailers.push([name, value]),
    ...(hash ? { onChunk: (chunk: Chunk) => void chunks.push(chunk) } : {}),
  };
  const stream = ReadableStream.from(pieces).pipeThrough(awsChunkedDecoder(options));
  return { data: await new Response(stream).text(), trailers, chunks };
}

const s1 = "1".repeat(64);
const s2 = "2".repeat(64);
const s3 = "3".repeat(64);
const line = '{"a":1}\n';
// sha256 of the line and of nothing, from sha256sum.
const lineHash = "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c";
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const checksum: [string, string] = ["x-amz-checksum-crc32", "Gxx+Pw=="];
const trailerLine = checksum.join(":");

/** Every form of the same 16 bytes in two chunks. */
const forms: Record<string, { body: string; trailers: [string, string][]; signed: boolean }> = {
  "unsigned with a trailer": {
    body: `8\r\n${line}\r\n8\r\n${line}\r\n0\r\n${trailerLine}\r\n\r\n`,
    trailers: [checksum],
    signed: false,
  },
  "unsigned without a trailer": {
    body: `8\r\n${line}\r\n8\r\n${line}\r\n0\r\n\r\n`,
    trailers: [],
    signed: false,
  },
  "signed": {
    body: `8;chunk-signature=${s1}\r\n${line}\r\n8;chunk-signature=${s2}\r\n${line}\r\n` +
      `0;chunk-signature=${s3}\r\n\r\n`,
    trailers: [],
    signed: true,
  },
  "signed with a signed trailer": {
    body: `8;chunk-signature=${s1}\r\n${line}\r\n8;chunk-signature=${s2}\r\n${line}\r\n` +
      `0;chunk-signature=${s3}\r\n${trailerLine}\r\nx-amz-trailer-signature:${s1}\r\n\r\n`,
    trailers: [checksum, ["x-amz-trailer-signature", s1]],
    signed: true,
  },
  "with minio's extra line feed after the trailer": {
    body: `8\r\n${line}\r\n8\r\n${line}\r\n0\r\n${trailerLine}\n\r\n\r\n`,
    trailers: [checksum],
    signed: false,
  },
  "with the end after the trailer missing": {
    body: `8\r\n${line}\r\n8\r\n${line}\r\n0\r\n${trailerLine}`,
    trailers: [checksum],
    signed: false,
  },
  "with everything after the last chunk's length missing": {
    body: `8\r\n${line}\r\n8\r\n${line}\r\n0`,
    trailers: [],
    signed: false,
  },
  "with bare line feeds, blank lines, leading zeros and spaces": {
    body: `\n008 \n${line}\n\n8\n${line}\n0000\n\nX-Amz-Checksum-CRC32 : Gxx+Pw== \n`,
    trailers: [checksum],
    signed: false,
  },
};

for (const [name, { body, trailers, signed }] of Object.entries(forms)) {
  const bytes = encode(body);
  const check = (decoded: Decoded, where: string) => {
    assert.equal(decoded.data, line + line, where);
    assert.deepEqual(decoded.trailers, trailers, where);
    assert.deepEqual(
      decoded.chunks.map((chunk) => [chunk.size, chunk.signature]),
      [[8, signed ? s1 : undefined], [8, signed ? s2 : undefined], [0, signed ? s3 : undefined]],
      where,
    );
    assert.deepEqual(decoded.chunks.map((chunk) => chunk.sha256), [lineHash, lineHash, emptyHash]);
  };

  Deno.test(`a body ${name} is decoded, wherever it is cut`, async () => {
    check(await decode([bytes], 16), "whole");
    for (let at = 0; at <= bytes.length; at++) {
      check(await decode([bytes.subarray(0, at), bytes.subarray(at)], 16), `cut at ${at}`);
    }
    check(await decode(Array.from(bytes, (byte) => Uint8Array.of(byte)), 16), "byte by byte");
  });
}

Deno.test("binary data with line ends and chunk heads in it stays as it is", async () => {
  const data = Uint8Array.from({ length: 512 }, (_, at) => at % 256);
  const fake = encode("\r\n0\r\n\r\n5\r\n");
  const all = new Uint8Array([...data, ...fake]);
  const body = new Uint8Array([
    ...encode(`${all.length.toString(16).toUpperCase()}\r\n`),
    ...all,
    ...encode("\r\n0\r\n\r\n"),
  ]);
  const stream = ReadableStream.from([body.subarray(0, 100), body.subarray(100)])
    .pipeThrough(awsChunkedDecoder({ decodedLength: all.length }));
  assert.deepEqual(await new Response(stream).bytes(), all);
});

Deno.test("a blank line after each of many chunks is accepted", async () => {
  const body = encode(`${"1\r\nx\r\n\r\n".repeat(100)}0\r\n\r\n`);
  assert.equal((await decode([body], 100, false)).data, "x".repeat(100));
});

Deno.test("an empty body has only a last chunk", async () => {
  assert.deepEqual(await decode([encode(`0\r\n${trailerLine}\r\n\r\n`)], 0, false), {
    data: "",
    trailers: [checksum],
    chunks: [],
  });
});

Deno.test("data goes through without being copied", async () => {
  const body = encode(`8\r\n${line}\r\n0\r\n\r\n`);
  const stream = ReadableStream.from([body]).pipeThrough(awsChunkedDecoder({ decodedLength: 8 }));
  const [data] = await Array.fromAsync(stream);
  assert.equal(data?.buffer, body.buffer);
});

Deno.test("data of many small chunks goes out in as many pieces as came in", async () => {
  const forms: Record<string, [body: string, data: string]> = {
    "a byte each": ["1\r\nx\r\n".repeat(20_000), "x".repeat(20_000)],
    "signed": [`1;chunk-signature=${s1}\r\nx\r\n`.repeat(2_000), "x".repeat(2_000)],
    "small beside large": [
      `${"2\r\nxy\r\n".repeat(5)}2000\r\n${"z".repeat(8192)}\r\n${"1\r\na\r\n".repeat(5)}`,
      `${"xy".repeat(5)}${"z".repeat(8192)}aaaaa`,
    ],
  };
  for (const [name, [body, data]] of Object.entries(forms)) {
    const bytes = encode(`${body}0\r\n\r\n`);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 16_384) pieces.push(bytes.subarray(at, at + 16_384));
    const stream = ReadableStream.from(pieces)
      .pipeThrough(awsChunkedDecoder({ decodedLength: data.length, minChunkBytes: 1 }));
    const out = await Array.fromAsync(stream);
    assert.equal(await new Response(new Blob(out as BlobPart[])).text(), data, name);
    // A large piece among small ones parts them.
    assert.ok(
      out.length <= Math.max(pieces.length + 2, 16),
      `${name}: ${out.length} of ${pieces.length}`,
    );
  }
});

const failure = (code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === "invalid" && error.details.s3 === code;

Deno.test("a body that ends early is IncompleteBody, wherever it ends", async () => {
  const body = encode(`8;chunk-signature=${s1}\r\n${line}\r\n0;chunk-signature=${s3}\r\n\r\n`);
  const last = body.length - `0;chunk-signature=${s3}\r\n\r\n`.length;
  for (let end = 0; end <= last; end++) {
    await assert.rejects(decode([body.subarray(0, end)], 8), failure("IncompleteBody"), `${end}`);
  }
});

Deno.test("a body with fewer bytes than declared is IncompleteBody", async () => {
  await assert.rejects(decode([encode(`8\r\n${line}\r\n0\r\n\r\n`)], 9), failure("IncompleteBody"));
});

Deno.test("a chunk that exceeds the declared length is refused before its data comes", async () => {
  for (const head of ["9", "ffffffff", "ffffffffffffffff"]) {
    const seen: Uint8Array[] = [];
    const pieces = [encode(`${head}\r\n`), encode("123456789")];
    const body = ReadableStream.from(pieces).pipeThrough(awsChunkedDecoder({ decodedLength: 8 }));
    await assert.rejects(
      (async () => {
        for await (const data of body) seen.push(data);
      })(),
      failure("IncompleteBody"),
    );
    assert.equal(seen.length, 0);
  }
  const body = encode(`8\r\n${line}\r\n1\r\n!\r\n0\r\n\r\n`);
  await assert.rejects(decode([body], 8), failure("IncompleteBody"));
});

Deno.test("only the last chunk with data may have less than 8,192 bytes", async () => {
  const framed = (sizes: readonly number[]) =>
    encode([...sizes, 0].map((n) => `${n.toString(16)}\r\n${"x".repeat(n)}\r\n`).join(""));
  const sum = (sizes: readonly number[]) => sizes.reduce((all, one) => all + one, 0);
  const decoded = (sizes: readonly number[]) =>
    new Response(
      ReadableStream.from([framed(sizes)]).pipeThrough(
        awsChunkedDecoder({ decodedLength: sum(sizes) }),
      ),
    ).text();
  for (const sizes of [[], [1], [8191], [8192, 1], [8192, 9000, 8191]]) {
    assert.equal((await decoded(sizes)).length, sum(sizes), `${sizes}`);
  }
  for (const sizes of [[1, 1], [8191, 8192], [8192, 100, 8192], [8192, 8192, 8191, 1]]) {
    await assert.rejects(decoded(sizes), failure("InvalidChunkSizeError"), `${sizes}`);
  }
});

Deno.test("broken framing is refused", async () => {
  const bodies: Record<string, string> = {
    "no length": `;chunk-signature=${s1}\r\n`,
    "not hex": "xyz\r\n",
    "negative": "-8\r\n",
    "a prefix": `0x8\r\n${line}`,
    "too many digits": `00000000000000008\r\n${line}`,
    "a chunk longer than it says": "3\r\nabcd\r\n0\r\n\r\n",
    "plain data": '{"recordId":"1"}\n',
    "a trailer without a colon": `8\r\n${line}\r\n0\r\nx-amz-checksum-crc32\r\n`,
    "a trailer without a name": `8\r\n${line}\r\n0\r\n:value\r\n`,
    "a head without end": "8;" + "x".repeat(2000),
    "a chunk longer by what looks like a head": `7\r\n${line.slice(0, -1)}1\r\n!\r\n`,
    "endless blank lines": "\r\n".repeat(20),
    "endless trailers": `8\r\n${line}\r\n0\r\n${"a:b\r\n".repeat(4000)}`,
    "an endless trailer": `8\r\n${line}\r\n0\r\na:${"b".repeat(20_000)}`,
    "endless blank lines at the end": `8\r\n${line}\r\n0\r\n${"\n".repeat(20_000)}`,
  };
  for (const [name, body] of Object.entries(bodies)) {
    const bytes = encode(body);
    await assert.rejects(decode([bytes], 8), failure("InvalidRequest"), name);
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    await assert.rejects(decode(single, 8), failure("InvalidRequest"), `${name}, byte by byte`);
  }
});

Deno.test("trailers up to the limit are accepted whatever the size of the pieces", async () => {
  const value = "v".repeat(8000);
  const bytes = encode(`0\r\na:${value}\r\n\r\n`);
  for (const size of [1, 7, bytes.length]) {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    assert.deepEqual((await decode(pieces, 0)).trailers, [["a", value]], `pieces of ${size}`);
  }
});

Deno.test("what a callback throws breaks the stream and cancels the source", async () => {
  const wrong = new Failure("denied", "A chunk's signature is wrong.");
  let cancelled: unknown;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(encode(`8;chunk-signature=${s1}\r\n${line}\r\n`));
    },
    cancel(reason) {
      cancelled = reason;
    },
  });
  const stream = source.pipeThrough(awsChunkedDecoder({
    decodedLength: 1000,
    onChunk: () => {
      throw wrong;
    },
  }));
  await assert.rejects(new Response(stream).bytes(), wrong);
  assert.equal(cancelled, wrong);
});

Deno.test("a body counts as aws-chunked by its hash header, or by its coding and decoded length", () => {
  const yes: Record<string, string>[] = [
    { "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
    { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" },
    { "content-encoding": "gzip, AWS-Chunked", "x-amz-decoded-content-length": "5" },
    {
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "5",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    },
  ];
  const no: Record<string, string>[] = [
    {},
    { "x-amz-content-sha256": emptyHash, "content-encoding": "aws-chunked, gzip" },
    { "content-encoding": "aws-chunked" },
    { "content-encoding": "gzip", "x-amz-decoded-content-length": "5" },
    { "content-encoding": "not-aws-chunked", "x-amz-decoded-content-length": "5" },
  ];
  for (const one of yes) assert.equal(isAwsChunked(new Headers(one)), true, JSON.stringify(one));
  for (const one of no) assert.equal(isAwsChunked(new Headers(one)), false, JSON.stringify(one));
});

Deno.test("aws-chunked is taken out of a content encoding and the rest kept", () => {
  const cases: [string | null | undefined, string | undefined][] = [
    ["aws-chunked", undefined],
    ["aws-chunked,gzip", "gzip"],
    ["aws-chunked, gzip", "gzip"],
    ["gzip , AWS-CHUNKED, br", "gzip,br"],
    ["gzip, br", "gzip, br"],
    ["", ""],
    [null, undefined],
    [undefined, undefined],
  ];
  for (const [text, rest] of cases) assert.equal(stripAwsChunked(text), rest, `${text}`);
});

Deno.test("the decoded length must be there and a number of bytes", () => {
  const headers = (text: string) => new Headers({ "x-amz-decoded-content-length": text });
  assert.equal(decodedLength(headers("0")), 0);
  assert.equal(decodedLength(headers("5368709120")), 5_368_709_120);
  assert.throws(() => decodedLength(new Headers()), failure("MissingContentLength"));
  for (const text of ["", "-1", "1.5", "0x10", "1e3", "5, 5", "9".repeat(16)]) {
    assert.throws(() => decodedLength(headers(text)), failure("InvalidArgument"), text);
  }
});
