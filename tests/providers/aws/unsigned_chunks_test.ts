import assert from "node:assert/strict";
import { awsChunkedDecoder } from "../../../codecs/aws_chunked.ts";
import { framedLength, frameUnsignedChunks } from "../../../providers/aws/unsigned_chunks.ts";

const mebibyte = 1024 * 1024;
const name = "x-amz-checksum-crc32";

function bytesOf(length: number, piece: number): ReadableStream<Uint8Array> {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const size = Math.min(piece, left);
      left -= size;
      controller.enqueue(new Uint8Array(size).fill(120));
    },
  });
}

for (const length of [0, 1, 15, 16, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte + 7]) {
  Deno.test(`${length} bytes are framed to the length foretold and decode to themselves`, async () => {
    for (const piece of [65_521, 5 * mebibyte]) {
      const framed = new Uint8Array(
        await new Response(
          bytesOf(length, piece).pipeThrough(frameUnsignedChunks(length, [name], () => "AAAAAA==")),
        ).arrayBuffer(),
      );
      assert.equal(framed.byteLength, framedLength(length, [name]));
      const trailers: [string, string][] = [];
      const decoder = awsChunkedDecoder({
        decodedLength: length,
        onTrailer: (...trailer) => trailers.push(trailer),
      });
      const decoded = await new Response(new Blob([framed]).stream().pipeThrough(decoder)).text();
      assert(decoded === "x".repeat(length), "the data is what it was");
      assert.deepEqual(trailers, [[name, "AAAAAA=="]]);
    }
  });
}

Deno.test("a checksum of another length than its algorithm's breaks the stream", async () => {
  for (const value of [undefined, "AAAAAAAAAAA="]) {
    const framed = bytesOf(3, 3).pipeThrough(frameUnsignedChunks(3, [name], () => value));
    await assert.rejects(new Response(framed).text(), /x-amz-checksum-crc32 is missing or malform/);
  }
});
