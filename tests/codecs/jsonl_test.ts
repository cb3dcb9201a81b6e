import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { Failure } from "../../codecs/failure.ts";
import { firstLine, isBlank, PartialLine, splitLines } from "../../codecs/jsonl.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** The bytes in chunks of a size. */
function chunked(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = encode(text);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return ReadableStream.from(chunks);
}

async function linesOf(text: string, size: number, maxLineBytes = 1000): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of chunked(text, size).pipeThrough(splitLines({ maxLineBytes }))) {
    lines.push(decode(line));
  }
  return lines;
}

function isTooLarge(error: unknown): true {
  ok(error instanceof Failure && error.kind === "too-large", String(error));
  return true;
}

Deno.test("lines come out the same however the bytes are cut", async () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["a", ["a"]],
    ["a\n", ["a"]],
    ["\n", [""]],
    ["\n\na\n\nb", ["", "", "a", "", "b"]],
    ["a\r\nb\r\n", ["a\r", "b\r"]],
    ['{"ü":"\u{1f600}"}\n{"long":"xxxxxxxxxxxxxxxxxxxxxxxx"}\n1', [
      '{"ü":"\u{1f600}"}',
      '{"long":"xxxxxxxxxxxxxxxxxxxxxxxx"}',
      "1",
    ]],
  ];
  for (const [text, lines] of cases) {
    for (let size = 1; size <= encode(text).length + 1; size++) {
      deepEqual(await linesOf(text, size), lines, `${JSON.stringify(text)} by ${size}`);
    }
  }
});

Deno.test("a line of just the limit passes and one more byte fails, however it is cut", async () => {
  for (const size of [1, 2, 3, 100]) {
    deepEqual(await linesOf("12345\n12345", size, 5), ["12345", "12345"]);
    await rejects(linesOf("1\n123456\n1", size, 5), isTooLarge);
    await rejects(linesOf("1\n123456", size, 5), isTooLarge);
  }
});

Deno.test("an endless line is given up at the limit, and its source is cancelled", async () => {
  let pulled = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(10).fill(0x61));
    },
    cancel() {
      cancelled = true;
    },
  });
  const reader = endless.pipeThrough(splitLines({ maxLineBytes: 100 })).getReader();
  await rejects(reader.read(), isTooLarge);
  ok(pulled < 20, `pulled ${pulled} chunks`);
  equal(cancelled, true);
});

Deno.test("no more is read than the reader of the lines asks for", async () => {
  let pulled = 0;
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(encode("line\n"));
    },
  });
  const reader = source.pipeThrough(splitLines({ maxLineBytes: 100 })).getReader();
  for (let read = 0; read < 5; read++) await reader.read();
  await new Promise((resolve) => setTimeout(resolve));
  ok(pulled < 10, `pulled ${pulled} chunks for 5 lines`);
  await reader.cancel();
});

Deno.test("a line put together from pieces is not overwritten by the next", () => {
  const line = new PartialLine({ maxLineBytes: 10 });
  line.append(encode("ab"));
  line.append(encode("cd"));
  const first = line.take();
  equal(line.length, 0);
  line.append(encode("xyz"));
  equal(decode(first), "abcd");
  equal(decode(line.take()), "xyz");
});

Deno.test("the first line is the first that is not blank, however the bytes are cut", async () => {
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["\n \r\n\t\n", undefined],
    ["a", "a"],
    ["\r\n\n  \n{}\r\n{}", "{}\r"],
    ["\n ü", " ü"],
    ["\ufeff{}\r\n{}", "{}\r"],
    ["\ufeff\r\n{}", "{}"],
    ["\n\ufeff{}", "\ufeff{}"],
    ["\ufeff", undefined],
  ];
  for (const [text, line] of cases) {
    for (let size = 1; size <= encode(text).length + 1; size++) {
      const found = await firstLine(chunked(text, size), 100);
      equal(found && decode(found), line, `${JSON.stringify(text)} by ${size}`);
    }
  }
});

Deno.test("the rest of the stream is cancelled once the first line is there", async () => {
  let cancelled = false;
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(encode('{"a":1}\n{"b":2}\n'));
    },
    cancel() {
      cancelled = true;
    },
  });
  equal(decode(await firstLine(stream, 100) ?? new Uint8Array()), '{"a":1}');
  equal(cancelled, true);
  ok(pulled <= 2, `pulled ${pulled} chunks`);
});

Deno.test("a first line that does not end within the limit fails, and cancels the stream", async () => {
  for (const text of ["x", "\n", " "]) {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encode(text)),
      cancel() {
        cancelled = true;
      },
    });
    await rejects(firstLine(stream, 50), isTooLarge, JSON.stringify(text));
    equal(cancelled, true);
  }
});

Deno.test("a first line of just the limit is read", async () => {
  equal((await firstLine(chunked("12345", 2), 5))?.length, 5);
  equal((await firstLine(chunked("\n1234\n5", 3), 5))?.length, 4);
  await rejects(firstLine(chunked("\n12345\n5", 3), 5), isTooLarge);
});

Deno.test("an error of the stream is the error of the first line", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new RangeError("broken")),
  });
  await rejects(firstLine(broken, 100), RangeError);
});

Deno.test("a line of white space is blank", () => {
  for (const text of ["", " ", "\t \r"]) equal(isBlank(encode(text)), true);
  for (const text of ["a", "  {}", "\u00a0"]) equal(isBlank(encode(text)), false);
});
