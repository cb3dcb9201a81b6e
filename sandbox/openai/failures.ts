/** Which records of a simulated batch fail, and how. */
import { string } from "../json.ts";
import { ending, type FailedStatus } from "../model/words.ts";
import { promptOf } from "./ask.ts";
import type { InputRecord } from "./batch_input.ts";
import { OpenAIError } from "./errors.ts";
import { bodyFault } from "./fault.ts";
import { openaiEndpoints } from "./replies.ts";

/** How a record fails: with an answer, or because the batch ends before it. */
export type RecordFailure = OpenAIError | "expired";

/** Message, code and type of the errors that a text asks for. */
const asked: Readonly<Record<FailedStatus, readonly [string, string | null, string?]>> = {
  400: ["Invalid request: this fails on purpose.", "invalid_value"],
  401: ["Incorrect API key provided.", "invalid_api_key"],
  403: ["You do not have permission to use this model.", null],
  404: ["The model does not exist or you do not have access to it.", "model_not_found"],
  408: ["The request timed out.", null, "server_error"],
  413: ["The request is too large.", "context_length_exceeded"],
  429: ["Rate limit reached for requests.", "rate_limit_exceeded", "requests"],
  500: ["The server had an error while processing your request.", null],
  503: ["The engine is currently overloaded, please try again later.", null],
};

/**
 * Returns how a record fails: on purpose, where its `custom_id` begins with `error-`, its model
 * with `fail-`, or its text says so, or as its body is wrong, or as its endpoint is one that the
 * simulation has no answer for.
 */
export function failure(
  { customId, body }: InputRecord,
  endpoint: string,
): RecordFailure | undefined {
  if (string(body.model)?.startsWith("fail-")) return error(404);
  if (customId.startsWith("error-")) {
    return new OpenAIError(400, "This request fails on purpose.", { code: "invalid_value" });
  }
  if (!openaiEndpoints.has(endpoint)) {
    return new OpenAIError(400, "The simulation has no model for this endpoint.");
  }
  const end = ending(promptOf(endpoint, body));
  if (end.kind === "expired") return "expired";
  return end.kind === "failed" ? error(end.status) : bodyFault(endpoint, body);
}

function error(status: FailedStatus): OpenAIError {
  const [message, code, type] = asked[status];
  return new OpenAIError(status, message, { code, ...(type === undefined ? {} : { type }) });
}
