import assert from "node:assert/strict";
import { fileForm } from "../../../providers/openai/multipart.ts";
import { chunks, textOf } from "../harness.ts";

const formOf = (name: string, body: ReadableStream<Uint8Array> | Uint8Array, bytes: number) =>
  fileForm({
    fields: { purpose: "batch" },
    file: { field: "file", name, contentType: "application/jsonl", bytes, body },
    boundary: "b",
  });

function form(name: string, body: ReadableStream<Uint8Array>, bytes: number) {
  const made = formOf(name, body, bytes);
  assert.ok(made.body instanceof ReadableStream);
  return { ...made, body: made.body };
}

Deno.test("the form is written to the letter, with its exact length", async () => {
  const made = form("in.jsonl", chunks(["{}", "\n"]), 3);
  assert.equal(made.contentType, "multipart/form-data; boundary=b");
  const text = await textOf(made.body);
  assert.equal(
    text,
    '--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n' +
      '--b\r\nContent-Disposition: form-data; name="file"; filename="in.jsonl"\r\n' +
      "Content-Type: application/jsonl\r\n\r\n{}\n\r\n--b--\r\n",
  );
  assert.equal(made.bytes, text.length);
});

Deno.test("any file name is read back by a form parser", async () => {
  for (const name of ["ä 😀.jsonl", "per%cent.jsonl"]) {
    const made = form(name, chunks(["{}"]), 2);
    const bytes = await new Response(made.body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
    assert.equal(bytes.byteLength, made.bytes);
    const parsed = await new Response(bytes, { headers: { "content-type": made.contentType } })
      .formData();
    const file = parsed.get("file") as File;
    assert.equal(file.name, name);
    assert.equal(await file.text(), "{}");
    assert.equal(parsed.get("purpose"), "batch");
  }
});

Deno.test("a name cannot break out of its header", async () => {
  const text = await textOf(form('a"\r\nx: y.jsonl', chunks([]), 0).body);
  assert.match(text, /filename="a%22%0D%0Ax: y\.jsonl"\r\n/);
});

Deno.test("an error of the file passes through, and cancelling the form cancels the file", async () => {
  const error = new Error("digest");
  await assert.rejects(
    textOf(form("a.jsonl", chunks(["x"], error), 9).body),
    (thrown) => thrown === error,
  );
  const cancelled = Promise.withResolvers<unknown>();
  const body = new ReadableStream<Uint8Array>({ cancel: (reason) => cancelled.resolve(reason) });
  await form("a.jsonl", body, 9).body.cancel("enough");
  assert.equal(await cancelled.promise, "enough");
});

Deno.test("a file that is there goes out in one piece, a stream before its first byte", async () => {
  const streamed = await textOf(form("a.jsonl", chunks(["{", "}"]), 2).body);
  const made = formOf("a.jsonl", new TextEncoder().encode("{}"), 2);
  assert.ok(made.body instanceof Uint8Array);
  assert.equal(new TextDecoder().decode(made.body), streamed);
  assert.equal(made.bytes, made.body.length);
  const never = new ReadableStream<Uint8Array>();
  const large = form("a.jsonl", never, 1_000_000).body.getReader();
  const { value } = await large.read();
  assert.match(new TextDecoder().decode(value), /application\/jsonl\r\n\r\n$/);
  await large.cancel();
});
