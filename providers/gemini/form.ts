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
