/** Records and their results as Gemini writes them, in files and inline. */
import { latin1OfUtf8, utf8OfLatin1 } from "../../codecs/latin1.ts";
import { count, object, text } from "../json.ts";
import type { Envelope, LineObject } from "../provider.ts";

/** `key`, or `metadata.key` in the inline form; Gemini does not mind two of one name, or none. */
export const geminiEnvelope: Envelope = {
  name: "gemini",
  uniqueIds: false,
  idOf,
  result(line) {
    const response = object(line["response"]);
    const usage = object(response?.["usageMetadata"]);
    const candidates = count(usage?.["candidatesTokenCount"]);
    const thoughts = count(usage?.["thoughtsTokenCount"]);
    const prompt = count(usage?.["promptTokenCount"]);
    const tools = count(usage?.["toolUsePromptTokenCount"]) ?? 0;
    // Where the sum without thoughts is the total, the candidates hold them already (litellm 1.110).
    const holdsThoughts = candidates !== undefined &&
      (prompt ?? 0) + tools + candidates === count(usage?.["totalTokenCount"]);
    return {
      id: idOf(line),
      outcome: response === undefined ? "error" : "success",
      inputTokens: prompt === undefined ? undefined : prompt + tools,
      cachedInputTokens: count(usage?.["cachedContentTokenCount"]),
      // What the model thinks is billed as output and not among its candidates.
      outputTokens: candidates === undefined && thoughts === undefined
        ? undefined
        : (candidates ?? 0) + (holdsThoughts ? 0 : thoughts ?? 0),
    };
  },
};

function idOf(record: LineObject): string | undefined {
  return text(record["key"]) ?? text(object(record["metadata"])?.["key"]);
}

/** How lines begin, and how they end, that a library wrote. */
const keyFirst = ['{"key":"', '{"key": "'];
const metadataLast = /"metadata": ?\{"key": ?("[^"\\]*")\}\}$/;
/** What is looked at of a line's end for it: nearly every id is shorter. */
const lastCharacters = 200;

/**
 * The id of a record whose line begins with its key, ends with its metadata, or is short. Lines as
 * libraries write them are looked at where the id must be, as there are millions.
 */
export function idIn(chunk: string, start: number, end: number): string | undefined {
  for (const one of keyFirst) {
    if (!chunk.startsWith(one, start)) continue;
    const from = start + one.length - 1;
    const to = chunk.indexOf('"', from + 1) + 1;
    const id = to > 0 && to <= end ? chunk.slice(from, to) : "\\";
    if (!id.includes("\\")) return id;
  }
  if (chunk.endsWith('"}}', end)) {
    const found = metadataLast.exec(chunk.slice(Math.max(start, end - lastCharacters), end));
    if (found) return found[1];
  }
  return anyId(chunk.slice(start, end));
}

/** At a line's ends, characters in which ids are looked for that are written in another way. */
const edge = 2_048;
const atHead = /^\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")/;
/** Two braces at the end: the metadata are a member of the line itself, and of nothing within it. */
const atTail = /"metadata"\s*:\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}\s*\}\s*$/;

function anyId(line: string): string | undefined {
  const start = utf8OfLatin1(line.slice(0, edge));
  const found = atHead.exec(start) ?? atTail.exec(utf8OfLatin1(line.slice(-edge)));
  try {
    const id = found ? text(JSON.parse(found[1] ?? "")) : idOf(object(JSON.parse(start)) ?? {});
    return id === undefined ? undefined : latin1OfUtf8(JSON.stringify(id));
  } catch {
    return undefined; // Cut, or not JSON: there is no id to be seen.
  }
}
