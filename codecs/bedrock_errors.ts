/** How Bedrock's control plane names failures, and how it writes them down. */
import { Failure, type FailureKind } from "./failure.ts";
import { retryAfterOf, sentenceOf } from "./failure_text.ts";
import { type BedrockException, bedrockStatuses } from "./bedrock_codes.ts";

const exceptionsByKind: Readonly<Record<FailureKind, BedrockException>> = {
  "not-found": "ResourceNotFoundException",
  "denied": "AccessDeniedException",
  "throttled": "ThrottlingException",
  "invalid": "ValidationException",
  "conflict": "ConflictException",
  "precondition": "ValidationException",
  "too-large": "ValidationException",
  "unsupported": "ValidationException",
  "unavailable": "ServiceUnavailableException",
  "internal": "InternalServerException",
};

/** A failure in Bedrock's words. */
export interface BedrockError {
  readonly code: BedrockException;
  /** HTTP status. */
  readonly status: number;
  readonly message: string;
  /** Whole seconds for the header `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Says a failure in Bedrock's words. The exception is the failure's own, else that of its kind.
 *
 * An internal failure, and anything thrown that is not a {@linkcode Failure}, is reported in a
 * neutral sentence, as it may hold what no client should read. The SDKs retry it.
 */
export function bedrockError(failure: unknown): BedrockError {
  if (!(failure instanceof Failure) || failure.kind === "internal") {
    return {
      code: "InternalServerException",
      status: bedrockStatuses.InternalServerException,
      message: "The gateway met an internal error. Please try again.",
      retryAfterSeconds: undefined,
    };
  }
  const { bedrock } = failure.details;
  const code = bedrock ?? exceptionsByKind[failure.kind];
  return {
    code,
    status: bedrockStatuses[code],
    message: sentenceOf(failure),
    retryAfterSeconds: retryAfterOf(failure),
  };
}

/** An HTTP response as plain parts. */
export interface RenderedBedrockError {
  readonly code: BedrockException;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/**
 * Writes a failure as Bedrock does. The exception goes into a header and the sentence into
 * `message`: boto3 and the JS SDK understand only this form in full (captured 2026-11; without
 * the header boto3 shows the status as the code).
 *
 * @param requestId The value of `x-amzn-RequestId`, a UUID at AWS.
 */
export function renderBedrockError(failure: unknown, requestId: string): RenderedBedrockError {
  const { code, status, message, retryAfterSeconds } = bedrockError(failure);
  return {
    code,
    status,
    headers: {
      "content-type": "application/json",
      "x-amzn-errortype": code,
      "x-amzn-requestid": requestId,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
    body: JSON.stringify({ message }),
  };
}
