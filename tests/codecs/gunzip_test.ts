import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, deflateRawSync, gzipSync } from "node:zlib";
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import { gunzip, type GunzipBounds, inputBounds } from "../../codecs/gunzip.ts";
import { readRecords } from "../../dialects/stream.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const mega = 2 ** 20;
const text = (value: string) => new TextEncoder().encode(value);
const member = (value: string | Uint8Array): Bytes => new Uint8Array(gzipSync(value));
const joined = (...parts: readonly Uint8Array[]): Bytes => new Uint8Array(Buffer.concat(parts));

/** A body in pieces of so many bytes. */
function inPieces(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return ReadableStream.from((function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  })());
}

/** How much came out, until it ended or failed. */
async function drained(body: ReadableStream<Uint8Array>) {
  let bytes = 0;
  try {
    for await (const chunk of body) bytes += chunk.length;
    return { bytes, error: undefined };
  } catch (error) {
    return { bytes, error };
  }
}

function assertFailure(error: unknown, kind: FailureKind, says: RegExp): void {
  assert.ok(error instanceof Failure, `${error}`);
  assert.equal(error.kind, kind);
  assert.match(error.message, says);
}

const whole: Readonly<Record<string, readonly [packed: Bytes, text: string]>> = {
  "one member": [member("a\n"), "a\n"],
  "members in a row": [joined(member("a\n"), member(""), member("b"), member("c\n")), "a\nbc\n"],
  "an empty member": [member(""), ""],
  "many empty members": [joined(...Array(500).fill(member("")), member("a")), "a"],
  "zeros behind it, as tapes have": [joined(member("a\n"), new Uint8Array(512)), "a\n"],
  "bytes that cannot be packed": [member(text("ä€😀".repeat(9))), "ä€😀".repeat(9)],
};

for (const [what, [packed, is]] of Object.entries(whole)) {
  Deno.test(`gzip is decompressed, however it is cut: ${what}`, async () => {
    for (const size of [1, 7, packed.length]) {
      assert.equal(await new Response(gunzip(inPieces(packed, size))).text(), is);
    }
  });
}

const damaged = member("some lines\n".repeat(99));
const flipped = damaged.map((byte, at) => at === damaged.length - 6 ? byte ^ 1 : byte);

const broken: Readonly<Record<string, Bytes>> = {
  "no byte": new Uint8Array(),
  "a half header": damaged.slice(0, 5),
  "cut in the middle": damaged.slice(0, -12),
  "cut in its checksum": damaged.slice(0, -3),
  "another checksum": flipped,
  "text behind it": joined(damaged, text("{}\n")),
  "the beginning of a member behind it": joined(damaged, damaged.slice(0, 3)),
  "a member behind it that is cut": joined(damaged, damaged.slice(0, -12)),
  "text": text('{"recordId":"a"}\n'),
  "deflate without gzip": new Uint8Array(deflateRawSync("some lines\n")),
};

for (const [what, packed] of Object.entries(broken)) {
  Deno.test(`what is not a whole gzip file fails as invalid: ${what}`, async () => {
    for (const size of [1, packed.length || 1]) {
      const { error } = await drained(gunzip(inPieces(packed, size)));
      assertFailure(error, "invalid", /not a whole gzip file/);
    }
  });
}

/** What grows without an end; `close` notes that nothing more is read of it. */
function endless(chunk: Uint8Array, first: Uint8Array = new Uint8Array()) {
  const seen = { isClosed: false };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    pull: (controller) => controller.enqueue(chunk.slice()),
    cancel: () => void (seen.isClosed = true),
  }, { highWaterMark: 0 });
  return { seen, body };
}

const head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
const flush = { finishFlush: constants.Z_SYNC_FLUSH };
const smaller: GunzipBounds = { maxBytes: 8 * mega, maxRatio: 250 };

const bombs: Readonly<Record<string, [make: () => ReturnType<typeof endless>, GunzipBounds]>> = {
  "members of zeros without an end": [
    () => endless(member(new Uint8Array(mega))),
    inputBounds,
  ],
  "one member of zeros that never ends": [
    () => endless(new Uint8Array(deflateRawSync(new Uint8Array(mega), flush)), head),
    inputBounds,
  ],
  "a member of noise that never ends": [
    () => endless(new Uint8Array(deflateRawSync(randomBytes(mega), flush)), head),
    smaller,
  ],
};

for (const [what, [make, bounds]] of Object.entries(bombs)) {
  Deno.test(`decompressing stops at a bound, and reads no more: ${what}`, async () => {
    const { body, seen } = make();
    const { bytes, error } = await drained(gunzip(body, bounds));
    assertFailure(error, "too-large", /Put its records uncompressed/);
    assert.ok(bytes <= 17 * mega, `${bytes} bytes came out`);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.ok(seen.isClosed, "its source is still open");
  });
}

Deno.test("a file of zeros is a bomb, and records that look alike are not", async () => {
  const { error } = await drained(gunzip(inPieces(member(new Uint8Array(20 * mega)), 4_096)));
  assertFailure(error, "too-large", /grows too much/);
  const lines = Array.from(
    { length: 150_000 },
    (_, n) =>
      `{"recordId":"r-${n}","modelInput":{"messages":[{"role":"user","content":[{"text":"What?"}]}]}}\n`,
  ).join("");
  const alike = await drained(gunzip(inPieces(member(lines), 65_536)));
  assert.deepEqual(alike, { bytes: lines.length, error: undefined });
});

Deno.test("a bound is met to the byte", async () => {
  const bounds = { maxBytes: 1_000, maxRatio: 250 };
  const size = (bytes: number) =>
    drained(gunzip(inPieces(member(randomBytes(bytes)), 100), bounds));
  assert.deepEqual(await size(1_000), { bytes: 1_000, error: undefined });
  assertFailure((await size(1_001)).error, "too-large", /more than 1000 bytes/);
});

Deno.test("a line over the limit is one long record, and those behind it are read", async () => {
  const long = `{"recordId":"long","modelInput":{"x":"${"y".repeat(5_000)}"}}`;
  const short = '{"recordId":"b","modelInput":{"messages":[]}}';
  const body = gunzip(inPieces(member(`${long}\n${short}\n`), 10));
  const file = { dialect: "bedrock-converse", isDeclared: true, maxLineBytes: 1_000 } as const;
  const seen = [];
  for await (const read of readRecords(body, file)) seen.push([read.kind, read.line]);
  assert.deepEqual(seen, [["long", 1], ["record", 2]]);
});

Deno.test("what is not begun, or left, ends its source", async () => {
  for (const isBegun of [false, true]) {
    const { body, seen } = endless(member("a line\n"));
    const unpacked = gunzip(body);
    const reader = unpacked.getReader();
    if (isBegun) await reader.read();
    await reader.cancel();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.ok(seen.isClosed);
  }
});
