/** Records and their results as OpenAI writes them. */
import { count, type JsonObject, object, text } from "../json.ts";
import type { Envelope, RecordResult } from "../provider.ts";

/** Codes of records whose turn never came. */
const unrunCodes: ReadonlySet<string | undefined> = new Set(["batch_expired", "batch_cancelled"]);

/** `custom_id` in both; OpenAI refuses a batch with two records of one id. */
export const openaiEnvelope: Envelope = {
  name: "openai",
  uniqueIds: true,
  idOf: (record) => text(record["custom_id"]),
  result(line): RecordResult {
    const response = object(line["response"]);
    const usage = object(object(response?.["body"])?.["usage"]);
    const details = object(usage?.["prompt_tokens_details"] ?? usage?.["input_tokens_details"]);
    return {
      id: text(line["custom_id"]),
      outcome: outcomeOf(line, response),
      // Chat and embeddings name them one way, the Responses API the other.
      inputTokens: count(usage?.["prompt_tokens"]) ?? count(usage?.["input_tokens"]),
      cachedInputTokens: count(details?.["cached_tokens"]),
      outputTokens: count(usage?.["completion_tokens"]) ?? count(usage?.["output_tokens"]),
    };
  },
};

/** `error` is null where the API itself refused the record, so its status decides. */
function outcomeOf(line: JsonObject, response: JsonObject | undefined): RecordResult["outcome"] {
  const status = count(response?.["status_code"]) ?? 0;
  if (status >= 200 && status < 300) return "success";
  return unrunCodes.has(text(object(line["error"])?.["code"])) ? "unrun" : "error";
}
