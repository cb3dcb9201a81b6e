import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AnthropicError } from "../../../sandbox/anthropic/errors.ts";
import { readRequests } from "../../../sandbox/anthropic/requests.ts";

/** A body that comes in chunks of so many bytes. */
function chunked(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return ReadableStream.from(function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }());
}

async function read(text: string, size = text.length + 1): Promise<[string, unknown][]> {
  const all: [string, unknown][] = [];
  for await (const { customId, line } of readRequests(chunked(text, size))) {
    equal(line.includes("\n"), false, "a request is one line");
    all.push([customId, JSON.parse(line)]);
  }
  return all;
}

Deno.test("requests are found whole wherever the chunks of the body end", async () => {
  const requests = [
    { custom_id: "a", params: { text: 'a "quoted" ] } , [ { backslash \\' } },
    { custom_id: "b", params: { nested: [[], {}, [{ deep: ["ü€😀"] }]], n: 1.5, none: null } },
    { custom_id: "c", params: {} },
  ];
  for (const text of [JSON.stringify({ requests }), JSON.stringify({ requests }, null, "\t")]) {
    for (const size of [1, 2, 3, 7, 64, 10_000]) {
      deepEqual(
        await read(text, size),
        requests.map((request) => [request.custom_id, request]),
        `chunks of ${size}`,
      );
    }
  }
});

Deno.test("numbers keep their text", async () => {
  const line = '{"custom_id":"a","params":{"n":12345678901234567890,"m":1.10}}';
  for await (const request of readRequests(chunked(`{"requests": [${line}] }`, 5))) {
    equal(request.line, line);
  }
});

Deno.test("a body that is not an object with a list of requests is refused", async () => {
  const element = '{"custom_id":"a","params":{}}';
  for (
    const text of [
      "",
      "[]",
      "nothing",
      `[${element}]`,
      '{"requests":{}}',
      '{"requests":null}',
      '{"requests":"[{}]"}',
      `{"requests":[${element}]`,
      `{"requests":[${element}`,
      `{"requests":[${element}]}}`,
      `{"requests":[${element}]} x`,
      `{"requests":[${element},]}`,
      `{"requests":[,${element}]}`,
      `{"requests":[,]}`,
      `{"requests":[${element}${element}]}`,
      `{"requests":[${element}],"model":"m"}`,
      `{"model":"m","requests":[${element}]}`,
      `{"requests":[${element}],"more":[${element.replace("a", "b")}]}`,
      `{"requests":[1]}`,
      `{"requests":[null]}`,
    ]
  ) {
    await rejects(read(text, 4), (error) => {
      ok(error instanceof AnthropicError, text);
      equal(error.type, "invalid_request_error", text);
      return true;
    }, text);
  }
});

Deno.test("a body of endless requests is read no faster than they are taken, and let go", async () => {
  let pulled = 0;
  let cancelled = false;
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const start = pulled === 0 ? '{"requests":[' : ",";
      controller.enqueue(encoder.encode(`${start}{"custom_id":"r${pulled++}","params":{}}`));
    },
    cancel() {
      cancelled = true;
    },
  }, { highWaterMark: 0 });
  let taken = 0;
  for await (const { customId } of readRequests(body)) {
    equal(customId, `r${taken}`);
    if (++taken === 100) break;
  }
  ok(pulled <= 102, `${pulled} chunks were read for 100 requests`);
  equal(cancelled, true);
});

Deno.test("more than 256 MB are too large", async () => {
  const chunk = new Uint8Array(2 ** 20).fill(0x20);
  const body = ReadableStream.from(function* () {
    yield new TextEncoder().encode('{"requests":[');
    for (let i = 0; i < 257; i++) yield chunk;
  }());
  await rejects(async () => {
    for await (const _ of readRequests(body));
  }, (error) => error instanceof AnthropicError && error.type === "request_too_large");
});
