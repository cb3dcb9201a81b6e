/** Records and their results as Gemini writes them, in files and inline. */
import { count, object, text } from "../json.ts";
import type { LineObject, RecordForm } from "../provider.ts";

/** `key`, or `metadata.key` in the inline form; Gemini does not mind two of one name, or none. */
export const geminiForm: RecordForm = {
  uniqueIds: false,
  idOf,
  result(line) {
    const response = object(line["response"]);
    const usage = object(response?.["usageMetadata"]);
    const candidates = count(usage?.["candidatesTokenCount"]);
    const thoughts = count(usage?.["thoughtsTokenCount"]);
    return {
      id: idOf(line),
      outcome: response === undefined ? "error" : "success",
      inputTokens: count(usage?.["promptTokenCount"]),
      // What the model thinks is billed as output and not among its candidates.
      outputTokens: candidates === undefined && thoughts === undefined
        ? undefined
        : (candidates ?? 0) + (thoughts ?? 0),
    };
  },
};

function idOf(record: LineObject): string | undefined {
  return text(record["key"]) ?? text(object(record["metadata"])?.["key"]);
}

const quote = 0x22;
const brace = 0x7d;
const backslash = 0x5c;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** How lines begin that a library wrote. */
const heads = ['{"key":"', '{"key": "'].map((text) => encoder.encode(text));
/** And how they end before the id, the two braces and a quote. */
const beforeId = /"metadata": ?\{"key": ?$/;
const longestBeforeId = 24;

/**
 * The id of a record whose line begins with its key, ends with its metadata, or is short: the bytes
 * of a JSON string. Lines as libraries write them are looked at byte by byte, as there are millions.
 */
export function idIn(head: Uint8Array, tail: Uint8Array): Uint8Array | undefined {
  return keyAt(head) ?? metadataKeyAt(tail) ?? anyId(head, tail);
}

function keyAt(line: Uint8Array): Uint8Array | undefined {
  const start = heads.find((one) => one.every((byte, at) => line[at] === byte))?.length;
  if (start === undefined) return undefined;
  const end = line.indexOf(quote, start);
  const id = end < 0 ? undefined : line.subarray(start - 1, end + 1);
  return id?.includes(backslash) ? undefined : id;
}

function metadataKeyAt(line: Uint8Array): Uint8Array | undefined {
  const end = line.length - 3;
  if (line[end] !== quote || line[end + 1] !== brace || line[end + 2] !== brace) return undefined;
  const start = line.lastIndexOf(quote, end - 1);
  const before = line.subarray(Math.max(0, start - longestBeforeId), Math.max(0, start));
  if (start < 0 || !beforeId.test(decoder.decode(before))) return undefined;
  const id = line.subarray(start, end + 1);
  // The quote that begins it may be one within it.
  return id.includes(backslash) ? undefined : id;
}

/** Bytes at a line's ends in which ids are looked for that are written in another way. */
const edgeBytes = 2_048;
const atHead = /^\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")/;
/** Two braces at the end: the metadata are a member of the line itself, and of nothing within it. */
const atTail = /"metadata"\s*:\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}\s*\}\s*$/;

function anyId(head: Uint8Array, tail: Uint8Array): Uint8Array | undefined {
  const isWhole = head === tail && head.length <= edgeBytes;
  const start = decoder.decode(head.subarray(0, edgeBytes));
  const end = isWhole ? start : decoder.decode(tail.subarray(-edgeBytes));
  const found = atHead.exec(start) ?? atTail.exec(end);
  try {
    const id = found ? text(JSON.parse(found[1] ?? "")) : idOf(object(JSON.parse(start)) ?? {});
    return id === undefined ? undefined : encoder.encode(JSON.stringify(id));
  } catch {
    return undefined; // Cut, or no JSON: no id that anybody could tell.
  }
}
