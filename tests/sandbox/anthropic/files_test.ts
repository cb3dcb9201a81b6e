import { deepEqual, equal, match } from "node:assert/strict";
import { type Caller, withCaller } from "./caller.ts";

/** Uploads a form of name, value and, for a file, what follows its name. */
const upload = ({ call }: Caller, parts: readonly [name: string, value: string, more?: string][]) =>
  call(
    "POST",
    "/v1/files",
    parts.map(([name, value, more = ""]) =>
      `--B\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
    ).join("") + "--B--\r\n",
    { "content-type": "multipart/form-data; boundary=B" },
  );

Deno.test("of a file's name the last component is kept, and no name becomes one", () =>
  withCaller(async (caller) => {
    const nameOf = async (more: string) =>
      (await upload(caller, [["file", "hello", more]])).json.filename;
    equal(await nameOf('; filename="a/b/c.txt"'), "c.txt");
    equal(await nameOf('; filename=""\r\ncontent-type: text/plain'), "unnamed.txt");
    equal(await nameOf('; filename="a/"'), "unnamed.bin");
  }));

Deno.test("a form that is wrong is a 400 and leaves nothing", () =>
  withCaller(async (caller) => {
    const file: [string, string, string] = ["file", "hello", '; filename="a"'];
    const cases: [Parameters<typeof upload>[1], RegExp][] = [
      [[], /form of the body is wrong|file: Field required/],
      [[["expires_in_seconds", "3600"]], /file: Field required/],
      [[file, ["purpose", "batch"]], /purpose: Extra inputs/],
      [[file, ["expires_in_seconds", "3599"]], /between 3600 and 7776000/],
      [[file, ["expires_in_seconds", "7776001"]], /between 3600 and 7776000/],
      [[file, file], /file: Extra inputs/],
    ];
    for (const [parts, words] of cases) {
      const { status, json } = await upload(caller, parts);
      equal(status, 400);
      match(json.error.message, words);
    }
    equal((await caller.call("POST", "/v1/files")).status, 400);
    const { text } = await caller.call("GET", "/v1/files");
    deepEqual(JSON.parse(text), { data: [], next_page: null });
  }));

Deno.test("content is refused with the reason's code", () =>
  withCaller(async (caller) => {
    const { json: { id } } = await upload(caller, [
      ["expires_in_seconds", "3600"],
      ["file", "hello", '; filename="a"'],
    ]);
    const fresh = await caller.call("GET", `/v1/files/${id}/content`);
    equal(fresh.status, 400);
    equal(fresh.json.error.details?.error_code, "file_not_downloadable");
    caller.clock.advance(3600);
    const expired = await caller.call("GET", `/v1/files/${id}/content`);
    equal(expired.status, 404);
    equal(expired.json.error.details?.error_code, "file_expired");
    equal((await caller.call("GET", "/v1/files/file_none/content")).status, 404);
  }));

Deno.test("ids are asked for without limit and page", () =>
  withCaller(async ({ call }) => {
    equal((await call("GET", "/v1/files?ids=a&limit=1")).status, 400);
    equal((await call("GET", "/v1/files?page=page_none")).status, 400);
    equal((await call("GET", "/v1/files?limit=0")).status, 400);
  }));
