/** How S3 names failures: codes, their HTTP statuses, and which code a failure gets. */
import { Failure, type FailureKind } from "./failure.ts";
import { retryAfterOf, sentenceOf } from "./failure_text.ts";
import { type S3Code, s3Statuses } from "./s3_codes.ts";

const codesByKind: Readonly<Record<FailureKind, S3Code>> = {
  "not-found": "NoSuchKey",
  "denied": "AccessDenied",
  "throttled": "SlowDown",
  "invalid": "InvalidRequest",
  "conflict": "OperationAborted",
  "precondition": "PreconditionFailed",
  "too-large": "EntityTooLarge",
  "unsupported": "NotImplemented",
  "unavailable": "ServiceUnavailable",
  "internal": "InternalError",
};

/** A failure in S3's words. */
export interface S3Error {
  readonly code: S3Code;
  /** HTTP status. */
  readonly status: number;
  readonly message: string;
  /** Elements of the error document besides the usual ones, such as `{ Key: "a.jsonl" }`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whole seconds for the header `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Says a failure in S3's words. The code is the failure's own S3 code, else that of its kind.
 *
 * An internal failure, and anything thrown that is not a {@linkcode Failure}, is reported in a
 * neutral sentence, as it may hold what no client should read. S3's clients retry it.
 */
export function s3Error(failure: unknown): S3Error {
  if (!(failure instanceof Failure) || failure.kind === "internal") {
    return {
      code: "InternalError",
      status: s3Statuses.InternalError,
      message: "The gateway met an internal error. Please try again.",
      fields: {},
      retryAfterSeconds: undefined,
    };
  }
  const { s3, fields = {} } = failure.details;
  const code = s3 ?? codesByKind[failure.kind];
  return {
    code,
    status: s3Statuses[code],
    message: sentenceOf(failure),
    fields,
    retryAfterSeconds: retryAfterOf(failure),
  };
}
