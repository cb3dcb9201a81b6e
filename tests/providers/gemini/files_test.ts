import assert from "node:assert/strict";
import { Failure, type FailureKind } from "../../../codecs/failure.ts";
import { fileId } from "../../../codecs/ids.ts";
import { quiet, textOf } from "../harness.ts";
import { geminiAccount, key, refusal } from "./account.ts";

const upload = {
  name: "files/abc-1",
  displayName: "a.jsonl",
  sizeBytes: "170",
  source: "UPLOADED",
};
const video = { name: "files/vid", sizeBytes: "11", source: "GENERATED" };
const result = fileId("files/batch-o6k1ogsv4ylk6jcfmgi5pdzm5s0dukmv3ehu");

const failsWith = (kind: FailureKind) => (error: unknown) =>
  error instanceof Failure && error.kind === kind;

for (
  const [name, id] of [
    ["abc-1", "files/abc-1"],
    ["files/abc-1", "files/abc-1"],
    [result, result],
    [result.slice(6), result],
    ["-abc", undefined],
    ["files/a/b", undefined],
    ["files/..", undefined],
    ["a.jsonl", undefined],
    ["ABC", undefined],
    ["", undefined],
  ]
) {
  Deno.test(`"${name}" is ${id ?? "no file id"}`, async () => {
    await using one = geminiAccount(() => new Response());
    assert.equal(one.files.parseId(name ?? ""), id);
  });
}

Deno.test("a look-up carries the key in a header and reads sizes that are texts", async () => {
  await using one = geminiAccount((request) => {
    assert.equal(request.headers.get("x-goog-api-key"), key);
    return Response.json({ ...upload, createTime: "2026-07-02T14:40:59.019821594Z" });
  });
  const file = await one.files.head(fileId("files/abc-1"), quiet());
  assert.deepEqual([file.bytes, file.origin], [170, "upload"]);
  assert.equal(file.createdAt.toISOString(), "2026-07-02T14:40:59.019Z");
  assert.deepEqual(one.server.requests, ["GET /v1beta/files/abc-1"]);
});

for (const [code, status] of [[403, "PERMISSION_DENIED"], [404, "NOT_FOUND"]] as const) {
  Deno.test(`an unknown file, answered with ${code}, is not found and its deletion succeeds`, async () => {
    const refused = () => refusal(code, status, "You do not have permission");
    const isList = (request: Request) => new URL(request.url).pathname === "/v1beta/files";
    await using one = geminiAccount((request) => isList(request) ? Response.json({}) : refused());
    await assert.rejects(one.files.head(fileId("files/x"), quiet()), failsWith("not-found"));
    await assert.rejects(
      one.files.read(fileId("files/x"), undefined, quiet()),
      failsWith("not-found"),
    );
    await one.files.delete(fileId("files/x"), quiet());
    // A 403 may stand for a right that is missing, so the list is asked whether the file is there.
    const asked = code === 403 ? 4 : 3;
    assert.equal(one.server.requests.length, asked, "none is tried again");
  });
}

Deno.test("a file that is listed and answered with 403 is not taken for deleted", async () => {
  await using one = geminiAccount((request) =>
    request.method === "GET"
      ? Response.json({ files: [upload] })
      : refusal(403, "PERMISSION_DENIED", "You do not have permission")
  );
  await assert.rejects(one.files.delete(fileId("files/abc-1"), quiet()), failsWith("denied"));
});

Deno.test("a 403 for an unknown file does not say that it is gone", async () => {
  await using one = geminiAccount(() => refusal(403, "PERMISSION_DENIED", "No permission"));
  await assert.rejects(
    one.files.read(fileId("files/x"), undefined, quiet()),
    (error) => error instanceof Failure && error.details.gone === false,
  );
});

Deno.test("a 403 for the key's sake is denied, also where a file is asked for", async () => {
  await using one = geminiAccount(() =>
    refusal(403, "PERMISSION_DENIED", "blocked", [{ reason: "API_KEY_SERVICE_BLOCKED" }])
  );
  await assert.rejects(one.files.head(fileId("files/x"), quiet()), failsWith("denied"));
  await assert.rejects(one.files.delete(fileId("files/x"), quiet()), failsWith("denied"));
});

Deno.test("the wait that RetryInfo asks for is kept, then passed on", async () => {
  await using one = geminiAccount(() =>
    refusal(429, "RESOURCE_EXHAUSTED", "quota", [
      { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" },
    ])
  );
  await assert.rejects(
    one.files.head(fileId("files/x"), quiet()),
    (error) => failsWith("throttled")(error) && (error as Failure).details.retryAfterSeconds === 2,
  );
  assert.deepEqual(one.waits, [1500, 1500]);
});

Deno.test("the download of an uploaded file is refused, with the reason and advice", async () => {
  await using one = geminiAccount(() => Response.json(upload));
  await assert.rejects(one.files.read(fileId("files/abc-1"), undefined, quiet()), (error) => {
    assert(error instanceof Failure);
    assert.deepEqual([error.kind, error.details.s3], ["unsupported", "InvalidRequest"]);
    assert.match(error.message, /own copy/);
    return true;
  });
  assert.deepEqual(one.server.requests, ["GET /v1beta/files/abc-1"], "no download is tried");
});

Deno.test("a generated file and a batch's result are downloaded", async () => {
  await using one = geminiAccount((request) =>
    request.url.endsWith("alt=media") ? new Response("hello world") : Response.json(video)
  );
  for (const id of [fileId("files/vid"), result]) {
    assert.equal(await textOf(await one.files.read(id, undefined, quiet())), "hello world");
  }
  assert.deepEqual(one.server.requests, [
    "GET /v1beta/files/vid",
    "GET /v1beta/files/vid:download?alt=media",
    `GET /v1beta/${result}:download?alt=media`,
  ]);
});

Deno.test("a range is right whether Gemini honours it or not", async () => {
  let honours = true;
  await using one = geminiAccount((request) => {
    assert.equal(request.headers.get("range"), "bytes=6-8");
    return honours
      ? new Response("wor", { status: 206, headers: { "content-range": "bytes 6-8/11" } })
      : new Response("hello world");
  });
  const range = { first: 6, last: 8 };
  const opened = async () => {
    const { body, ranged } = await one.files.open(result, range, quiet());
    return [ranged, await textOf(body)];
  };
  assert.equal(await textOf(await one.files.read(result, range, quiet())), "wor");
  assert.deepEqual(await opened(), [true, "wor"]);
  honours = false;
  assert.equal(await textOf(await one.files.read(result, range, quiet())), "wor");
  assert.deepEqual(await opened(), [false, "hello world"]);
});

Deno.test("another part than the one that was asked for is not passed on", async () => {
  await using one = geminiAccount(() =>
    new Response("hel", { status: 206, headers: { "content-range": "bytes 0-2/11" } })
  );
  await assert.rejects(
    one.files.read(result, { first: 6, last: 8 }, quiet()),
    failsWith("unavailable"),
  );
});

Deno.test("a result's size comes from its download, counted where it has no length", async () => {
  let tells = true;
  await using one = geminiAccount(() =>
    tells
      ? new Response("hello world", {
        headers: { "last-modified": "Tue, 24 Nov 2026 11:00:00 GMT" },
      })
      : new Response(new Blob(["hello world"]).stream())
  );
  const file = await one.files.head(result, quiet());
  assert.deepEqual([file.bytes, file.origin], [11, "result"]);
  assert.equal(file.createdAt.toISOString(), "2026-11-24T11:00:00.000Z");
  tells = false;
  assert.equal((await one.files.head(result, quiet())).bytes, 11);
});

Deno.test("a result that Gemini no longer has is not found, and none is asked to be deleted", async () => {
  await using one = geminiAccount(() => refusal(404, "NOT_FOUND", "gone"));
  await assert.rejects(one.files.head(result, quiet()), failsWith("not-found"));
  await assert.rejects(one.files.read(result, undefined, quiet()), failsWith("not-found"));
  await one.files.delete(result, quiet());
  assert(one.server.requests.every((request) => request.startsWith("GET")));
});

Deno.test("the list has pages of 100, and an empty account is an empty object", async () => {
  await using one = geminiAccount((request) => {
    const token = new URL(request.url).searchParams.get("pageToken");
    if (token === null) return Response.json({ files: [upload, video], nextPageToken: "a/b=" });
    return Response.json({});
  });
  const first = await one.files.list(undefined, quiet());
  assert.deepEqual(
    first.items.map(({ id, name, origin }) => [id, name, origin]),
    [["files/abc-1", "a.jsonl", "upload"], ["files/vid", "files/vid", "result"]],
  );
  const second = await one.files.list(first.cursor, quiet());
  assert.deepEqual(second, { items: [] });
  assert.deepEqual(one.server.requests, [
    "GET /v1beta/files?pageSize=100",
    "GET /v1beta/files?pageSize=100&pageToken=a%2Fb%3D",
  ]);
});

Deno.test("a page of HTML is unavailable, never a missing file", async () => {
  await using one = geminiAccount(() => new Response("<html>404</html>", { status: 404 }));
  await assert.rejects(one.files.head(fileId("files/x"), quiet()), failsWith("unavailable"));
});
