/** Errors and answers in the form of Anthropic's API. */
import type { Json } from "../context.ts";
import type { JsonObject } from "../json.ts";

const statuses = {
  invalid_request_error: 400,
  authentication_error: 401,
  not_found_error: 404,
  request_too_large: 413,
} as const;

/** The `type` of an error. */
export type ErrorType = keyof typeof statuses;

/** A request is refused as the real API refuses it. */
export class AnthropicError extends Error {
  override readonly name = "AnthropicError";
  readonly type: ErrorType;
  /** `error.details.error_code`, where newer replies have one. */
  readonly code: string | undefined;

  constructor(type: ErrorType, message: string, code?: string) {
    super(message);
    this.type = type;
    this.code = code;
  }
}

/** Answers with JSON. */
export function json(body: Json, status = 200): Response {
  return Response.json(body, { status });
}

/** Renders a refusal. */
export function errorResponse(error: AnthropicError, requestId: string): Response {
  const inner: JsonObject = { type: error.type, message: error.message };
  if (error.code !== undefined) inner.details = { error_code: error.code };
  return json({ type: "error", error: inner, request_id: requestId }, statuses[error.type]);
}

/** A time as the real API writes it: six fraction digits. */
export function timestamp(date: Date): string {
  return date.toISOString().replace("Z", "000Z");
}
