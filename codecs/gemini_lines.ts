/**
 * Brings JSONL for Gemini into the form that its batches read, without changing the length.
 *
 * Gemini's file batches want `{"key":"k","request":{…}}`. Clients also send the form of its inline
 * batches, `{"request":{…},"metadata":{"key":"k"}}`. Gemini needs a file's length before
 * its bytes, so a line is rewritten to exactly the bytes that it had, filled up with spaces.
 */
import { JsonScan, type ScannedMember } from "./json_scan.ts";
import { type LineLimit, PartialLine, tooLong } from "./jsonl.ts";
import { latin1 } from "./latin1.ts";

const mark = '"metadata"';
/** How a line begins that is in the newer form for certain. */
const newForm = '{"key":';
/** The same with a key that is a string: how libraries write it. */
const withKey = `${newForm}"`;

/**
 * Receives each line as it came, once: a text of one character a byte that holds it from `start` up
 * to `end`. Of a line that begins with its key, and needs no change, the beginning may be all, and
 * of one of more than 8 KiB its two ends, with a backslash and a line feed between them.
 */
export type SeeLine = (text: string, start: number, end: number) => void;
const encoder = new TextEncoder();

/**
 * Rewrites each line `{"request":{…},"metadata":{"key":"k"}}` to `{"key":"k","request":{…}   }`.
 *
 * Values, further members and the white space around the object are copied byte for byte: numbers,
 * escapes and the order of members stay as they were. What `metadata` holds besides the key is
 * dropped, as Gemini has no field for it. Every other line passes byte for byte: one that has a
 * `key`, a blank one, broken JSON, a key that is not a string, `metadata` spelled with escapes.
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

/** As {@linkcode normalizeGeminiLines}, of bytes that are there as a whole; as many come out. */
export function normalizeGeminiBytes(
  whole: Uint8Array,
  limit: LineLimit,
  seen: SeeLine = () => {},
): Uint8Array {
  const take = createNormalizer(limit, seen);
  const pieces = [...take(whole), ...take(undefined)];
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const normalized = new Uint8Array(whole.length);
  let at = 0;
  for (const piece of pieces) {
    normalized.set(piece, at);
    at += piece.length;
  }
  return normalized;
}

/** Makes what takes a chunk, or the end, and gives what may go out then: together as many bytes. */
function createNormalizer(
  limit: LineLimit,
  seen: SeeLine,
): (chunk: Uint8Array | undefined) => Uint8Array[] {
  const { maxLineBytes } = limit;
  /** The beginning of a line that cannot go out before its end is known. */
  const held = new HeldLine(limit);
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
      pieces.push(...held.take(seen));
    }
    return end === -1 ? undefined : { lines: end + 1, out };
  }

  return (chunk) => {
    if (chunk === undefined) return held.length > 0 ? held.take(seen) : [];
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

/**
 * Returns where the key ends of a line that begins with it, where that is in the text and has no
 * escape.
 */
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
    const pieces = rewriteLine(chunk.subarray(start, end));
    if (pieces === undefined) continue;
    if (result === chunk) result = chunk.slice();
    let at = start;
    for (const piece of pieces) {
      result.set(piece, at);
      at += piece.length;
    }
  }
  return result;
}

/** Bytes that are seen of each end of a longer line that came in several chunks. */
const seenEdge = 4_096;

/**
 * Both ends of a long line. No string can be read from one into the other: the sign is not an
 * escape.
 */
function endsOf(line: Uint8Array): string {
  return `${latin1(line.subarray(0, seenEdge))}\\\n${latin1(line.subarray(-seenEdge))}`;
}

/** A line that came in several chunks: it is scanned as they come, so that none costs more than itself. */
class HeldLine {
  readonly #line: PartialLine;
  #scan = new JsonScan(2);

  constructor(limit: LineLimit) {
    this.#line = new PartialLine(limit);
  }

  get length(): number {
    return this.#line.length;
  }

  append(bytes: Uint8Array): void {
    this.#line.append(bytes);
    this.#scan.push(this.#line.bytes, this.#line.length);
  }

  /** What goes out in its place, once it has ended: as many bytes. */
  take(seen: SeeLine): Uint8Array[] {
    const line = this.#line.take();
    const scan = this.#scan;
    this.#scan = new JsonScan(2);
    const text = line.length > 2 * seenEdge ? endsOf(line) : latin1(line);
    seen(text, 0, text.length);
    return rewritten(line, scan) ?? [line];
  }
}
const keyStart = encoder.encode('{"key":');
const separator = encoder.encode(",");
const closing = encoder.encode("}");

/** A line of the older form in the newer one, in pieces that are as long together; else undefined. */
function rewriteLine(line: Uint8Array): Uint8Array[] | undefined {
  const scan = new JsonScan(2);
  scan.push(line, line.length);
  return rewritten(line, scan);
}

/** The same for a line that was scanned. Nothing but its key is copied. */
function rewritten(line: Uint8Array, scan: JsonScan): Uint8Array[] | undefined {
  const members = scan.end(line);
  const key = members && keyOfOlderForm(line, members);
  if (!members || !key) return undefined;
  const pieces = [keyStart, line.subarray(key.valueStart, key.end)];
  for (const member of members) {
    if (member.depth > 1 || member.name === "metadata") continue;
    pieces.push(separator, line.subarray(member.start, member.end));
  }
  // Always shorter than before: `"key":` and its value were part of the metadata, of which
  // `"metadata":{}` is gone, and there is a comma for each member as before.
  const { first, end } = scan.span;
  const used = pieces.reduce((sum, { length }) => sum + length, 0);
  const spaces = new Uint8Array(end - first - used - closing.length).fill(0x20);
  return [line.subarray(0, first), ...pieces, spaces, closing, line.subarray(end)]
    .filter(({ length }) => length > 0);
}

/** The key in the metadata of a record that has a request and no key of its own. */
function keyOfOlderForm(
  line: Uint8Array,
  members: readonly ScannedMember[],
): ScannedMember | undefined {
  const outer = members.filter(({ depth }) => depth === 1);
  const metadata = outer.findLast(({ name }) => name === "metadata");
  const request = outer.findLast(({ name }) => name === "request");
  const hasKey = outer.some(({ name }) => name === "key");
  if (hasKey || metadata?.kind !== "object" || request?.kind !== "object") return undefined;
  const { start: begin, valueStart, end } = metadata;
  // A name that is spelled with escapes is left as it is.
  if (latin1(line.subarray(begin, begin + mark.length)) !== mark) return undefined;
  const key = members.findLast(({ depth, name, start }) =>
    depth === 2 && name === "key" && start > valueStart && start < end
  );
  return key?.kind === "string" ? key : undefined;
}
