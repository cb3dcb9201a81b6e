/** Writing JSON from pieces that are JSON already. */
import type { Raw } from "./json.ts";

/** A JSON string of a text. Lone surrogates become escapes, as they must on a UTF-8 wire. */
export function quote(text: string): Raw {
  return JSON.stringify(text);
}

/** The text of a JSON string. */
export function unquote(raw: Raw): string {
  const inner = raw.slice(1, -1);
  return inner.includes("\\") ? JSON.parse(raw) as string : inner;
}

/** One JSON string of several, without unescaping them. */
export function joinTexts(texts: readonly Raw[]): Raw {
  return texts.length === 1
    ? texts[0] ?? '""'
    : `"${texts.map((raw) => raw.slice(1, -1)).join("")}"`;
}

/** Base64 of a text, both as JSON strings. */
export function base64OfText(text: Raw): Raw {
  const bytes = new TextEncoder().encode(unquote(text));
  return quote(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
}

/**
 * The text that a JSON string of base64 holds, as JSON; undefined where it is not base64 of UTF-8.
 */
export function textOfBase64(data: Raw): Raw | undefined {
  try {
    const bytes = Uint8Array.from(atob(unquote(data)), (char) => char.charCodeAt(0));
    return quote(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Returns whether a JSON string holds nothing but white space. */
export function isBlankText(raw: Raw): boolean {
  // Most texts begin with a letter: the rest is looked at only where the beginning is blank.
  const first = raw.charCodeAt(1);
  if (first > 0x20 && first !== 0x5c && first !== 0x22 && first < 0x80) return false;
  return unquote(raw).trim() === "";
}

/** A member of an object: its name and its value as JSON, or undefined where it is left out. */
export type Member = readonly [name: string, value: Raw | undefined];

/** An object of these members, without those that are undefined. */
export function object(...members: readonly Member[]): Raw {
  let text = "{";
  let isFirst = true;
  for (const member of members) {
    const value = member[1];
    if (value === undefined) continue;
    const name = memberName(member[0]);
    text = text + (isFirst ? name.first : name.next) + value;
    isFirst = false;
  }
  return text + "}";
}

/** An object of these members, or undefined where all of them are undefined. */
export function someObject(...members: readonly Member[]): Raw | undefined {
  return members.some(([, value]) => value !== undefined) ? object(...members) : undefined;
}

/** An array of these values. */
export function array(values: readonly Raw[]): Raw {
  // Not by `join`, which copies every value: the whole line is copied once, where it is encoded.
  let text = "[";
  for (const value of values) text += text.length > 1 ? `,${value}` : value;
  return text + "]";
}

/** An array of these values, or undefined where there are none. */
export function someArray(values: readonly Raw[]): Raw | undefined {
  return values.length === 0 ? undefined : array(values);
}

/** A name as JSON with its colon; behind the first member of an object a comma stands before it. */
interface MemberName {
  readonly first: Raw;
  readonly next: Raw;
}

/** Most names are the few that the dialects have. */
const names = new Map<string, MemberName>();
const maxNames = 1_000;

function memberName(name: string): MemberName {
  const known = names.get(name);
  if (known !== undefined) return known;
  const first = `${JSON.stringify(name)}:`;
  const made = { first, next: `,${first}` };
  if (names.size < maxNames && name.length <= 64) names.set(name, made);
  return made;
}
