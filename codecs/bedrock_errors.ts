/** How Bedrock's control plane names failures, and how it writes them down. */
import { Failure, type FailureKind } from "./failure.ts";

/**
 * Each exception with its HTTP status: those of the service model (botocore 1.43.107), where a
 * conflict and a used-up quota are 400, and those that AWS's front end answers before it.
 */
const statuses = {
  AccessDeniedException: 403,
  ConflictException: 400,
  ExpiredTokenException: 403,
  InternalServerException: 500,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  ResourceNotFoundException: 404,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  TooManyTagsException: 400,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
  ValidationException: 400,
} as const;

/** An exception of the table; `bedrock: "ConflictException" satisfies BedrockException`. */
export type BedrockException = keyof typeof statuses;

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
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  readonly message: string;
  /** Whole seconds for the header `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Says a failure in Bedrock's words. The exception is the failure's own, else that of its kind; an
 * exception that the table does not know goes out under the status of the kind.
 *
 * An internal failure, and anything thrown that is not a {@linkcode Failure}, is told of in a
 * neutral sentence, as it may hold what no client should read. The SDKs retry it.
 */
export function bedrockError(failure: unknown): BedrockError {
  if (!(failure instanceof Failure) || failure.kind === "internal") {
    return {
      code: "InternalServerException",
      status: statuses.InternalServerException,
      message: "The gateway met an internal error. Please try again.",
      retryAfterSeconds: undefined,
    };
  }
  const { bedrock, retryAfterSeconds } = failure.details;
  const ofKind = exceptionsByKind[failure.kind];
  const code = bedrock ?? ofKind;
  return {
    code,
    status: statuses[isKnown(code) ? code : ofKind],
    message: failure.message,
    retryAfterSeconds: retryAfterSeconds === undefined
      ? undefined
      : Math.max(0, Math.ceil(retryAfterSeconds)),
  };
}

/** An HTTP response as plain parts. */
export interface RenderedBedrockError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/**
 * Writes a failure as Bedrock does. The exception goes into a header and the sentence into
 * `message`: boto3 and the JS SDK understand this form alone in full (captured 2026-11; without
 * the header boto3 shows the status as the code).
 *
 * @param requestId What `x-amzn-RequestId` tells, a UUID at AWS.
 */
export function renderBedrockError(failure: unknown, requestId: string): RenderedBedrockError {
  const { code, status, message, retryAfterSeconds } = bedrockError(failure);
  return {
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

function isKnown(code: string): code is BedrockException {
  return Object.hasOwn(statuses, code);
}
