/** The dialect of a file, by the first of its bytes. */
import { detectDialect, type Detected } from "./detect.ts";
import { LineReader } from "./lines.ts";
import { parseLine } from "./stream.ts";

/** The most that has to be looked at. */
export const maxHeadBytes = 2 ** 20;

/** Looks at a file's bytes until its first record is seen. */
export class HeadReader {
  readonly #lines = new LineReader(maxHeadBytes);
  readonly #held: Uint8Array[] = [];
  #bytes = 0;

  /**
   * Takes the next bytes. Returns what the first record is of, or undefined where more bytes are
   * needed for that.
   */
  push(chunk: Uint8Array): Detected | undefined {
    for (const { bytes } of this.#lines.push(chunk)) return detectLine(bytes);
    this.#held.push(chunk);
    this.#bytes += chunk.byteLength;
    return this.#bytes < maxHeadBytes ? undefined : detectBeginning(this.#held);
  }

  /** Returns what the first record is of where the file ends without a line feed. */
  end(): Detected {
    for (const { bytes } of this.#lines.end()) return detectLine(bytes);
    return { unknown: "not there: the file has no record" };
  }
}

function detectLine(bytes: Uint8Array): Detected {
  const json = parseLine(bytes);
  return typeof json === "string" ? { unknown: json } : detectDialect(json);
}

/** Of a record that is longer than what is looked at, its beginning has to do. */
function detectBeginning(chunks: readonly Uint8Array[]): Detected {
  const utf8 = new TextDecoder();
  const text = chunks.map((chunk) => utf8.decode(chunk, { stream: true })).join("");
  const closed = closedJson(text.slice(0, maxHeadBytes));
  if (closed === undefined) return { unknown: "not a JSON object" };
  return detectLine(new TextEncoder().encode(closed));
}

/** A place at which the text can be ended, and what closes it there. */
interface Ending {
  readonly at: number;
  readonly closing: string;
}

/**
 * Makes a whole JSON object of the beginning of one: a text that is cut is ended where it is cut, a
 * member that has no value yet is left out. Undefined where it does not begin with an object.
 */
export function closedJson(text: string): string | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  /** What closes each value that is open, the innermost first. */
  let closing = "";
  let isName = false;
  let last: Ending = { at: 0, closing: "" };
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') {
      const end = endOfText(text, at);
      if (end !== undefined) at = end;
      else if (!isName) return `${withoutCutEscape(text)}"${closing}`;
      else break;
    } else if (character === "{" || character === "[") {
      closing = (character === "{" ? "}" : "]") + closing;
      isName = character === "{";
      last = { at: at + 1, closing };
    } else if (character === "}" || character === "]") {
      closing = closing.slice(1);
      last = { at: at + 1, closing };
    } else if (character === ",") {
      isName = closing.startsWith("}");
      last = { at, closing };
    } else if (character === ":") isName = false;
  }
  return text.slice(0, last.at) + last.closing;
}

/** Returns where the text ends that begins here; undefined where it is cut. */
function endOfText(text: string, start: number): number | undefined {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return undefined;
}

/** Leaves out the escape that a text ends in, where its end is missing. */
function withoutCutEscape(text: string): string {
  const cut = /\\u?[0-9a-fA-F]{0,3}$/.exec(text.slice(-5));
  if (!cut) return text;
  const at = text.length - cut[0].length;
  let slashes = 1;
  while (text.charCodeAt(at - slashes) === 0x5c) slashes += 1;
  return slashes % 2 === 0 ? text : text.slice(0, at);
}
