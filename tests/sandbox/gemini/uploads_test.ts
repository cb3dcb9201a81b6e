import { deepEqual, equal, match } from "node:assert/strict";
import { type Caller, withCaller } from "./caller.ts";

const granularity = 262_144;

const send = (
  { call }: Caller,
  url: string,
  command: string,
  offset: number,
  body: BodyInit | null = null,
) =>
  call("POST", url, body, {
    "x-goog-upload-command": command,
    "x-goog-upload-offset": String(offset),
  });

Deno.test("an upload's session comes as a URL with a granularity and needs no key", () =>
  withCaller(async ({ call, sandbox }) => {
    const started = await call("POST", "/upload/v1/files", '{"file":{"display_name":"a"}}', {
      "x-goog-upload-protocol": "resumable",
      "x-goog-upload-command": "start",
      "x-goog-upload-header-content-length": "3",
      "x-goog-upload-header-content-type": "application/jsonl",
    });
    equal(started.status, 200);
    equal(started.text, "");
    equal(started.headers.get("x-goog-upload-status"), "active");
    equal(started.headers.get("x-goog-upload-chunk-granularity"), String(granularity));
    const url = started.headers.get("x-goog-upload-url") ?? "";
    equal(url.startsWith(`${sandbox.geminiUrl}/upload/v1/files?`), true, url);

    const done = await call("POST", url, "abc", {
      "x-goog-api-key": "",
      "x-goog-upload-command": "upload, finalize",
      "x-goog-upload-offset": "0",
    });
    equal(done.status, 200);
    equal(done.headers.get("x-goog-upload-status"), "final");
    const { file } = done.json;
    match(file.createTime ?? "", /^2026-11-23T12:00:00\.\d{9}Z$/);
    match(file.expirationTime ?? "", /^2026-11-23T12:16:40/);
    deepEqual(
      { ...file, name: "", uri: "", createTime: "", updateTime: "", expirationTime: "" },
      {
        name: "",
        displayName: "a",
        mimeType: "application/jsonl",
        sizeBytes: "3",
        createTime: "",
        updateTime: "",
        expirationTime: "",
        sha256Hash: btoa("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        uri: "",
        state: "ACTIVE",
        source: "UPLOADED",
      },
    );
    equal(file.uri, `${sandbox.geminiUrl}/v1beta/${file.name}`);
  }));

Deno.test("chunks go on where the last one ended, and a query answers where that is", () =>
  withCaller(async (caller) => {
    const bytes = crypto.getRandomValues(new Uint8Array(65_536));
    const chunk = new Uint8Array(granularity);
    chunk.set(bytes);
    const url = await caller.start(granularity + 5, { name: "files/mine" });

    equal(
      (await send(caller, url, "upload", 0, chunk)).headers.get("x-goog-upload-status"),
      "active",
    );
    const query = await send(caller, url, "query", 0);
    equal(query.headers.get("x-goog-upload-size-received"), String(granularity));
    equal(query.headers.get("x-goog-upload-status"), "active");

    const wrong = await send(caller, url, "upload, finalize", 0, "12345");
    equal(wrong.status, 400);
    equal(wrong.headers.get("x-goog-upload-size-received"), String(granularity));

    equal((await send(caller, url, "upload, finalize", granularity, "12345")).status, 200);
    const { json } = await caller.call("GET", "/v1beta/files/mine");
    equal(json.sizeBytes, String(granularity + 5));
  }));

Deno.test("data and finalize may come in requests of their own", () =>
  withCaller(async (caller) => {
    const url = await caller.start(granularity);
    await send(caller, url, "upload", 0, new Uint8Array(granularity));
    const done = await send(caller, url, "finalize", granularity);
    equal(done.headers.get("x-goog-upload-status"), "final");
    equal(done.json.file.sizeBytes, String(granularity));
    const again = await send(caller, url, "finalize", granularity);
    equal(again.json.file.name, done.json.file.name, "the answer may have been lost");
  }));

Deno.test("a chunk that is not a multiple of the granularity is refused and forgotten", () =>
  withCaller(async (caller) => {
    const url = await caller.start(1000);
    equal((await send(caller, url, "upload", 0, "12345")).status, 400);
    const query = await send(caller, url, "query", 0);
    equal(query.headers.get("x-goog-upload-size-received"), "0");
  }));

Deno.test("an upload that is longer or shorter than announced leaves no file", () =>
  withCaller(async (caller) => {
    for (const body of ["1234", "123456"]) {
      const url = await caller.start(5, { name: "files/mine" });
      const refused = await send(caller, url, "upload, finalize", 0, body);
      equal(refused.status, 400);
      equal(refused.json.error.status, "INVALID_ARGUMENT");
      equal((await caller.call("GET", "/v1beta/files/mine")).status, 403);
    }
  }));

Deno.test("a cancelled upload is over", () =>
  withCaller(async (caller) => {
    const url = await caller.start(granularity + 1);
    await send(caller, url, "upload", 0, new Uint8Array(granularity));
    const cancelled = await send(caller, url, "cancel", 0);
    equal(cancelled.status, 200);
    equal(cancelled.headers.get("x-goog-upload-status"), "cancelled");
    equal((await send(caller, url, "upload, finalize", granularity, "1")).status, 400);
    equal((await caller.call("GET", "/v1beta/files")).text, "{}");
  }));

Deno.test("an upload whose connection breaks leaves no file and can begin again", () =>
  withCaller(async (caller) => {
    const url = await caller.start(granularity, { name: "files/mine" });
    const abort = new AbortController();
    const broken = fetch(url, {
      method: "POST",
      headers: { "x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0" },
      signal: abort.signal,
      body: new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(1000)),
        pull: () => abort.abort(),
      }, { highWaterMark: 0 }),
    });
    await broken.then((response) => response.body?.cancel(), () => {});
    equal((await caller.call("GET", "/v1beta/files/mine")).status, 403);
    const query = await send(caller, url, "query", 0);
    equal(query.headers.get("x-goog-upload-size-received"), "0");
    const whole = new Uint8Array(granularity);
    equal((await send(caller, url, "upload, finalize", 0, whole)).status, 200);
  }));

Deno.test("a whole file comes in one multipart/related request", () =>
  withCaller(async ({ call }) => {
    const body = "--B\r\ncontent-type: application/json; charset=utf-8\r\n\r\n" +
      '{"file":{"displayName":"a.jsonl"}}\r\n' +
      "--B\r\ncontent-type: application/jsonl\r\n\r\nline\r\nline\r\n--B--\r\n";
    const headers = {
      "x-goog-upload-protocol": "multipart",
      "content-type": "multipart/related; boundary=B",
    };
    const done = await call("POST", "/upload/v1beta/files", body, headers);
    equal(done.status, 200);
    equal(done.json.file.sizeBytes, "10");
    equal(done.json.file.mimeType, "application/jsonl");
    equal(done.json.file.displayName, "a.jsonl");

    const cut = await call("POST", "/upload/v1beta/files", body.slice(0, -10), headers);
    equal(cut.status, 400);
    equal((await call("GET", "/v1beta/files")).json.files.length, 1);
  }));

Deno.test("what the API does not know is refused before any data", () =>
  withCaller(async ({ call, start }) => {
    const begin = (body: string) =>
      call("POST", "/upload/v1beta/files", body, {
        "x-goog-upload-protocol": "resumable",
        "x-goog-upload-command": "start",
      });
    const unknown = await begin('{"file":{"purpose":"batch"}}');
    equal(unknown.status, 400);
    match(unknown.json.error.message, /Unknown name "purpose" at 'file'/);
    for (const name of ["files/-a", "files/A", `files/${"a".repeat(41)}`, "a"]) {
      equal((await begin(JSON.stringify({ file: { name } }))).status, 400, name);
    }
    equal(await start(2 ** 31 + 1), "");
  }));

Deno.test("a file is gone after its window", () =>
  withCaller(async ({ call, store, clock }) => {
    const name = await store("x");
    clock.advance(999);
    equal((await call("GET", `/v1beta/${name}`)).status, 200);
    clock.advance(1);
    equal((await call("GET", "/v1beta/files")).text, "{}");
    equal((await call("GET", `/v1beta/${name}`)).status, 403);
  }));

Deno.test("a request without a key is a 403", () =>
  withCaller(async ({ call, sandbox }) => {
    const refused = await call("GET", "/v1beta/files", null, { "x-goog-api-key": "" });
    equal(refused.status, 403);
    equal(refused.json.error.status, "PERMISSION_DENIED");
    const inQuery = await fetch(`${sandbox.geminiUrl}/v1beta/files?key=sandbox-gemini-key`);
    equal(await inQuery.text(), "{}");
  }));
