/** How S3 names failures: codes, their HTTP statuses, and which code a failure gets. */
import { Failure, type FailureKind } from "./failure.ts";

/** Each code with its HTTP status, as Amazon S3's list of error responses has them (2026-11). */
const statuses = {
  AccessDenied: 403,
  AccountProblem: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidLocationConstraint: 400,
  InvalidObjectState: 403,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  MissingRequestBodyError: 400,
  MissingSecurityHeader: 400,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchKey: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  OperationAborted: 409,
  PermanentRedirect: 301,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  RequestTimeout: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  TemporaryRedirect: 307,
  XAmzContentSHA256Mismatch: 400,
} as const;

/** A code of the table; write `s3: "BadDigest" satisfies S3Code` to have the compiler check it. */
export type S3Code = keyof typeof statuses;

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
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  readonly message: string;
  /** Elements of the error document besides the usual ones, such as `{ Key: "a.jsonl" }`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whole seconds for the header `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
}

/**
 * Says a failure in S3's words. The code is the failure's own S3 code, else that of its kind; a
 * code that the table does not know goes out under the status of the kind.
 *
 * An internal failure, and anything thrown that is not a {@linkcode Failure}, is told of in a
 * neutral sentence, as it may hold what no client should read. S3's clients retry it.
 */
export function s3Error(failure: unknown): S3Error {
  if (!(failure instanceof Failure) || failure.kind === "internal") {
    return {
      code: "InternalError",
      status: statuses.InternalError,
      message: "The gateway met an internal error. Please try again.",
      fields: {},
      retryAfterSeconds: undefined,
    };
  }
  const { s3, fields = {}, retryAfterSeconds } = failure.details;
  const ofKind = codesByKind[failure.kind];
  const code = s3 ?? ofKind;
  return {
    code,
    status: statuses[isKnown(code) ? code : ofKind],
    message: failure.message,
    fields,
    retryAfterSeconds: retryAfterSeconds === undefined
      ? undefined
      : Math.max(0, Math.ceil(retryAfterSeconds)),
  };
}

function isKnown(code: string): code is S3Code {
  return Object.hasOwn(statuses, code);
}
