import assert from "node:assert/strict";
import { Failure } from "../../../codecs/failure.ts";
import { type FileId, fileId } from "../../../codecs/ids.ts";
import { chunks, quiet, serve, textOf, world } from "../harness.ts";
import { openaiAccount } from "./account.ts";

const stored = {
  id: "file-abc",
  object: "file",
  bytes: 5,
  created_at: 1_787_176_071,
  expires_at: 1_789_768_071,
  filename: "in.jsonl",
  purpose: "batch",
  status: "processed",
};
const id = fileId("file-abc");

/** Ids as services with OpenAI's API give them. */
const foreignIds = [
  "0f8fad5b-d9cb-469f-a165-70867728950e",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "66f4a1b2c3d4e5f60718293a",
  `bGl0ZWxsbV9wcm94eTphcHBsaWNhdGlvbi9qc29u${"x9".repeat(1_000)}==`,
  "gs%3A%2F%2Fbucket%2Fin-1",
  "file.2026:1~a",
];

const failing = (kind: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind;

Deno.test("a file is put as a form with its purpose first and its bytes last", async () => {
  await using server = serve(async (request) => {
    const length = request.headers.get("content-length");
    assert.equal(request.headers.get("authorization"), "Bearer sk-test");
    const bytes = await request.bytes();
    assert.equal(length, String(bytes.byteLength));
    const form = await new Response(bytes, { headers: request.headers }).formData();
    assert.deepEqual([...form.keys()], ["purpose", "file"]);
    assert.equal(form.get("purpose"), "batch");
    const file = form.get("file") as File;
    assert.equal(file.name, "in.jsonl");
    assert.equal(file.type, "application/jsonl");
    assert.equal(await file.text(), "hello");
    return Response.json(stored);
  });
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const file = await files.put({
    name: "in.jsonl",
    contentType: "application/jsonl",
    bytes: 5,
    body: chunks(["he", "llo"]),
  }, quiet());
  assert.deepEqual(file, {
    id: "file-abc",
    name: "in.jsonl",
    bytes: 5,
    createdAt: new Date(1_787_176_071_000),
    expiresAt: new Date(1_789_768_071_000),
    origin: "upload",
  });
  assert.deepEqual(server.requests, ["POST /v1/files"]);
});

Deno.test("a service's own purpose goes with its files, and its results are distinguished", async () => {
  let purpose: unknown;
  await using server = serve(async (request) => {
    if (request.method === "POST") purpose = (await request.formData()).get("purpose");
    else await request.body?.cancel();
    return Response.json({ ...stored, purpose: "batch-api-output" });
  });
  await using w = world();
  const { files } = openaiAccount(server.url, w, { purpose: "batch-api" });
  const file = { name: "in.jsonl", contentType: "a/b", bytes: 5, body: chunks(["hello"]) };
  assert.equal((await files.put(file, quiet())).origin, "result");
  assert.equal(purpose, "batch-api");
});

Deno.test("times of any unit are read, and an end that is not set hides no file", async () => {
  const seconds = 1_787_176_071;
  const rows: [created: unknown, expires: unknown, expiresAt: Date | undefined][] = [
    [seconds, 0, undefined],
    [seconds, null, undefined],
    [seconds, "0001-01-01T00:00:00Z", undefined],
    [seconds, seconds, undefined],
    [seconds * 1000, (seconds + 60) * 1000, new Date((seconds + 60) * 1000)],
    [new Date(seconds * 1000).toISOString(), `${seconds + 60}`, new Date((seconds + 60) * 1000)],
  ];
  for (const [created_at, expires_at, expiresAt] of rows) {
    await using server = serve(() => Response.json({ ...stored, created_at, expires_at }));
    await using w = world();
    const file = await openaiAccount(server.url, w).files.head(id, quiet());
    assert.deepEqual(file.createdAt, new Date(seconds * 1000));
    assert.deepEqual(file.expiresAt, expiresAt);
  }
});

Deno.test("a file over 200 MiB is refused before a byte is sent", async () => {
  await using server = serve(() => Response.json(stored));
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  assert.equal(files.maxBytes, 209_715_200);
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() });
  const file = { name: "a.jsonl", contentType: "application/jsonl", bytes: 209_715_201, body };
  await assert.rejects(files.put(file, quiet()), failing("too-large"));
  await cancelled.promise;
  assert.deepEqual(server.requests, []);
});

Deno.test("a file name that is not as OpenAI wants it is refused in OpenAI's words", async () => {
  await using server = serve(async (request) => {
    await request.body?.cancel();
    const message = "Invalid file format for Batch API. Must be .jsonl";
    return Response.json({ error: { message, type: "invalid_request_error" } }, { status: 400 });
  });
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const file = { name: "a.txt", contentType: "text/plain", bytes: 1, body: chunks(["x"]) };
  await assert.rejects(
    files.put(file, quiet()),
    (error) => failing("invalid")(error) && /Must be \.jsonl/.test(String(error)),
  );
});

Deno.test("ids of files are distinguished from other texts", async () => {
  await using w = world();
  const { files } = openaiAccount("http://127.0.0.1:9", w);
  for (const good of ["file-abc", "file_x-1", "file-52voFe6FU6MWyAwa1Uj39R", ...foreignIds]) {
    assert.equal(files.parseId(good), good);
  }
  const names = ["in-2026-11-30.jsonl", "manifest.json.out", "part-00000.snappy.parquet", "README"];
  const places = ["", "file-", "file", "file-a/b", "file-a.jsonl", "files/abc", "..", "xfile-a"];
  const ours = ["abcdefghij01", `results.abcdefghij01.${"0f".repeat(16)}`];
  const broken = ["a b 1234567", "12345678é", `file-${"x".repeat(2_044)}`];
  for (const bad of [...places, ...names, ...ours, ...broken]) {
    assert.equal(files.parseId(bad), undefined, bad);
  }
});

Deno.test("at OpenAI itself ids have one form, so that no other text costs it a call", async () => {
  await using w = world();
  const { files, batches } = openaiAccount("https://api.openai.com", w);
  assert.equal(files.parseId("file-52voFe6FU6MWyAwa1Uj39R"), "file-52voFe6FU6MWyAwa1Uj39R");
  assert.equal(batches.parseId("batch_67"), "batch_67");
  for (const id of foreignIds) {
    assert.equal(files.parseId(id), undefined);
    assert.equal(batches.parseId(id), undefined);
  }
});

Deno.test("pages of the list follow one another, and files of the provider's own are distinguished", async () => {
  const page = (data: unknown[], more: boolean) =>
    Response.json({ object: "list", data, last_id: "file-2", has_more: more });
  await using server = serve((request) =>
    request.url.includes("after=")
      ? page([{ ...stored, id: "file-3" }], false)
      : page([stored, { ...stored, id: "file-2", purpose: "batch_output" }, { odd: 1 }], true)
  );
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const first = await files.list(undefined, quiet());
  assert.deepEqual(first.items.map((file) => [file.id, file.origin]), [
    ["file-abc", "upload"],
    ["file-2", "result"],
  ]);
  const second = await files.list(first.cursor, quiet());
  assert.deepEqual(second.items.map((file) => file.id), ["file-3"]);
  assert.equal(second.cursor, undefined);
  assert.deepEqual(server.requests, [
    "GET /v1/files?limit=10000&order=asc",
    "GET /v1/files?limit=10000&order=asc&after=file-2",
  ]);
});

Deno.test("a server that repeats its page for ever ends the list", async () => {
  await using server = serve(() => Response.json({ data: [stored], has_more: true }));
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const first = await files.list(undefined, quiet());
  assert.equal(first.cursor, "file-abc");
  assert.equal((await files.list(first.cursor, quiet())).cursor, undefined);
});

Deno.test("an answer that is not a list is not taken for an empty one", async () => {
  await using server = serve(() => Response.json({}));
  await using w = world();
  await assert.rejects(
    openaiAccount(server.url, w).files.list(undefined, quiet()),
    failing("unavailable"),
  );
});

const ranges = [
  [undefined, undefined, "0123456789"],
  [{ first: 0, last: 0 }, "bytes=0-0", "0"],
  [{ first: 3, last: 5 }, "bytes=3-5", "345"],
  [{ first: 7 }, "bytes=7-", "789"],
] as const;

for (const honoured of [true, false]) {
  const how = honoured ? "honours" : "ignores";
  Deno.test(`a range is read from a provider that ${how} Range`, async () => {
    let asked: string | undefined;
    await using server = serve((request) => {
      asked = request.headers.get("range") ?? undefined;
      assert.equal(request.headers.get("accept-encoding"), "identity");
      if (!honoured || asked === undefined) return new Response("0123456789");
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(asked) ?? [];
      const end = last === "" ? 9 : Number(last);
      return new Response("0123456789".slice(Number(first), end + 1), {
        status: 206,
        headers: { "content-range": `bytes ${first}-${end}/10` },
      });
    });
    await using w = world();
    const { files } = openaiAccount(server.url, w);
    for (const [range, header, expected] of ranges) {
      assert.equal(await textOf(await files.read(id, range, quiet())), expected);
      assert.equal(asked, header);
      const { body, ranged } = await files.open(id, range, quiet());
      assert.equal(ranged, honoured && range !== undefined);
      assert.equal(await textOf(body), ranged ? expected : "0123456789");
    }
  });
}

Deno.test("another range than was asked for is not passed on", async () => {
  await using server = serve(() =>
    new Response("xyz", { status: 206, headers: { "content-range": "bytes 0-2/10" } })
  );
  await using w = world();
  await assert.rejects(
    openaiAccount(server.url, w).files.read(id, { first: 3 }, quiet()),
    failing("unavailable"),
  );
});

Deno.test("a file that OpenAI does not give back is unsupported, with the reason", async () => {
  await using server = serve(() => {
    const message = "Not allowed to download files of purpose: assistants";
    return Response.json({ error: { message } }, { status: 400 });
  });
  await using w = world();
  await assert.rejects(
    openaiAccount(server.url, w).files.read(id, undefined, quiet()),
    (error) => failing("unsupported")(error) && (error as Failure).details.s3 === "InvalidRequest",
  );
});

Deno.test("a file is deleted; one that is gone already is not an error, another refusal is", async () => {
  let status = 200;
  await using server = serve(() =>
    status === 200
      ? Response.json({ id, deleted: true })
      : Response.json({ error: { message: "no" } }, { status })
  );
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  await files.delete(id, quiet());
  status = 404;
  await files.delete(id, quiet());
  status = 403;
  await assert.rejects(files.delete(id, quiet()), failing("denied"));
});

Deno.test("an odd id cannot leave its place in the path", async () => {
  await using server = serve(() => Response.json(stored));
  await using w = world();
  await openaiAccount(server.url, w).files.head("../batches?x" as FileId, quiet());
  assert.deepEqual(server.requests, ["GET /v1/files/..%2Fbatches%3Fx"]);
});

Deno.test("a wrong base URL is not reported to a put as a missing object", async () => {
  await using server = serve(() =>
    Response.json({ error: { message: "Invalid URL", code: null } }, { status: 404 })
  );
  await using w = world();
  const { files } = openaiAccount(server.url, w);
  const file = { name: "in.jsonl", contentType: "a/b", bytes: 5, body: chunks(["hello"]) };
  await assert.rejects(files.put(file, quiet()), failing("unavailable"));
});

Deno.test("only OpenAI itself is trusted to list the newest batches first", async () => {
  await using w = world();
  assert.equal(openaiAccount("https://api.openai.com", w).batches.newestFirst, true);
  assert.equal(openaiAccount("https://api.example", w).batches.newestFirst, false);
});
