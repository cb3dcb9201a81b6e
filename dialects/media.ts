/** Kinds and types of media, and what their first bytes say. */
import type { MediaPart } from "./chat.ts";
import type { Raw } from "./json.ts";

const signatures: readonly (readonly [base64: string, mime: string])[] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["JVBERi", "application/pdf"],
];

/**
 * The media type that the first bytes of a base64 text show, for the types that targets check
 * against the bytes; undefined for others. Labels are wrong often, and Claude refuses a mismatch.
 *
 * @param data A JSON string of base64.
 */
export function sniffedType(data: Raw): string | undefined {
  const start = data.slice(1, 65).replaceAll("\\/", "/");
  const known = signatures.find(([base64]) => start.startsWith(base64));
  if (known) return known[1];
  // RIFF, four bytes of size, WEBP: base64 puts the size across the groups of "UklGR…XRUJQ".
  if (start.startsWith("UklGR") && start.slice(10, 16).includes("XRUJQ")) return "image/webp";
  return undefined;
}

/** The form that a media type has at targets which name forms, such as `png`; lower case. */
export function formatOf(mime: string): string {
  return formats.get(mime) ?? mime.slice(mime.indexOf("/") + 1);
}

/** The media type of a form, such as `docx`. */
export function mimeOf(media: MediaPart["media"], format: string): string {
  const name = format.toLowerCase();
  for (const [mime, form] of formats) {
    if (form === name && mime.startsWith(prefixes[media])) return mime;
  }
  return name === "jpg" ? "image/jpeg" : `${prefixes[media] || "application/"}${name}`;
}

const prefixes: Readonly<Record<MediaPart["media"], string>> = {
  image: "image/",
  document: "",
  audio: "audio/",
  video: "video/",
};

const formats: ReadonlyMap<string, string> = new Map([
  ["application/pdf", "pdf"],
  ["text/csv", "csv"],
  ["application/msword", "doc"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"],
  ["application/vnd.ms-excel", "xls"],
  ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"],
  ["text/html", "html"],
  ["text/plain", "txt"],
  ["text/markdown", "md"],
  ["image/jpeg", "jpeg"],
  ["image/png", "png"],
  ["image/gif", "gif"],
  ["image/webp", "webp"],
  ["audio/mpeg", "mp3"],
  ["audio/wav", "wav"],
  ["video/mp4", "mp4"],
  ["video/quicktime", "mov"],
  ["video/x-matroska", "mkv"],
  ["video/x-flv", "flv"],
  ["video/x-ms-wmv", "wmv"],
  ["video/3gpp", "three_gp"],
]);

/** The four image types that Bedrock and Claude take. */
const commonImages: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
]);

/**
 * The type of an image as its bytes show it, else as it is labelled.
 * Undefined where neither is one of the four that Bedrock and Claude take.
 */
export function commonImageType({ mime, from }: MediaPart): string | undefined {
  const sniffed = from.in === "data" ? sniffedType(from.data) : undefined;
  const type = sniffed ?? (mime === "image/jpg" ? "image/jpeg" : mime);
  return commonImages.has(type) ? type : undefined;
}

/** Splits a data URL, given as a JSON string: its media type, and its base64 as a JSON string. */
export function dataUrl(url: Raw): { readonly mime: string; readonly data: Raw } | undefined {
  const plain = url.slice(0, 300).replaceAll("\\/", "/");
  const head = /^"data:([a-zA-Z0-9.+/-]*)(?:;[a-zA-Z0-9=.+_-]+)*;base64,/.exec(plain);
  if (!head) return undefined;
  // Escaped slashes of the head make it longer in the text than in `plain`.
  const comma = url.indexOf(",");
  return { mime: (head[1] ?? "").toLowerCase(), data: `"${url.slice(comma + 1)}` };
}
