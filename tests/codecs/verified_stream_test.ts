import assert from "node:assert/strict";
import { awsChunkedDecoder } from "../../codecs/aws_chunked.ts";
import { createDigestTap, declaredDigests } from "../../codecs/checksums.ts";
import { Failure } from "../../codecs/failure.ts";
import { verifiedStream } from "../../codecs/verified_stream.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (chunks: Uint8Array[]) => chunks.map((chunk) => new TextDecoder().decode(chunk));
const failure = (code: string) => (error: unknown) =>
  error instanceof Failure && error.kind === "invalid" && error.details.s3 === code;

const crc32 = { "x-amz-checksum-crc32": "NhCmhg==" };
const tapFor = (headers: Record<string, string>) =>
  createDigestTap(declaredDigests(new Headers(headers)));

/** Reads to the end or the error; tells what had come by then. */
async function drain(stream: ReadableStream<Uint8Array>) {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks: decode(chunks) };
  } catch (error) {
    return { chunks: decode(chunks), error };
  }
}

Deno.test("a right body passes in its own chunks and has its checksums after the end", async () => {
  const body = ReadableStream.from(["he", "", "ll", "o", ""].map(encode));
  const { stream, checksums } = verifiedStream(body, { length: 5, tap: await tapFor(crc32) });
  assert.throws(checksums, /has not ended/);
  assert.deepEqual(await drain(stream), { chunks: ["he", "ll", "o"] });
  assert.deepEqual(checksums(), crc32);
});

Deno.test("an empty body passes", async () => {
  const body = ReadableStream.from<Uint8Array>([]);
  const { stream, checksums } = verifiedStream(body, { length: 0, tap: await tapFor({}) });
  assert.deepEqual(await drain(stream), { chunks: [] });
  assert.deepEqual(checksums(), {});
});

Deno.test("an empty body with a wrong checksum breaks", async () => {
  const body = ReadableStream.from<Uint8Array>([]);
  const { stream } = verifiedStream(body, { length: 0, tap: await tapFor(crc32) });
  const { error } = await drain(stream);
  assert.ok(failure("BadDigest")(error));
});

Deno.test("the last chunk of a body with a wrong digest never comes", async () => {
  for (const pieces of [["hello!"], ["hell", "p!"], ["h", "e", "l", "l", "p", "!"]]) {
    const body = ReadableStream.from(pieces.map(encode));
    const { stream, checksums } = verifiedStream(body, { length: 6, tap: await tapFor(crc32) });
    const { chunks, error } = await drain(stream);
    assert.deepEqual(chunks, pieces.slice(0, -1));
    assert.ok(failure("BadDigest")(error), String(error));
    assert.throws(checksums, /has not ended/);
  }
});

Deno.test("a body shorter than declared breaks, its last chunk held back", async () => {
  const body = ReadableStream.from(["he", "llo"].map(encode));
  const { stream } = verifiedStream(body, { length: 6, tap: await tapFor(crc32) });
  const { chunks, error } = await drain(stream);
  assert.deepEqual(chunks, ["he"]);
  assert.ok(failure("IncompleteBody")(error), String(error));
});

Deno.test("a body longer than declared breaks before it is whole, and its source is cancelled", async () => {
  let cancelled = false;
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent++;
      controller.enqueue(encode("12345"));
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  const { stream } = verifiedStream(body, { length: 10, tap: await tapFor({}) });
  const { chunks, error } = await drain(stream);
  assert.deepEqual(chunks, ["12345"]);
  assert.ok(failure("IncompleteBody")(error), String(error));
  assert.ok(cancelled);
  assert.equal(sent, 3);
});

Deno.test("an error of the body breaks the stream as it is", async () => {
  const own = new Failure("unavailable", "The source is gone.");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encode("he"));
    },
    pull(controller) {
      controller.error(own);
    },
  });
  const { stream } = verifiedStream(body, { length: 5, tap: await tapFor({}) });
  assert.deepEqual(await drain(stream), { chunks: [], error: own });
});

Deno.test("a client that ends its upload early makes an IncompleteBody", async () => {
  const outcome = Promise.withResolvers<unknown>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = request.body ?? ReadableStream.from<Uint8Array>([]);
      const { stream } = verifiedStream(body, { length: 100, tap: await tapFor({}) });
      outcome.resolve((await drain(stream)).error);
      return new Response(null, { status: 400 });
    },
  );
  using client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.write(encode("PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc"));
  await client.closeWrite();
  const error = await outcome.promise;
  assert.ok(failure("IncompleteBody")(error), String(error));
  assert.ok(error instanceof Failure && error.details.cause !== undefined);
});

Deno.test("cancelling the stream cancels the body with the same reason", async () => {
  const reason = new Error("The provider refused");
  let cancelled: unknown;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encode("x")),
    cancel(why) {
      cancelled = why;
    },
  });
  const { stream } = verifiedStream(body, { length: 100, tap: await tapFor({}) });
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel(reason);
  assert.equal(cancelled, reason);
});

Deno.test("the body is read no faster than the stream is", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(encode("x"));
    },
  }, { highWaterMark: 0 });
  const { stream } = verifiedStream(body, { length: 100, tap: await tapFor({}) });
  const reader = stream.getReader();
  // Enough turns of the loop for a stream without back-pressure to run away.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(pulled, 0);
  await reader.read();
  assert.equal(pulled, 2);
  await reader.read();
  assert.equal(pulled, 3);
  await reader.cancel();
});

Deno.test("other work gets its turn while a large body runs through", async () => {
  const megabyte = new Uint8Array(1024 * 1024);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => at++ < 16 ? controller.enqueue(megabyte) : controller.close(),
  }, { highWaterMark: 0 });
  const { stream } = verifiedStream(body, { length: 16 * 1024 * 1024, tap: await tapFor({}) });
  let turns = 0;
  let over = false;
  const other = (async () => {
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turns++;
    }
  })();
  const { error } = await drain(stream);
  over = true;
  await other;
  assert.equal(error, undefined);
  assert.ok(turns >= 8, `${turns} turns`);
});

Deno.test("a trailer's checksum is in time for the end of an aws-chunked body", async () => {
  const headers = { "x-amz-trailer": "x-amz-checksum-crc32" };
  for (const [value, right] of [["NhCmhg==", true], ["AAAAAA==", false]] as const) {
    const tap = await tapFor(headers);
    const body = ReadableStream.from(
      ["2\r\nhe\r\n3\r\nllo\r\n0\r\n", `x-amz-checksum-crc32:${value}\r\n\r\n`].map(encode),
    ).pipeThrough(awsChunkedDecoder({
      decodedLength: 5,
      minChunkBytes: 1,
      onTrailer: (name, text) => tap.trailer(name, text),
    }));
    const { stream, checksums } = verifiedStream(body, { length: 5, tap });
    const { chunks, error } = await drain(stream);
    if (right) {
      assert.deepEqual(chunks, ["he", "llo"]);
      assert.deepEqual(checksums(), crc32);
    } else {
      assert.deepEqual(chunks, ["he"]);
      assert.ok(failure("BadDigest")(error), String(error));
    }
  }
});
