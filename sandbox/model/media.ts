/** Images and documents in a request: their type by their first bytes, and their size. */
import { imageSize } from "./image_size.ts";

/** An image, a document or another attachment. */
export type Media =
  | {
    readonly kind: MediaKind;
    readonly type: string;
    /** Base64. */
    readonly data: string;
  }
  | { readonly kind: MediaKind; readonly url: string };

/** What an attachment is for. */
export type MediaKind = "image" | "document" | "audio" | "video";

/** Decodes base64; undefined where it is not base64, or empty. */
export function decoded(data: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(data);
    return bytes.length > 0 ? bytes : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** By the first bytes in hexadecimal. */
const firstBytes: readonly (readonly [RegExp, string])[] = [
  [/^89504e470d0a1a0a/, "image/png"],
  [/^ffd8ff/, "image/jpeg"],
  [/^474946383[79]61/, "image/gif"],
  [/^52494646.{8}57454250/, "image/webp"],
  [/^255044462d/, "application/pdf"],
];

/** Returns the media type that the first bytes show; undefined for a type that they do not. */
export function typeOfBytes(bytes: Uint8Array): string | undefined {
  const start = bytes.subarray(0, 16).toHex();
  return firstBytes.find(([pattern]) => pattern.test(start))?.[1];
}

/** Splits a `data:` URL; undefined for another URL, or one without base64. */
export function dataUrl(url: string): { type: string; data: string } | undefined {
  const match = /^data:([^;,]*)(?:;[^;,]*)*;base64,/i.exec(url);
  if (match === null) return undefined;
  return { type: match[1] ?? "", data: url.slice(match[0].length) };
}

/** Returns a sentence about an attachment: an image's size in pixels, else its bytes. */
export function described(media: Media): string {
  if ("url" in media) return `${media.kind} at ${media.url}`;
  const bytes = decoded(media.data) ?? new Uint8Array();
  const type = typeOfBytes(bytes) ?? media.type;
  const size = media.kind === "image" ? imageSize(bytes) : undefined;
  return size === undefined
    ? `${media.kind} ${type} of ${bytes.length} bytes`
    : `${media.kind} ${type} of ${size.width}x${size.height} pixels`;
}
