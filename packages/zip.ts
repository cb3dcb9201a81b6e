/** Zip archives with fixed times, so that the same files give the same bytes. */
import { crc32, deflateRawSync } from "node:zlib";

const encoder = new TextEncoder();
/** The first moment that a zip can hold: 1980-01-01 00:00. */
const time = 0;
const date = 1 << 5 | 1;
/** A regular file that its owner may write and all may read, as Unix has it, in the upper half. */
const mode = 0o100644 << 16 >>> 0;
/** Made by Unix, whose modes are understood; readable by version 2.0. */
const madeBy = 3 << 8 | 20;
const needs = 20;
/** Names are UTF-8. */
const flags = 1 << 11;
const deflated = 8;

/**
 * Makes a zip archive of files in their order. Each file, and all together, must be below 4 GiB.
 */
export function zip(files: Iterable<readonly [name: string, bytes: Uint8Array]>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const put = (...all: readonly Uint8Array[]) => {
    parts.push(...all);
    offset += lengthOf(all);
  };
  for (const [path, bytes] of files) {
    const name = encoder.encode(path);
    const packed = deflateRawSync(bytes, { level: 9 });
    // The members that the header of a file and its entry in the directory share.
    const shared: readonly Field[] = [
      [2, needs],
      [2, flags],
      [2, deflated],
      [2, time],
      [2, date],
      [4, crc32(bytes)],
      [4, packed.length],
      [4, bytes.length],
      [2, name.length],
      [2, 0],
    ];
    directory.push(
      record(0x02014b50, [[2, madeBy], ...shared, [2, 0], [2, 0], [2, 0], [4, mode], [4, offset]]),
      name,
    );
    put(record(0x04034b50, shared), name, packed);
  }
  const size = lengthOf(directory);
  const count = directory.length / 2;
  const start = offset;
  put(
    ...directory,
    record(0x06054b50, [[2, 0], [2, 0], [2, count], [2, count], [4, size], [4, start], [2, 0]]),
  );
  return joined(parts);
}

/** A number and the bytes that it takes. */
type Field = readonly [bytes: 2 | 4, value: number];

function record(signature: number, fields: readonly Field[]): Uint8Array {
  const all: readonly Field[] = [[4, signature], ...fields];
  const view = new DataView(new ArrayBuffer(all.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of all) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
