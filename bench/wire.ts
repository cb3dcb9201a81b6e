/** HTTP/1.1 by hand, as lean as it can be: load must not cost what it measures. */
import { Buffer } from "node:buffer";

/** Reads messages from a connection. */
export interface WireReader {
  /** Start line and headers as one character a byte; undefined where the connection has ended. */
  head(): Promise<string | undefined>;
  /** Reads a body past, whatever is in it. */
  skip(bytes: number): Promise<void>;
  /** Reads a chunked body past; answers with its bytes. */
  skipChunked(): Promise<number>;
  /** Reads a body. */
  take(bytes: number): Promise<Uint8Array>;
}

const endOfHead = Buffer.from("\r\n\r\n");
const endOfLine = Buffer.from("\r\n");
const bufferBytes = 256 * 1024;

/** Makes a reader with one buffer that it goes on using. */
export function createWireReader(connection: Deno.Conn, bytes = bufferBytes): WireReader {
  const buffer = Buffer.allocUnsafe(bytes);
  let start = 0;
  let end = 0;

  async function fill(): Promise<boolean> {
    if (start === end) start = end = 0;
    else if (end === bytes) {
      buffer.copy(buffer, 0, start, end);
      end -= start;
      start = 0;
      if (end === bytes) throw new Error(`A head or line is longer than ${bytes} bytes`);
    }
    const read = await connection.read(buffer.subarray(end));
    if (read === null) return false;
    end += read;
    return true;
  }

  async function until(mark: Buffer): Promise<string | undefined> {
    for (;;) {
      const at = buffer.subarray(start, end).indexOf(mark);
      if (at >= 0) {
        const text = buffer.toString("latin1", start, start + at);
        start += at + mark.length;
        return text;
      }
      if (!await fill()) return undefined;
    }
  }

  async function skip(length: number): Promise<void> {
    for (let left = length;;) {
      const here = Math.min(left, end - start);
      start += here;
      left -= here;
      if (left === 0) return;
      if (!await fill()) throw new Error(`The connection ended ${left} bytes early`);
    }
  }

  return {
    head: () => until(endOfHead),
    skip,
    async skipChunked() {
      let total = 0;
      for (;;) {
        const size = Number.parseInt(await until(endOfLine) ?? "", 16);
        if (Number.isNaN(size)) throw new Error("A chunk has no size");
        await skip(size + 2);
        if (size === 0) return total;
        total += size;
      }
    },
    async take(length) {
      const taken = new Uint8Array(length);
      for (let at = 0; at < length;) {
        if (start === end && !await fill()) throw new Error("The connection ended early");
        const here = Math.min(length - at, end - start);
        taken.set(buffer.subarray(start, start + here), at);
        start += here;
        at += here;
      }
      return taken;
    },
  };
}

/** A header of a head that was read; undefined where it has none of this name. */
export function headerOf(head: string, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, "i").exec(head)?.[1];
}

/** How a message's body is framed. */
export function framingOf(head: string): number | "chunked" {
  const length = /\r\ncontent-length:[ \t]*([0-9]+)/i.exec(head)?.[1];
  if (length !== undefined) return Number(length);
  return /\r\ntransfer-encoding:[ \t]*chunked/i.test(head) ? "chunked" : 0;
}

/** Writes all bytes. */
export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Writes so many bytes of a block that is repeated. */
export async function writeRepeated(
  connection: Deno.Conn,
  block: Uint8Array,
  bytes: number,
): Promise<void> {
  for (let left = bytes; left > 0;) {
    const piece = left >= block.length ? block : block.subarray(0, left);
    await writeAll(connection, piece);
    left -= piece.length;
  }
}
