/** JSON Lines as bytes: a line at a time, in memory bounded by the longest line. */
import { ByteBuffer } from "../runtime/byte_buffer.ts";
import { Failure } from "./failure.ts";

/** How long a line may be. */
export interface LineLimit {
  /** Bytes of a line, its line feed not counted. */
  readonly maxLineBytes: number;
}

const lineFeed = 0x0a;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Cuts a stream of bytes into lines, each one chunk without its line feed. Empty lines are chunks
 * too, so that lines can be counted; a carriage return stays in its line; a last line needs no line
 * feed. Lines are views of the chunks that they came in: copy one that is to be kept.
 *
 * The stream fails with a `too-large` {@linkcode Failure} at a line that is over the limit.
 */
export function splitLines(limit: LineLimit): TransformStream<Uint8Array, Uint8Array> {
  const splitter = new LineSplitter(limit);
  return new TransformStream({
    transform(chunk, controller) {
      for (const line of splitter.push(chunk)) controller.enqueue(line);
    },
    flush(controller) {
      const last = splitter.end();
      if (last !== undefined) controller.enqueue(last);
    },
  });
}

/**
 * Reads the first line that holds more than white space, without its line feed and without the
 * file's byte order mark, and cancels the rest of the stream. Undefined where there is no such line.
 *
 * Throws a `too-large` {@linkcode Failure} where it does not end within the first `maxBytes`.
 */
export async function firstLine(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const splitter = new LineSplitter({ maxLineBytes: maxBytes });
  const reader = stream.getReader();
  let blankBytes = 0;
  let isFirst = true;
  try {
    while (true) {
      const { done, value } = await reader.read();
      const lines = done ? [splitter.end() ?? new Uint8Array()] : splitter.push(value);
      for (const line of lines) {
        if (blankBytes + line.length > maxBytes) {
          throw blankBytes > 0 ? noRecord(maxBytes) : tooLong(maxBytes);
        }
        const text = isFirst ? withoutByteOrderMark(line) : line;
        if (!isBlank(text)) return text;
        isFirst = false;
        blankBytes += line.length + 1;
      }
      if (done) return undefined;
    }
  } finally {
    // Where the stream failed, the read has reported it; where the line was found, the rest
    // does not matter.
    await reader.cancel().catch(() => {});
  }
}

/** The bytes of a file's first line behind the byte order mark that some editors write there. */
export function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  const isMarked = byteOrderMark.every((byte, at) => bytes[at] === byte);
  return isMarked ? bytes.subarray(byteOrderMark.length) : bytes;
}

/** Returns whether a line holds nothing but spaces, tabs and carriage returns. */
export function isBlank(line: Uint8Array): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}

class LineSplitter {
  readonly #rest: PartialLine;
  readonly #limit: LineLimit;

  constructor(limit: LineLimit) {
    this.#limit = limit;
    this.#rest = new PartialLine(limit);
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const piece = chunk.subarray(start, end);
      start = end + 1;
      if (this.#rest.length > 0) {
        this.#rest.append(piece);
        yield this.#rest.take();
      } else {
        if (piece.length > this.#limit.maxLineBytes) throw tooLong(this.#limit.maxLineBytes);
        yield piece;
      }
    }
    this.#rest.append(chunk.subarray(start));
  }

  /** The last line, where it has no line feed. */
  end(): Uint8Array | undefined {
    return this.#rest.length > 0 ? this.#rest.take() : undefined;
  }
}

/** The beginning of a line whose end has not come yet. */
export class PartialLine {
  readonly #maxBytes: number;
  readonly #bytes: ByteBuffer;

  constructor({ maxLineBytes }: LineLimit) {
    this.#maxBytes = maxLineBytes;
    this.#bytes = new ByteBuffer(maxLineBytes);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** What has come of the line, with room behind it; to be read before the next bytes are added. */
  get bytes(): Uint8Array {
    return this.#bytes.bytes;
  }

  /** Adds bytes without a line feed; throws a `too-large` Failure over the limit. */
  append(bytes: Uint8Array): void {
    if (!this.#bytes.append(bytes)) throw tooLong(this.#maxBytes);
  }

  /** Gives the line away and begins a new one. */
  take(): Uint8Array {
    return this.#bytes.take();
  }
}

/** Makes the failure of a line that is over the limit. */
export function tooLong(maxBytes: number): Failure {
  return new Failure(
    "too-large",
    `A line of the JSONL file is longer than ${maxBytes} bytes. Split its record into smaller ones.`,
  );
}

function noRecord(maxBytes: number): Failure {
  return new Failure(
    "too-large",
    `The JSONL file begins with blank lines and has no whole record in its first ${maxBytes} bytes. Remove the blank lines.`,
  );
}
