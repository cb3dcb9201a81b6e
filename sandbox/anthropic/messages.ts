/** What the simulated models answer to one request of a batch. */
import { type JsonObject, string } from "../json.ts";
import { ending, type FailedStatus } from "../model/words.ts";
import { conversation } from "../replies.ts";
import { fault } from "./fault.ts";
import type { BatchRecord } from "./records.ts";
import { hasModel } from "../model/known.ts";
import { anthropicReply } from "./reply.ts";

/** The errors that a text asks for. */
const asked: Readonly<Record<FailedStatus, { type: string; message: string }>> = {
  400: { type: "invalid_request_error", message: "This request fails on purpose." },
  401: { type: "authentication_error", message: "invalid x-api-key" },
  403: { type: "permission_error", message: "Your API key cannot use this model." },
  404: { type: "not_found_error", message: "The requested resource could not be found." },
  408: { type: "timeout_error", message: "The request timed out." },
  413: { type: "request_too_large", message: "Request exceeds the maximum size." },
  429: { type: "rate_limit_error", message: "This request would exceed the rate limit." },
  500: { type: "api_error", message: "Internal server error" },
  503: { type: "overloaded_error", message: "Overloaded" },
};

/** The `result` of a request that was carried out. */
export function carryOut(
  customId: string,
  params: JsonObject,
  index: number,
  batch: BatchRecord,
): JsonObject {
  const end = ending(conversation(params.messages).prompt);
  if (end.kind === "expired") return { type: "expired" };
  const failure = end.kind === "failed"
    ? asked[end.status]
    : failureOf(customId, params, batch.version);
  if (failure !== undefined) {
    return {
      type: "errored",
      error: { type: "error", error: { ...failure }, request_id: null },
    };
  }
  const message = anthropicReply(params, string(params.model) ?? "", {
    id: `${batch.id.slice("msgbatch_".length)}${index}`,
    createdAt: new Date(batch.createdAt),
  });
  return { type: "succeeded", message };
}

/**
 * Returns why a request fails; undefined where it does not. Ids that begin with `error-`, models
 * whose name begins with `fail-`, and models that Anthropic does not have, fail every time.
 */
function failureOf(
  customId: string,
  params: JsonObject,
  version: string,
): { type: string; message: string } | undefined {
  if (customId.startsWith("error-")) return { type: "api_error", message: "Internal server error" };
  const invalid = fault(params, version);
  if (invalid !== undefined) return { type: "invalid_request_error", message: invalid };
  const model = string(params.model) ?? "";
  return model.startsWith("fail-") || !hasModel("anthropic", model)
    ? { type: "not_found_error", message: `model: ${model}` }
    : undefined;
}
