/** How OpenAI, and the many that imitate it, word their errors. */
import type { ErrorDialect, ErrorFacts } from "../failures.ts";
import { type JsonObject, object, text } from "../json.ts";

/** Error bodies of the OpenAI API. */
export const openaiDialect: ErrorDialect = {
  deniedAdvice: "Check its API key, and that the key's project may use files and batches.",
  read,
  codes: {
    insufficient_quota: "no-credit",
    billing_hard_limit_reached: "no-credit",
    billing_not_active: "no-credit",
    invalid_api_key: "denied",
    account_deactivated: "denied",
  },
};

/**
 * `{"error": {message, type, code}}`; compatible servers also send `{"error": "…"}` or
 * `{"object": "error", message, type, code}`.
 */
function read(body: JsonObject): ErrorFacts | undefined {
  const plain = text(body["error"]);
  if (plain !== undefined) return { codes: [], reason: plain };
  const error = object(body["error"]) ?? (body["object"] === "error" ? body : undefined);
  if (error === undefined) return undefined;
  const codes = [text(error["code"]), text(error["type"])].filter((code) => code !== undefined);
  return { codes, reason: text(error["message"]) };
}
