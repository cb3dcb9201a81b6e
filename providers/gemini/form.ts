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

const atHead = /^\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")/;
/** Two braces at the end: the metadata are a member of the line itself, and of nothing within it. */
const atTail = /"metadata"\s*:\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}\s*\}\s*$/;

/** The id of a record whose line begins with its key, ends with its metadata, or is short. */
export function idIn(head: string, tail: string): string | undefined {
  const found = atHead.exec(head) ?? atTail.exec(tail);
  try {
    if (found) return text(JSON.parse(found[1] ?? ""));
    return idOf(object(JSON.parse(head)) ?? {});
  } catch {
    return undefined; // Cut, or no JSON: no id that anybody could tell.
  }
}
