/**
 * JSON as a tree over its own text: structure is parsed, values stay where they stand, so that
 * numbers, strings, key order and repeated keys pass on as they were written. `JSON.parse` with
 * `JSON.stringify` would change them (1.0, 12345678901234567890, keys such as "10").
 */

import { nameBetween } from "./known_names.ts";

/** A JSON text, exactly as it was written. */
export type Raw = string;

export type JsonKind = "object" | "array" | "string" | "number" | "boolean" | "null";

/** How deep values may be nested; deeper text is refused before it costs stack. */
export const maxJsonDepth = 256;
/** How many values a text may hold: bounds the memory of a tree to about 100 bytes × this. */
export const maxJsonValues = 1_000_000;

/** Objects of up to so many members are searched without an index. */
const fewKeys = 16;

/** A text is not JSON, or is over a limit. The message completes a sentence: "the line is …". */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** A value in a JSON text. */
export class Json {
  /** The names of an object's members, unescaped, in order; repeated ones too. */
  keys: string[] | undefined;
  /** The values of an object's members, or of an array. */
  items: Json[] | undefined;

  /**
   * @param source The text that the value is a part of.
   * @param kind What it is.
   * @param at Where it begins.
   * @param end Where it ends; the character there is no longer a part of it.
   */
  constructor(
    readonly source: string,
    readonly kind: JsonKind,
    readonly at: number,
    public end: number,
  ) {}

  /** The value as it was written. */
  get raw(): Raw {
    return this.source.slice(this.at, this.end);
  }

  /**
   * The member of this name: the last one where it is repeated, as in `JSON.parse`. Undefined where
   * this is not an object, or the member is absent or null: to all these APIs, null is absence.
   */
  get(name: string): Json | undefined {
    const { keys, items } = this;
    if (keys === undefined || items === undefined) return undefined;
    for (let at = keys.length - 1; at >= 0; at--) {
      if (keys[at] !== name) continue;
      const value = items[at];
      return value?.kind === "null" ? undefined : value;
    }
    return undefined;
  }

  /** The values of an array; empty for anything else. */
  get list(): readonly Json[] {
    return this.kind === "array" ? this.items ?? [] : [];
  }

  /** Members with their names, without those that are null; of a repeated name only the last. */
  members(): readonly { readonly name: string; readonly value: Json }[] {
    const { keys = [], items = [] } = this;
    const members: { name: string; value: Json }[] = [];
    const last = keys.length > fewKeys ? new Map(keys.map((name, at) => [name, at])) : undefined;
    keys.forEach((name, at) => {
      const value = items[at];
      const isLast = (last ? last.get(name) : keys.lastIndexOf(name)) === at;
      if (value && value.kind !== "null" && isLast) members.push({ name, value });
    });
    return members;
  }

  /** The text of a string, unescaped; undefined for anything else. */
  get text(): string | undefined {
    if (this.kind !== "string") return undefined;
    const inner = this.source.slice(this.at + 1, this.end - 1);
    return inner.includes("\\") ? JSON.parse(this.raw) as string : inner;
  }

  /** The number that is written here, rounded to a double; undefined for anything else. */
  get number(): number | undefined {
    return this.kind === "number" ? Number(this.raw) : undefined;
  }

  /** True or false; undefined for anything else. */
  get flag(): boolean | undefined {
    return this.kind === "boolean" ? this.source.startsWith("true", this.at) : undefined;
  }
}

/**
 * Parses a text that holds one JSON value.
 *
 * Throws a {@linkcode JsonError} where it is not JSON, nests too deep or holds too many values.
 */
export function parseJson(source: string): Json {
  const hasEscapes = source.includes("\\");
  const value = new Scanner(source, hasEscapes).document();
  checkStrings(source, hasEscapes);
  return value;
}

/**
 * The scanner finds structure and numbers, and does not look into strings. White space between values
 * may be a control character too: where there is one, the engine looks at every character.
 */
function checkStrings(source: string, hasEscapes: boolean): void {
  if (controls.test(source)) {
    try {
      JSON.parse(source);
    } catch (cause) {
      throw new JsonError("not valid JSON", { cause });
    }
    return;
  }
  if (!hasEscapes) return;
  for (let at = source.indexOf("\\"); at >= 0; at = source.indexOf("\\", at + 2)) {
    const code = source.charCodeAt(at + 1);
    const isKnown = code === 0x75
      ? hexDigits.test(source.slice(at + 2, at + 6))
      : '"\\/bfnrt'.includes(source.charAt(at + 1));
    if (!isKnown) throw new JsonError("not valid JSON: an escape is not known");
  }
}

// deno-lint-ignore no-control-regex -- these are what is looked for
const controls = /[\u0000-\u001f]/;
const hexDigits = /^[0-9a-fA-F]{4}$/;

const literals: Readonly<Record<string, readonly [text: string, kind: JsonKind]>> = {
  t: ["true", "boolean"],
  f: ["false", "boolean"],
  n: ["null", "null"],
};

const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Finds where values begin and end. It does not look into strings: see `parseJson`. */
class Scanner {
  #at = 0;
  #depth = 0;
  #values = 0;
  readonly #source: string;
  readonly #hasEscapes: boolean;

  /** @param hasEscapes Whether there is a backslash in it: names are unescaped only then. */
  constructor(source: string, hasEscapes: boolean) {
    this.#source = source;
    this.#hasEscapes = hasEscapes;
  }

  document(): Json {
    this.#blank();
    const value = this.#value();
    this.#blank();
    if (this.#at < this.#source.length) throw new JsonError("not one JSON value");
    return value;
  }

  #value(): Json {
    this.#values += 1;
    if (this.#values > maxJsonValues) throw new JsonError(`over ${maxJsonValues} JSON values`);
    const start = this.#at;
    const code = this.#source.charCodeAt(start);
    if (code === 0x22) return new Json(this.#source, "string", start, this.#stringEnd());
    if (code === 0x7b) return this.#object(start);
    if (code === 0x5b) return this.#array(start);
    const literal = isOfNumber(code) ? undefined : literals[this.#source.charAt(start)];
    if (literal && this.#source.startsWith(literal[0], start)) {
      this.#at = start + literal[0].length;
      return new Json(this.#source, literal[1], start, this.#at);
    }
    while (isOfNumber(this.#source.charCodeAt(this.#at))) this.#at += 1;
    if (!numberForm.test(this.#source.slice(start, this.#at))) {
      throw new JsonError("not valid JSON");
    }
    return new Json(this.#source, "number", start, this.#at);
  }

  #object(start: number): Json {
    const value = new Json(this.#source, "object", start, start);
    value.keys = [];
    value.items = [];
    this.#open();
    while (this.#more(0x7d, value.items.length)) {
      if (this.#source.charCodeAt(this.#at) !== 0x22) throw new JsonError("not valid JSON");
      const from = this.#at;
      const to = this.#stringEnd();
      const key = nameBetween(this.#source, from + 1, to - 1);
      value.keys.push(
        this.#hasEscapes && key.includes("\\") ? unescaped(this.#source.slice(from, to)) : key,
      );
      this.#blank();
      if (this.#source.charCodeAt(this.#at) !== 0x3a) throw new JsonError("not valid JSON");
      this.#at += 1;
      this.#blank();
      value.items.push(this.#value());
    }
    value.end = this.#at;
    return value;
  }

  #array(start: number): Json {
    const value = new Json(this.#source, "array", start, start);
    value.items = [];
    this.#open();
    while (this.#more(0x5d, value.items.length)) value.items.push(this.#value());
    value.end = this.#at;
    return value;
  }

  #open(): void {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > maxJsonDepth) {
      throw new JsonError(`nested more than ${maxJsonDepth} levels deep`);
    }
  }

  /** Steps over what is before the next member, or over the end of an object or array. */
  #more(close: number, count: number): boolean {
    this.#blank();
    const code = this.#source.charCodeAt(this.#at);
    if (code === close) {
      this.#at += 1;
      this.#depth -= 1;
      return false;
    }
    if (count > 0) {
      if (code !== 0x2c) throw new JsonError("not valid JSON");
      this.#at += 1;
      this.#blank();
    }
    return true;
  }

  /** The end of the string that begins here; goes there. */
  #stringEnd(): number {
    const source = this.#source;
    for (
      let quote = source.indexOf('"', this.#at + 1);
      quote >= 0;
      quote = source.indexOf('"', quote + 1)
    ) {
      let slashes = 0;
      while (source.charCodeAt(quote - 1 - slashes) === 0x5c) slashes += 1;
      if (slashes % 2 === 0) {
        this.#at = quote + 1;
        return this.#at;
      }
    }
    throw new JsonError("not valid JSON: a text does not end");
  }

  #blank(): void {
    let code = this.#source.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.#at += 1;
      code = this.#source.charCodeAt(this.#at);
    }
  }
}

function isOfNumber(code: number): boolean {
  return code >= 0x30 && code <= 0x39 || code === 0x2d || code === 0x2b || code === 0x2e ||
    code === 0x65 || code === 0x45;
}

function unescaped(raw: Raw): string {
  try {
    return JSON.parse(raw) as string;
  } catch (cause) {
    throw new JsonError("not valid JSON", { cause });
  }
}

/**
 * Says where a value stands, as in `modelInput.messages[0].content[1]`. Costs a walk over the tree,
 * so it is made only where something is to be reported.
 *
 * @param root The whole line.
 * @param at Where the value begins (`Json.at`).
 */
export function pathOf(root: Json, at: number): string {
  let path = "";
  let here = root;
  while (here.at !== at) {
    const index = (here.items ?? []).findIndex((item) => item.at <= at && at < item.end);
    const next = here.items?.[index];
    if (next === undefined) break;
    const name = here.keys?.[index];
    if (name === undefined) path += `[${index}]`;
    else path += `${path === "" ? "" : "."}${/^[\w$-]+$/.test(name) ? name : JSON.stringify(name)}`;
    here = next;
  }
  return path;
}
