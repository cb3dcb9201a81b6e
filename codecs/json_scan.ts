/**
 * Finds the members of a JSON object in its bytes, in slices of any length and without building a
 * value: `JSON.parse` of a line of 95 MiB takes up to 20 seconds and 5 GB (Deno 2.9.6), and nothing
 * else runs meanwhile.
 */
import { isUtf8 } from "node:buffer";
import type { Breath } from "../runtime/breath.ts";
import { latin1 } from "./latin1.ts";

/** A member of an object, as offsets into its bytes. */
export interface ScannedMember {
  /** 1 for a member of the outermost object, 2 for one of an object in it. */
  readonly depth: number;
  /** Escapes decoded; undefined for a name of more than {@linkcode maxNameBytes}. */
  readonly name: string | undefined;
  /** At the quote that opens the name. */
  readonly start: number;
  readonly valueStart: number;
  /** Behind the value. */
  readonly end: number;
  readonly kind: ValueKind;
}

/** What a value is, by how it begins. */
export type ValueKind = "object" | "array" | "string" | "scalar";

/** Names are read up to this length, quotes included: those looked for are shorter, escaped too. */
const maxNameBytes = 64;
/** Objects and arrays within each other; Google's parsers take 100. */
const maxDepth = 1_000;
/** Members that are noted of one line; records have some twenty. */
const maxMembers = 10_000;
/** Digits of a number. */
const maxScalarBytes = 1_024;
/** Bytes that are looked through before others may have a turn. */
const sliceBytes = 64 * 1_024;

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
const scalarForm = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;
const escapes = new Set(Array.from('"\\/bfnrt', (escape) => escape.charCodeAt(0)));

/** What may come next, outside of strings and scalars. */
type Expected = "value" | "element or end" | "name" | "name or end" | "colon" | "next" | "nothing";

/** A member whose value has not ended yet. */
type OpenMember = { -readonly [Name in keyof ScannedMember]: ScannedMember[Name] };

/**
 * A scan of one object. It is as strict as `JSON.parse`, but for objects that pass a limit above:
 * those are reported as if they were not JSON.
 */
export class JsonScan {
  /** Members are noted down to this depth. */
  readonly #levels: number;
  readonly #members: OpenMember[] = [];
  /** The latest member of each depth. */
  readonly #open: OpenMember[] = [];
  readonly #isObject = new Uint8Array(maxDepth + 1);
  #depth = 0;
  /** Arrays that are open: members of objects in them are not noted. */
  #arrays = 0;
  #expected: Expected = "value";
  #at = 0;
  #isBroken = false;
  /** The object without the white space around it. */
  #first = 0;
  #end = 0;
  /** Where the string or scalar began that the scan is in. */
  #begun = 0;
  #within: "string" | "name" | "scalar" | undefined;
  /** Of an escape in a string: what is still to come of it. */
  #escape: "sign" | 4 | 3 | 2 | 1 | undefined;

  constructor(levels: number) {
    this.#levels = levels;
  }

  /** Goes on up to an offset. The bytes are those of the object from its first on. */
  push(bytes: Uint8Array, to: number): void {
    let at = this.#at;
    while (at < to && !this.#isBroken) {
      if (this.#within === undefined) this.#structure(bytes[at] ?? 0, at++);
      else if (this.#within === "scalar") at = this.#scalar(bytes, at, to);
      else at = this.#string(bytes, at, to);
    }
    this.#at = to;
  }

  /** The members in the order of their names; undefined where the bytes are not a JSON object. */
  end(bytes: Uint8Array): readonly ScannedMember[] | undefined {
    const isWhole = this.#expected === "nothing" && this.#within === undefined && !this.#isBroken;
    return isWhole && isUtf8(bytes) ? this.#members : undefined;
  }

  /** Where the object begins, and ends, among the white space around it. */
  get span(): { readonly first: number; readonly end: number } {
    return { first: this.#first, end: this.#end };
  }

  #structure(byte: number, at: number): void {
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) return;
    const expected = this.#expected;
    if (expected === "colon" && byte === colon) this.#expected = "value";
    else if (expected === "next") this.#next(byte, at);
    else if (expected === "name" || expected === "name or end") {
      if (byte === quote) this.#begin("name", at);
      else if (byte === closeBrace && expected === "name or end") this.#close(at);
      else this.#isBroken = true;
    } else if (expected === "element or end" && byte === closeBracket) this.#close(at);
    else if (expected === "value" || expected === "element or end") this.#value(byte, at);
    else this.#isBroken = true;
  }

  #next(byte: number, at: number): void {
    const isObject = this.#isObject[this.#depth] === 1;
    if (byte === comma) this.#expected = isObject ? "name" : "value";
    else if (byte === (isObject ? closeBrace : closeBracket)) this.#close(at);
    else this.#isBroken = true;
  }

  #value(byte: number, at: number): void {
    if (byte === openBrace) this.#openValue("object", at);
    else if (this.#depth === 0) this.#isBroken = true;
    else if (byte === openBracket) this.#openValue("array", at);
    else if (byte === quote) {
      this.#note("string", at);
      this.#begin("string", at);
    } else {
      this.#note("scalar", at);
      this.#begin("scalar", at);
    }
  }

  #openValue(kind: "object" | "array", at: number): void {
    this.#note(kind, at);
    if (this.#depth === 0) this.#first = at;
    if (this.#depth === maxDepth) {
      this.#isBroken = true;
      return;
    }
    this.#depth++;
    this.#isObject[this.#depth] = kind === "object" ? 1 : 0;
    if (kind === "array") this.#arrays++;
    this.#expected = kind === "object" ? "name or end" : "element or end";
  }

  #close(at: number): void {
    if (this.#isObject[this.#depth] === 0) this.#arrays--;
    this.#depth--;
    if (this.#depth === 0) this.#end = at + 1;
    this.#ended(at + 1);
  }

  #begin(within: "string" | "name" | "scalar", at: number): void {
    this.#within = within;
    this.#begun = at;
  }

  /** Goes on in a string; returns where the scan goes on. */
  #string(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      if (this.#escape !== undefined) {
        this.#escaped(bytes[at++] ?? 0);
        if (this.#isBroken) return at;
        continue;
      }
      let byte = bytes[at] ?? 0;
      while (byte !== quote && byte !== backslash && byte >= 0x20 && ++at < to) {
        byte = bytes[at] ?? 0;
      }
      if (at === to) return to;
      at++;
      if (byte === backslash) this.#escape = "sign";
      else if (byte !== quote) {
        this.#isBroken = true;
        return at;
      } else return this.#endString(bytes, at);
    }
    return at;
  }

  #escaped(byte: number): void {
    if (this.#escape === "sign") {
      if (byte === 0x75) this.#escape = 4;
      else if (escapes.has(byte)) this.#escape = undefined;
      else this.#isBroken = true;
      return;
    }
    const isHex = byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x46 ||
      byte >= 0x61 && byte <= 0x66;
    if (!isHex) this.#isBroken = true;
    const fewer = { 4: 3, 3: 2, 2: 1, 1: undefined } as const;
    this.#escape = this.#escape && fewer[this.#escape];
  }

  #endString(bytes: Uint8Array, end: number): number {
    const start = this.#begun;
    const isName = this.#within === "name";
    this.#within = undefined;
    if (!isName) this.#ended(end);
    else {
      this.#expected = "colon";
      if (this.#depth <= this.#levels && this.#arrays === 0) this.#named(bytes, start, end);
    }
    return end;
  }

  #named(bytes: Uint8Array, start: number, end: number): void {
    if (this.#members.length === maxMembers) {
      this.#isBroken = true;
      return;
    }
    const name = end - start > maxNameBytes ? undefined : nameIn(bytes.subarray(start, end));
    const depth = this.#depth;
    const member: OpenMember = { depth, name, start, valueStart: end, end, kind: "scalar" };
    this.#open[depth] = member;
    this.#members.push(member);
  }

  /** Goes on in a number or a word. */
  #scalar(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && !endsScalar(bytes[at] ?? 0)) at++;
    if (at - this.#begun > maxScalarBytes) this.#isBroken = true;
    else if (at < to) {
      if (!scalarForm.test(latin1(bytes.subarray(this.#begun, at)))) this.#isBroken = true;
      this.#within = undefined;
      this.#ended(at);
    }
    return at;
  }

  #note(kind: ValueKind, at: number): void {
    const member = this.#memberHere();
    if (!member) return;
    member.valueStart = at;
    member.kind = kind;
  }

  #ended(end: number): void {
    const member = this.#memberHere();
    if (member) member.end = end;
    this.#expected = this.#depth === 0 ? "nothing" : "next";
  }

  #memberHere(): OpenMember | undefined {
    const isNoted = this.#depth > 0 && this.#depth <= this.#levels && this.#arrays === 0;
    return isNoted && this.#isObject[this.#depth] === 1 ? this.#open[this.#depth] : undefined;
  }
}

const endsScalar = (byte: number): boolean =>
  byte === comma || byte === closeBrace || byte === closeBracket || byte <= 0x20;

function nameIn(raw: Uint8Array): string | undefined {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw));
  } catch {
    return undefined; // Not UTF-8: the scan's end reports it.
  }
}

/** Scans a whole object and lets others have their turns; see {@linkcode JsonScan}. */
export async function scanObject(
  bytes: Uint8Array,
  levels: number,
  breath: Breath,
): Promise<readonly ScannedMember[] | undefined> {
  const scan = new JsonScan(levels);
  for (let to = 0; to < bytes.length;) {
    to = Math.min(to + sliceBytes, bytes.length);
    scan.push(bytes, to);
    if (breath.isDue()) await breath.take();
  }
  return scan.end(bytes);
}

/**
 * The text that a member of the outermost object has, where it is a string of at most so many bytes;
 * of several members of one name the last counts, as for `JSON.parse`.
 */
export function textOf(
  bytes: Uint8Array,
  members: readonly ScannedMember[],
  name: string,
  maxBytes: number,
): string | undefined {
  const member = members.findLast((one) => one.depth === 1 && one.name === name);
  if (member?.kind !== "string" || member.end - member.valueStart > maxBytes) return undefined;
  return JSON.parse(new TextDecoder().decode(bytes.subarray(member.valueStart, member.end)));
}

/** An object of what is short in a long one. */
export type Outline = { readonly [name: string]: unknown };

/** Texts in an outline, in bytes; longer ones are empty in it. */
const maxTextBytes = 64 * 1_024;

/** An object of the members that were noted: their numbers, words and short texts; lists are empty. */
export function outlineOf(bytes: Uint8Array, members: readonly ScannedMember[]): Outline {
  let at = 0;
  const read = (depth: number): Outline => {
    const entries: [string, unknown][] = [];
    for (let member = members[at]; member?.depth === depth; member = members[at]) {
      at++;
      const inner = members[at]?.depth === depth + 1 ? read(depth + 1) : {};
      if (member.name === undefined) continue;
      entries.push([member.name, member.kind === "object" ? inner : valueOf(bytes, member)]);
    }
    return Object.fromEntries(entries);
  };
  return read(1);
}

function valueOf(bytes: Uint8Array, { kind, valueStart, end }: ScannedMember): unknown {
  if (kind === "array") return [];
  if (end - valueStart > maxTextBytes) return "";
  return JSON.parse(new TextDecoder().decode(bytes.subarray(valueStart, end)));
}
