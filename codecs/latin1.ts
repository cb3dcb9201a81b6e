/** Bytes as text of one character each: what is looked for in it is found ten times as fast (Deno 2.9.6). */
import { Buffer } from "node:buffer";

/** A character for each byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The text whose UTF-8 these characters are, a byte each; what is not UTF-8 becomes U+FFFD. */
export function utf8OfLatin1(text: string): string {
  return Buffer.from(text, "latin1").toString();
}

/** The UTF-8 of a text, a character for each byte. */
export function latin1OfUtf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}
