/**
 * Brings JSONL for Gemini into the form that its batches read, without changing the length.
 *
 * Gemini's file batches want `{"key":"k","request":{…}}`. Clients also send the form of its inline
 * batches, `{"request":{…},"metadata":{"key":"k"}}`. Gemini must be told a file's length before
 * its bytes, so a line is rewritten to exactly the bytes that it had, filled up with spaces.
 */
import { latin1 } from "./latin1.ts";
import { type LineLimit, PartialLine, tooLong } from "./jsonl.ts";

const mark = '"metadata"';
/** How a line begins that is in the newer form for certain. */
const newForm = '{"key":';
/** The same with a key that is a string: how libraries write it. */
const withKey = `${newForm}"`;

/**
 * Is told of each line as it came, once: a text of one character a byte that holds it from `start` up
 * to `end`. Of a line that begins with its key, and needs no change, the beginning may be all.
 */
export type SeeLine = (text: string, start: number, end: number) => void;
const encoder = new TextEncoder();

/**
 * Rewrites each line `{"request":{…},"metadata":{"key":"k"}}` to `{"key":"k","request":{…}   }`.
 *
 * Values, further members and the white space around the object are copied byte for byte: numbers,
 * escapes and the order of members stay as they were. What `metadata` holds besides the key is
 * dropped, as Gemini has no field for it. Every other line passes byte for byte: one that has a
 * `key`, a blank one, broken JSON, a key that is no string, `metadata` spelled with escapes.
 *
 * Every chunk that comes out is as long as the bytes it stands for, so the total never changes.
 * Memory is bounded by the longest line and the chunk; a line over the limit fails the stream with
 * a `too-large` Failure, and what breaks the body breaks it.
 */
export function normalizeGeminiLines(
  body: ReadableStream<Uint8Array>,
  limit: LineLimit,
  seen: SeeLine = () => {},
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const take = createNormalizer(limit, seen);
  // A stream that is pulled: one that is piped through costs more for each chunk than all else here.
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        for (let isEmpty = true; isEmpty;) {
          const { done, value } = await reader.read();
          for (const piece of take(done ? undefined : value)) {
            controller.enqueue(piece);
            isEmpty = false;
          }
          if (done) return controller.close();
        }
      } catch (error) {
        reader.cancel(error).catch(() => {});
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Makes what takes a chunk, or the end, and gives what may go out then: together as many bytes. */
function createNormalizer(
  limit: LineLimit,
  seen: SeeLine,
): (chunk: Uint8Array | undefined) => Uint8Array[] {
  const { maxLineBytes } = limit;
  /** The beginning of a line that cannot go out before its end is known. */
  const held = new PartialLine(limit);
  /** Bytes that went out already of a line whose end has not come yet. */
  let passed = 0;

  /** Takes what a chunk begins with of a line that began before it; undefined where it is all. */
  function endFirst(chunk: Uint8Array, text: string, pieces: Uint8Array[]): FirstEnd | undefined {
    if (passed === 0 && held.length === 0) return { lines: 0, out: 0 };
    const end = text.indexOf("\n");
    // A line feed goes out with what follows it.
    const out = passed > 0 ? 0 : end;
    if (passed > 0) {
      passed += end === -1 ? chunk.length : end;
      if (passed > maxLineBytes) throw tooLong(maxLineBytes);
      if (end === -1) pieces.push(chunk);
      else passed = 0;
    } else if (end === -1) held.append(chunk);
    else {
      held.append(chunk.subarray(0, end));
      pieces.push(normalizeLine(held.take(), seen));
    }
    return end === -1 ? undefined : { lines: end + 1, out };
  }

  return (chunk) => {
    if (chunk === undefined) return held.length > 0 ? [normalizeLine(held.take(), seen)] : [];
    const pieces: Uint8Array[] = [];
    const text = latin1(chunk);
    const first = endFirst(chunk, text, pieces);
    if (first === undefined) return pieces;
    const tail = text.lastIndexOf("\n") + 1;
    const lines = normalizeLines(chunk, text, first.lines, tail, limit, seen);
    const passes = keyEnd(text, tail) !== undefined && chunk.length - tail <= maxLineBytes;
    if (passes) {
      seen(text, tail, text.length);
      passed = chunk.length - tail;
    } else held.append(chunk.subarray(tail));
    // One piece for a chunk, as far as may be: each is a system call.
    const out = lines.subarray(first.out, passes ? chunk.length : tail);
    if (out.length > 0) pieces.push(out);
    return pieces;
  };
}

/** Where the first line ends that began before a chunk. */
interface FirstEnd {
  /** Where the lines begin that begin in the chunk. */
  readonly lines: number;
  /** Where what is still to go out begins. */
  readonly out: number;
}

/** Where the key ends of a line that begins with it, where that is in the text and has no escape. */
function keyEnd(text: string, start: number): number | undefined {
  if (!text.startsWith(withKey, start)) return undefined;
  const end = text.indexOf('"', start + withKey.length);
  return end === -1 || text.slice(start, end).includes("\\") ? undefined : end;
}

/**
 * Normalizes the whole lines of a chunk from `begin` up to `to`: the same array where nothing was to
 * be rewritten, else a copy of all of it. Refuses a long line also where it came whole: the limit must
 * not depend on how bytes are cut.
 */
function normalizeLines(
  chunk: Uint8Array,
  text: string,
  begin: number,
  to: number,
  { maxLineBytes }: LineLimit,
  seen: SeeLine,
): Uint8Array {
  let result = chunk;
  let found = -1;
  for (let start = begin, end = 0; start < to; start = end + 1) {
    end = text.indexOf("\n", start);
    if (end - start > maxLineBytes) throw tooLong(maxLineBytes);
    seen(text, start, end);
    // Such a line passes whatever else it holds, and need not be looked through.
    if (text.startsWith(newForm, start)) continue;
    if (found < start) found = text.indexOf(mark, start);
    if (found === -1) found = text.length;
    if (found >= end) continue;
    const rewritten = rewriteLine(chunk.subarray(start, end));
    if (rewritten === undefined) continue;
    if (result === chunk) result = chunk.slice();
    result.set(rewritten, start);
  }
  return result;
}

/** One line, without its line feed; the same array where it passes as it is. */
function normalizeLine(line: Uint8Array, seen: SeeLine): Uint8Array {
  const text = latin1(line);
  seen(text, 0, text.length);
  return text.includes(mark) ? rewriteLine(line) ?? line : line;
}

const keyStart = encoder.encode('{"key":');
const separator = encoder.encode(",");

/** A line of the older form in the newer one, as long as before; undefined where it has another. */
function rewriteLine(line: Uint8Array): Uint8Array | undefined {
  if (!hasOlderForm(line)) return undefined;
  const object = trimmed(line);
  const members = readMembers(line, object.start);
  const metadata = members.findLast((member) => member.name === "metadata");
  const key = metadata && readMembers(line, metadata.valueStart)
    .findLast((member) => member.name === "key");
  if (key === undefined) return undefined;

  const pieces = [keyStart, line.subarray(key.valueStart, key.end)];
  for (const member of members) {
    if (member.name === "metadata") continue;
    pieces.push(separator, line.subarray(member.start, member.end));
  }
  // Always shorter than before: `"key":` and its value were part of the metadata, of which
  // `"metadata":{}` is gone, and there is a comma for each member as before.
  const result = line.slice();
  result.fill(0x20, object.start, object.end - 1);
  let at = object.start;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether it is JSON of the older form: without a key, with a request, with a key in metadata. */
function hasOlderForm(line: Uint8Array): boolean {
  let record: unknown;
  try {
    record = JSON.parse(decoder.decode(line));
  } catch {
    return false; // Broken JSON and broken UTF-8 are Gemini's to report, with the line's number.
  }
  return isObject(record) && !Object.hasOwn(record, "key") && isObject(record.request) &&
    isObject(record.metadata) && typeof record.metadata.key === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where a line begins and ends without the white space around it. */
function trimmed(line: Uint8Array): { start: number; end: number } {
  let start = 0;
  let end = line.length;
  while (isWhiteSpace(line[start])) start++;
  while (isWhiteSpace(line[end - 1])) end--;
  return { start, end };
}

/** White space as JSON has it; a line feed cannot occur within a line. */
function isWhiteSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** A member of an object, as offsets into its line. */
interface Member {
  /** Escapes decoded. */
  readonly name: string;
  /** At the quote that opens the name. */
  readonly start: number;
  readonly valueStart: number;
  /** Behind the value. */
  readonly end: number;
}

/** Lists the members of the object at an offset of a line that is known to be JSON. */
function readMembers(line: Uint8Array, objectStart: number): Member[] {
  const members: Member[] = [];
  let at = skipWhiteSpace(line, objectStart + 1);
  while (line[at] === quote) {
    const start = at;
    const nameEnd = skipString(line, start);
    const name: string = JSON.parse(decoder.decode(line.subarray(start, nameEnd)));
    const colon = skipWhiteSpace(line, nameEnd);
    const valueStart = skipWhiteSpace(line, colon + 1);
    const end = skipValue(line, valueStart);
    members.push({ name, start, valueStart, end });
    at = skipWhiteSpace(line, end);
    if (line[at] === comma) at = skipWhiteSpace(line, at + 1);
  }
  return members;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const isOpening = (byte: number | undefined) => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number | undefined) => byte === 0x5d || byte === 0x7d;

function skipWhiteSpace(line: Uint8Array, from: number): number {
  let at = from;
  while (isWhiteSpace(line[at])) at++;
  return at;
}

/** Behind the string that begins at an offset. */
function skipString(line: Uint8Array, start: number): number {
  let at = start;
  let escaped: boolean;
  do {
    at = line.indexOf(quote, at + 1);
    let slashes = 0;
    while (line[at - 1 - slashes] === backslash) slashes++;
    escaped = slashes % 2 === 1;
  } while (escaped);
  return at + 1;
}

/** Behind the value that begins at an offset. */
function skipValue(line: Uint8Array, start: number): number {
  let at = start;
  let depth = 0;
  do {
    const byte = line[at];
    if (byte === quote) {
      at = skipString(line, at);
      continue;
    }
    if (isOpening(byte)) depth++;
    else if (isClosing(byte)) depth--;
    at++;
  } while (depth > 0 || isScalar(line[at]));
  return at;
}

/** Whether a byte goes on with a number or a word, once no bracket is open. */
function isScalar(byte: number | undefined): boolean {
  return byte !== undefined && byte !== comma && !isClosing(byte) && !isWhiteSpace(byte);
}
