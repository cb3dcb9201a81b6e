import { deepEqual, equal, ok } from "node:assert/strict";
import { ByteBuffer } from "../../runtime/byte_buffer.ts";

Deno.test("bytes come out as they came in, whatever the size of the pieces", () => {
  const all = Uint8Array.from({ length: 10_000 }, (_, at) => at % 251);
  const buffer = new ByteBuffer(10_000);
  for (const size of [1, 7, 4_096, 10_000]) {
    for (let at = 0; at < all.length; at += size) ok(buffer.append(all.subarray(at, at + size)));
    equal(buffer.length, all.length);
    deepEqual(buffer.take(), all);
    equal(buffer.length, 0);
  }
});

Deno.test("a piece that would be too much is not taken, and the others stay", () => {
  const buffer = new ByteBuffer(3);
  ok(buffer.append(Uint8Array.of(1, 2)));
  equal(buffer.append(Uint8Array.of(3, 4)), false);
  ok(buffer.append(Uint8Array.of(5)));
  deepEqual(buffer.take(), Uint8Array.of(1, 2, 5));
});

Deno.test("room grows by doubling, so that tiny pieces are not copied again and again", () => {
  const buffer = new ByteBuffer(1_000_000);
  const rooms = new Set<ArrayBufferLike>();
  for (let n = 0; n < 100_000; n++) {
    buffer.append(Uint8Array.of(1));
    rooms.add(buffer.bytes.buffer);
  }
  ok(rooms.size < 20, `${rooms.size} rooms`);
  ok(buffer.bytes.length <= 200_000);
});

Deno.test("what was given away is not written to", () => {
  const buffer = new ByteBuffer(10);
  buffer.append(Uint8Array.of(1, 2));
  const taken = buffer.take();
  buffer.append(Uint8Array.of(3, 4));
  deepEqual(taken, Uint8Array.of(1, 2));
});
