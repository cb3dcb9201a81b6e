import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { awsChunkedDecoder, type Chunk } from "../../codecs/aws_chunked.ts";
import { Failure } from "../../codecs/failure.ts";
import fc from "../sdks/fast_check.ts";

const runs = { seed: 20261123, numRuns: 500 };

/** A body as some client frames it. */
interface Framed {
  readonly chunks: readonly Uint8Array[];
  readonly signed: boolean;
  readonly trailers: readonly (readonly [string, string])[];
  readonly upperCase: boolean;
  readonly zeros: number;
  /** The end of a trailer's line; minio writes one more line feed. */
  readonly trailerEnd: string;
  readonly finalEnd: string;
}

const trailer = fc.tuple(
  fc.stringMatching(/^x-amz-[a-z0-9-]{1,20}$/),
  fc.stringMatching(/^[A-Za-z0-9+/=:]{1,40}$/),
);

const framed: fc.Arbitrary<Framed> = fc.record({
  chunks: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
  signed: fc.boolean(),
  trailers: fc.array(trailer, { maxLength: 3 }),
  upperCase: fc.boolean(),
  zeros: fc.nat(3),
  trailerEnd: fc.constantFrom("\r\n", "\n\r\n", "\n"),
  finalEnd: fc.constantFrom("\r\n", "\n", ""),
});

/** Where a body is cut on its way: offsets, in any order and often out of it. */
const cuts = fc.array(fc.nat(3_000), { maxLength: 12 });

const signatureOf = (index: number) => createHash("sha256").update(`${index}`).digest("hex");

function encode(body: Framed): Buffer {
  const { chunks, signed, trailers, upperCase, zeros, trailerEnd, finalEnd } = body;
  const head = (size: number, index: number) => {
    const hex = "0".repeat(zeros) + size.toString(16);
    const extension = signed ? `;chunk-signature=${signatureOf(index)}` : "";
    return Buffer.from(`${upperCase ? hex.toUpperCase() : hex}${extension}\r\n`);
  };
  return Buffer.concat([
    ...chunks.flatMap((data, index) => [head(data.length, index), data, Buffer.from("\r\n")]),
    head(0, chunks.length),
    ...trailers.map(([name, value]) => Buffer.from(`${name}:${value}${trailerEnd}`)),
    Buffer.from(finalEnd),
  ]);
}

function cut(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const at = [0, ...offsets.filter((one) => one < bytes.length).sort((a, b) => a - b)];
  return at.map((start, index) => bytes.subarray(start, at[index + 1]));
}

async function decode(pieces: readonly Uint8Array[], decodedLength: number) {
  const trailers: [string, string][] = [];
  const chunks: Chunk[] = [];
  const decoder = awsChunkedDecoder({
    decodedLength,
    minChunkBytes: 1,
    onTrailer: (name, value) => trailers.push([name, value]),
    onChunk: (chunk) => chunks.push(chunk),
  });
  const data: Uint8Array[] = [];
  for await (const part of ReadableStream.from(pieces).pipeThrough(decoder)) data.push(part);
  return { data: Buffer.concat(data), trailers, chunks };
}

Deno.test("any framing, cut anywhere, decodes to what was framed", async () => {
  await fc.assert(
    fc.asyncProperty(framed, cuts, async (body, offsets) => {
      const data = Buffer.concat(body.chunks);
      const seen = await decode(cut(encode(body), offsets), data.length);
      assert.deepEqual(seen.data, data);
      assert.deepEqual(seen.trailers, body.trailers);
      assert.deepEqual(
        seen.chunks,
        [...body.chunks, new Uint8Array()].map((chunk, index) => ({
          size: chunk.length,
          signature: body.signed ? signatureOf(index) : undefined,
          sha256: createHash("sha256").update(chunk).digest("hex"),
        })),
      );
    }),
    runs,
  );
});

Deno.test("a body that ends before its last chunk's head is refused, wherever that is", async () => {
  await fc.assert(
    fc.asyncProperty(framed, cuts, fc.double({ min: 0, max: 1, noNaN: true }), async (
      body,
      offsets,
      share,
    ) => {
      const length = Buffer.concat(body.chunks).length;
      const bare = { ...body, trailers: [], finalEnd: "" };
      const bytes = encode(bare);
      const lastHead = encode({ ...bare, chunks: [] }).length;
      const end = Math.floor(share * (bytes.length - lastHead));
      const pieces = cut(bytes.subarray(0, end), offsets);
      await assert.rejects(
        decode(pieces, length),
        (error) => error instanceof Failure && error.details.s3 === "IncompleteBody",
      );
    }),
    runs,
  );
});

Deno.test("what is broken on the way is refused as invalid or decoded to the declared length", async () => {
  const edits = fc.array(fc.tuple(fc.nat(3_000), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(framed, cuts, edits, async (body, offsets, changes) => {
      const bytes = encode(body);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      const length = Buffer.concat(body.chunks).length;
      try {
        const { data } = await decode(cut(bytes, offsets), length);
        assert.equal(data.length, length);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        assert.equal(error.kind, "invalid");
      }
    }),
    runs,
  );
});
