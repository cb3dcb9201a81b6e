import { deepEqual, equal, rejects } from "node:assert/strict";
import { MultipartError, parseMultipart } from "../../sandbox/multipart.ts";

const type = "multipart/form-data; boundary=XX";

/** A stream of a text in pieces of so many bytes. */
function cut(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return ReadableStream.from((function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })());
}

async function read(body: ReadableStream<Uint8Array>, contentType = type) {
  const parts: [string, string | undefined, string][] = [];
  for await (const part of parseMultipart(body, contentType)) {
    parts.push([part.name, part.filename, await new Response(part.body).text()]);
  }
  return parts;
}

const form = [
  "--XX",
  'Content-Disposition: form-data; name="purpose"',
  "",
  "batch",
  "--XX",
  'Content-Disposition: form-data; name="file"; filename="a %22b%22 ü.jsonl"',
  "Content-Type: application/jsonl",
  "",
  "line 1\r\n--X\r\n\r\n--X X\n",
  "--XX",
  'Content-Disposition: form-data; name="empty"',
  "",
  "",
  "--XX--",
  "",
].join("\r\n");

const parsed = [
  ["purpose", undefined, "batch"],
  ["file", 'a "b" ü.jsonl', "line 1\r\n--X\r\n\r\n--X X\n"],
  ["empty", undefined, ""],
];

Deno.test("A form is read the same however its bytes are cut", async () => {
  for (const size of [1, 2, 3, 5, 7, 11, 64, 10_000]) {
    deepEqual(await read(cut(form, size)), parsed, `pieces of ${size} bytes`);
  }
});

Deno.test("A preamble, an epilogue and white space after a boundary are not parts", async () => {
  const body =
    `before\r\n--XX \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--XX--after`;
  deepEqual(await read(cut(body, 4)), [["a", undefined, "1"]]);
});

Deno.test("A part without a head is read", async () => {
  deepEqual(await read(cut("--XX\r\n\r\nbody\r\n--XX--", 3)), [["", undefined, "body"]]);
});

Deno.test("A quoted boundary is understood", async () => {
  const body = "--a b\r\n\r\nx\r\n--a b--";
  deepEqual(await read(cut(body, 5), 'multipart/form-data; boundary="a b"'), [
    ["", undefined, "x"],
  ]);
});

Deno.test("A part that is not read is skipped", async () => {
  const names: string[] = [];
  for await (const part of parseMultipart(cut(form, 9), type)) names.push(part.name);
  deepEqual(names, ["purpose", "file", "empty"]);
});

Deno.test("A body that ends before its last boundary is an error, not a short part", async () => {
  for (const end of [form.length - 8, 200, 120, 60, 20]) {
    await rejects(read(cut(form.slice(0, end), 16)), MultipartError, `cut at ${end}`);
  }
});

Deno.test("A content type without a boundary is an error", async () => {
  await rejects(read(cut(form, 10), "multipart/form-data"), MultipartError);
});

Deno.test("A head without an end does not fill the memory", async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 4096;
      controller.enqueue(new Uint8Array(4096).fill(0x61));
    },
  });
  const head = new TextEncoder().encode("--XX\r\n");
  const joined = ReadableStream.from((async function* () {
    yield head;
    yield* body;
  })());
  await rejects(read(joined), MultipartError);
  equal(sent < 100_000, true, `${sent} bytes were taken`);
});

Deno.test("The body is cancelled where the reader stops early", async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(form.slice(0, 100)));
    },
    cancel() {
      cancelled = true;
    },
  });
  for await (const part of parseMultipart(body, type)) {
    equal(part.name, "purpose");
    break;
  }
  equal(cancelled, true);
});
