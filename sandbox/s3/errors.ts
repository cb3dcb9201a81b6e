/** The errors that the simulated S3 answers, in Amazon's words. */
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import type { S3Code } from "../../codecs/s3_codes.ts";

const errors = {
  AccessDenied: ["denied", "Access Denied"],
  AuthorizationHeaderMalformed: [
    "invalid",
    "The authorization header is malformed; the credential scope must name the service s3.",
  ],
  AuthorizationQueryParametersError: [
    "invalid",
    "The query parameters of a presigned URL are incomplete or not valid.",
  ],
  BucketNotEmpty: ["conflict", "The bucket you tried to delete is not empty"],
  EntityTooSmall: [
    "invalid",
    "Your proposed upload is smaller than the minimum allowed size",
  ],
  InvalidAccessKeyId: [
    "denied",
    "The AWS Access Key Id you provided does not exist in our records.",
  ],
  InvalidArgument: ["invalid", "Invalid Argument"],
  InvalidBucketName: ["invalid", "The specified bucket is not valid."],
  InvalidPart: [
    "invalid",
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
  ],
  InvalidPartOrder: [
    "invalid",
    "The list of parts was not in ascending order. Parts must be ordered by part number.",
  ],
  InvalidRange: ["invalid", "The requested range is not satisfiable"],
  InvalidRequest: ["invalid", "Invalid Request"],
  InvalidURI: ["invalid", "Couldn't parse the specified URI."],
  KeyTooLongError: ["invalid", "Your key is too long"],
  MalformedXML: [
    "invalid",
    "The XML you provided was not well-formed or did not validate against our published schema",
  ],
  MetadataTooLarge: [
    "invalid",
    "Your metadata headers exceed the maximum allowed metadata size",
  ],
  MethodNotAllowed: [
    "unsupported",
    "The specified method is not allowed against this resource.",
  ],
  MissingContentLength: ["invalid", "You must provide the Content-Length HTTP header."],
  NoSuchBucket: ["not-found", "The specified bucket does not exist"],
  NoSuchKey: ["not-found", "The specified key does not exist."],
  NoSuchUpload: [
    "not-found",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
  ],
  NotImplemented: [
    "unsupported",
    "A header or query you provided implies functionality that is not implemented",
  ],
  PreconditionFailed: [
    "precondition",
    "At least one of the pre-conditions you specified did not hold",
  ],
  RequestTimeTooSkewed: [
    "denied",
    "The difference between the request time and the current time is too large.",
  ],
  SignatureDoesNotMatch: [
    "denied",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  ],
} as const satisfies Partial<Record<S3Code, readonly [FailureKind, string]>>;

/** A code of an S3 error. */
export type SimulatedCode = keyof typeof errors;

/**
 * The failure to throw for an S3 error.
 *
 * @param code S3's code.
 * @param message In place of Amazon's usual sentence.
 * @param fields Extra elements of the error, such as `{ Key: "a" }`.
 */
export function s3Failure(
  code: SimulatedCode,
  message?: string,
  fields?: Readonly<Record<string, string>>,
): Failure {
  const [kind, usual] = errors[code];
  return new Failure(kind, message ?? usual, {
    s3: code,
    ...(fields === undefined ? {} : { fields }),
  });
}
