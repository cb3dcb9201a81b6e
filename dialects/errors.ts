/** Errors of single records: what each provider's codes mean, and how each dialect words them. */
import type { ErrorKind, RecordError } from "./chat.ts";

interface ErrorFacts {
  /** HTTP status in answers of OpenAI's form, and `errorCode` in Bedrock's. */
  readonly openai: number;
  readonly bedrock: number;
  /** OpenAI's `type`, and `code` where it has one. */
  readonly openaiType: string;
  readonly openaiCode?: string;
  /** google.rpc.Code and its name. */
  readonly grpc: readonly [code: number, status: string];
  readonly anthropic: string;
  /** Whether the record may succeed when it is run again. */
  readonly passing: boolean;
}

const badRequest = { openaiType: "invalid_request_error", anthropic: "invalid_request_error" };

const facts: Readonly<Record<ErrorKind, ErrorFacts>> = {
  bad_request: {
    ...badRequest,
    openai: 400,
    bedrock: 400,
    grpc: [3, "INVALID_ARGUMENT"],
    passing: false,
  },
  too_long: {
    openaiType: "invalid_request_error",
    openaiCode: "context_length_exceeded",
    anthropic: "request_too_large",
    openai: 413,
    bedrock: 413,
    grpc: [3, "INVALID_ARGUMENT"],
    passing: false,
  },
  auth: {
    openaiType: "invalid_request_error",
    openaiCode: "invalid_api_key",
    anthropic: "authentication_error",
    openai: 401,
    bedrock: 403,
    grpc: [16, "UNAUTHENTICATED"],
    passing: false,
  },
  forbidden: {
    openaiType: "invalid_request_error",
    anthropic: "permission_error",
    openai: 403,
    bedrock: 403,
    grpc: [7, "PERMISSION_DENIED"],
    passing: false,
  },
  quota: {
    openaiType: "insufficient_quota",
    openaiCode: "insufficient_quota",
    anthropic: "billing_error",
    openai: 429,
    bedrock: 400,
    grpc: [8, "RESOURCE_EXHAUSTED"],
    passing: false,
  },
  not_found: {
    openaiType: "invalid_request_error",
    openaiCode: "model_not_found",
    anthropic: "not_found_error",
    openai: 404,
    bedrock: 404,
    grpc: [5, "NOT_FOUND"],
    passing: false,
  },
  rate: {
    openaiType: "requests",
    openaiCode: "rate_limit_exceeded",
    anthropic: "rate_limit_error",
    openai: 429,
    bedrock: 429,
    grpc: [8, "RESOURCE_EXHAUSTED"],
    passing: true,
  },
  timeout: {
    openaiType: "server_error",
    anthropic: "timeout_error",
    openai: 408,
    bedrock: 408,
    grpc: [4, "DEADLINE_EXCEEDED"],
    passing: true,
  },
  model: {
    openaiType: "server_error",
    anthropic: "api_error",
    openai: 500,
    bedrock: 424,
    grpc: [13, "INTERNAL"],
    passing: true,
  },
  internal: {
    openaiType: "server_error",
    anthropic: "api_error",
    openai: 500,
    bedrock: 500,
    grpc: [13, "INTERNAL"],
    passing: true,
  },
  unavailable: {
    openaiType: "server_error",
    anthropic: "overloaded_error",
    openai: 503,
    bedrock: 503,
    grpc: [14, "UNAVAILABLE"],
    passing: true,
  },
  expired: {
    openaiType: "server_error",
    openaiCode: "batch_expired",
    anthropic: "expired",
    openai: 408,
    bedrock: 408,
    grpc: [4, "DEADLINE_EXCEEDED"],
    passing: true,
  },
  stopped: {
    openaiType: "server_error",
    openaiCode: "batch_cancelled",
    anthropic: "canceled",
    openai: 499,
    bedrock: 499,
    grpc: [1, "CANCELLED"],
    passing: false,
  },
};

/** Returns how the dialects word a kind of error. */
export function errorFacts(kind: ErrorKind): ErrorFacts {
  return facts[kind];
}

/** A record's error. */
export function recordError(error: ErrorKind, message: string, code?: string): RecordError {
  const { openai } = facts[error];
  return { kind: "error", error, http: openai, message, ...(code === undefined ? {} : { code }) };
}

/** Returns the kind of error of an HTTP status; 529 is Anthropic's word for overloaded. */
export function kindOfStatus(status: number): ErrorKind {
  return byStatus.get(status) ?? (status >= 500 ? "internal" : "bad_request");
}

const byStatus: ReadonlyMap<number, ErrorKind> = new Map([
  [401, "auth"],
  [402, "quota"],
  [403, "forbidden"],
  [404, "not_found"],
  [408, "timeout"],
  [413, "too_long"],
  [424, "model"],
  [429, "rate"],
  [499, "stopped"],
  [503, "unavailable"],
  [504, "timeout"],
  [529, "unavailable"],
]);

/**
 * Returns the kind of error of a google.rpc code. Some answers hold an HTTP status there: from 17
 * on.
 */
export function kindOfGrpc(code: number): ErrorKind {
  return code < 17 ? byGrpc.get(code) ?? "internal" : kindOfStatus(code);
}

const byGrpc: ReadonlyMap<number, ErrorKind> = new Map([
  [1, "stopped"],
  [3, "bad_request"],
  [4, "timeout"],
  [5, "not_found"],
  [6, "bad_request"],
  [7, "forbidden"],
  [8, "rate"],
  [9, "bad_request"],
  [10, "bad_request"],
  [11, "bad_request"],
  [12, "bad_request"],
  [14, "unavailable"],
  [16, "auth"],
]);

/** Returns the kind of error of one of Anthropic's error types. */
export function kindOfAnthropic(type: string): ErrorKind {
  return byAnthropic.get(type) ?? "internal";
}

const byAnthropic: ReadonlyMap<string, ErrorKind> = new Map([
  ["invalid_request_error", "bad_request"],
  ["request_too_large", "too_long"],
  ["authentication_error", "auth"],
  ["permission_error", "forbidden"],
  ["billing_error", "quota"],
  ["not_found_error", "not_found"],
  ["rate_limit_error", "rate"],
  ["timeout_error", "timeout"],
  ["overloaded_error", "unavailable"],
]);
