import assert from "node:assert/strict";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { Failure } from "../../codecs/failure.ts";
import { fileId, jobId } from "../../codecs/ids.ts";
import { unpacked } from "../../providers/encoding.ts";
import { openaiAccount } from "./openai/account.ts";
import { chunks, quiet, serve, textOf, world } from "./harness.ts";

const lines = '{"custom_id":"1"}\n{"custom_id":"2"}\n'.repeat(50);
const bytes = new TextEncoder().encode(lines);
const id = fileId("file-abc");

const packed: Record<string, readonly [encoding: string, body: Uint8Array]> = {
  "gzip": ["gzip", gzipSync(bytes)],
  "gzip in two members": [
    "GZIP",
    new Uint8Array([...gzipSync(bytes.subarray(0, 99)), ...gzipSync(bytes.subarray(99))]),
  ],
  "gzip under its old name": ["x-gzip", gzipSync(bytes)],
  "deflate": ["deflate", deflateSync(bytes)],
  "deflate without its frame": ["deflate", deflateRawSync(bytes)],
  "br": ["br", brotliCompressSync(bytes)],
  "zstd": ["zstd", zstdCompressSync(bytes)],
  "gzip over br": ["br, gzip", gzipSync(brotliCompressSync(bytes))],
  "a header alone": ["gzip", bytes],
  "identity": ["identity", bytes],
};

const packers: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "gzip": gzipSync,
  "x-gzip": gzipSync,
  "deflate": deflateSync,
  "br": brotliCompressSync,
  "zstd": zstdCompressSync,
  "br, gzip": (bytes) => gzipSync(brotliCompressSync(bytes)),
};

const response = (body: Uint8Array, encoding: string, more: ResponseInit = {}) =>
  new Response(new Uint8Array(body), {
    ...more,
    headers: { "content-encoding": encoding, ...more.headers },
  });

for (const [what, [encoding, body]] of Object.entries(packed)) {
  Deno.test(`a download that comes as ${what} is the file's own bytes`, async () => {
    await using server = serve(() => response(body, encoding));
    await using w = world();
    const { files } = openaiAccount(server.url, w);
    assert.equal(await textOf(await files.read(id, undefined, quiet())), lines);
  });

  // Deno's fetch itself breaks such a reply.
  if (what === "a header alone") continue;
  Deno.test(`replies and refusals that come as ${what} are read`, async () => {
    const json = { id: "file-1", bytes: 3, filename: "a.jsonl" };
    const pack = (value: unknown) => {
      const text = new TextEncoder().encode(JSON.stringify(value));
      const packer = packers[encoding.toLowerCase()];
      return packer === undefined ? text : packer(text);
    };
    await using server = serve(async (request) => {
      if (request.method === "GET") return response(pack(json), encoding);
      const isFile = request.url.endsWith("/files");
      await request.body?.cancel();
      return isFile
        ? response(pack(json), encoding)
        : response(pack({ detail: "no such window" }), encoding, { status: 400 });
    });
    await using w = world();
    const { files, batches } = openaiAccount(server.url, w);
    assert.equal((await files.head(id, quiet())).id, "file-1");
    const file = { name: "a.jsonl", contentType: "a/b", bytes: 3, body: chunks(["{}\n"]) };
    assert.equal((await files.put(file, quiet())).id, "file-1");
    const batch = {
      jobId: jobId("abcdefghij01"),
      jobName: "n",
      modelId: "m",
      input: id,
      tags: { endpoint: "/v1/x" },
    };
    await assert.rejects(
      batches.create(batch, quiet()),
      (error) => error instanceof Failure && /no such window/.test(error.message),
    );
  });
}

Deno.test("a piece of a packed file is not taken for a piece of the file: the whole is read", async () => {
  await using server = serve((request) =>
    request.headers.has("range")
      ? response(gzipSync(bytes).subarray(3, 6), "gzip", {
        status: 206,
        headers: { "content-range": "bytes 3-5/100" },
      })
      : response(gzipSync(bytes), "gzip")
  );
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const { body, ranged } = await files.open(id, { first: 3, last: 5 }, quiet());
  assert.equal(ranged, false);
  await body.cancel();
  assert.equal(
    await textOf(await files.read(id, { first: 3, last: 5 }, quiet())),
    lines.slice(3, 6),
  );
});

Deno.test("a packed download that breaks off breaks, and one in an unknown form is refused", async () => {
  let encoding = "gzip";
  await using server = serve(() => response(gzipSync(bytes).subarray(0, 40), encoding));
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const isRefused = (error: unknown) => error instanceof Failure && error.kind === "unavailable";
  await assert.rejects(async () => textOf(await files.read(id, undefined, quiet())), isRefused);
  encoding = "compress";
  await assert.rejects(files.read(id, undefined, quiet()), isRefused);
});

Deno.test("what is packed unpacks to its bound and no further, and its source is let go", async () => {
  const bomb = gzipSync(new Uint8Array(1_000_000));
  const cancelled = Promise.withResolvers<void>();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new Uint8Array(bomb)),
    cancel: () => cancelled.resolve(),
  });
  const reply = new Response(source, { headers: { "content-encoding": "gzip" } });
  const refusal = new Failure("unavailable", "too much");
  const small = await unpacked(reply, false, () => refusal, 100_000);
  await assert.rejects(small.arrayBuffer(), refusal);
  await cancelled.promise;
});

Deno.test("a reader that goes away lets a packed download go, also while that stands still", async () => {
  const cancelled = Promise.withResolvers<void>();
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(new Uint8Array(gzipSync(bytes).subarray(0, 12))),
    cancel: () => cancelled.resolve(),
  });
  const reply = new Response(source, { headers: { "content-encoding": "gzip" } });
  const { body } = await unpacked(reply, false, () => new Failure("internal", ""));
  const reader = body?.getReader();
  const reading = reader?.read();
  await reader?.cancel();
  await reading;
  await cancelled.promise;
});
