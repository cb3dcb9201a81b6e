/** Vectors as base64 of 32-bit floating point numbers, little-endian, as OpenAI writes them. */
import type { Raw } from "../json.ts";

/** The base64 of a vector that is given as a JSON array. */
export function base64OfFloats(vector: Raw): string {
  const numbers = JSON.parse(vector) as readonly number[];
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, index) => view.setFloat32(index * 4, number, true));
  let text = "";
  for (const byte of new Uint8Array(view.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}

/** A vector as a JSON array, of its base64; empty where it is not base64 of such numbers. */
export function floatsOfBase64(base64: string): Raw {
  let text: string;
  try {
    text = atob(base64);
  } catch {
    return "[]";
  }
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const numbers: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) numbers.push(view.getFloat32(at, true));
  return JSON.stringify(numbers);
}
