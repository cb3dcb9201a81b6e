/** Why a request is not let in, in the words of S3 and of Bedrock. */
import type { BedrockException } from "../../codecs/bedrock_codes.ts";
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import type { S3Code } from "../../codecs/s3_codes.ts";

interface Words {
  readonly kind: FailureKind;
  readonly s3: S3Code;
  readonly bedrock: BedrockException;
}

/** Each reason as the two services call it (S3: its list of errors; Bedrock: AWS's front end). */
const words = {
  /** Nothing in the request says who sends it. */
  unsigned: { kind: "denied", s3: "AccessDenied", bedrock: "MissingAuthenticationTokenException" },
  /** More than one thing says who sends it. */
  ambiguous: { kind: "invalid", s3: "InvalidArgument", bedrock: "IncompleteSignatureException" },
  /** The header cannot be read. */
  malformedHeader: {
    kind: "invalid",
    s3: "AuthorizationHeaderMalformed",
    bedrock: "IncompleteSignatureException",
  },
  /** The presigned query cannot be read. */
  malformedQuery: {
    kind: "invalid",
    s3: "AuthorizationQueryParametersError",
    bedrock: "IncompleteSignatureException",
  },
  /** A way of signing that is not offered. */
  unsupported: { kind: "invalid", s3: "InvalidRequest", bedrock: "IncompleteSignatureException" },
  sessionToken: { kind: "invalid", s3: "InvalidToken", bedrock: "UnrecognizedClientException" },
  unknownKey: { kind: "denied", s3: "InvalidAccessKeyId", bedrock: "UnrecognizedClientException" },
  wrongSignature: {
    kind: "denied",
    s3: "SignatureDoesNotMatch",
    bedrock: "InvalidSignatureException",
  },
  skewed: { kind: "denied", s3: "RequestTimeTooSkewed", bedrock: "InvalidSignatureException" },
  /** A presigned link outside of its time. */
  linkTime: { kind: "denied", s3: "AccessDenied", bedrock: "ExpiredTokenException" },
  /** The signature is right, and yet it may not. */
  forbidden: { kind: "denied", s3: "AccessDenied", bedrock: "AccessDeniedException" },
} as const satisfies Readonly<Record<string, Words>>;

/** A reason of the table. */
export type Refusal = keyof typeof words;

/** Makes the failure of a refusal. The sentence says what is wrong and what to do. */
export function refuse(reason: Refusal, sentence: string): Failure {
  const { kind, s3, bedrock } = words[reason];
  return new Failure(kind, sentence, { s3, bedrock });
}

/**
 * Returns whether an error says that a proof is not one, be it of an unknown credential or a wrong
 * one.
 */
export function isNoProof(error: unknown): boolean {
  const codes: readonly S3Code[] = [words.unknownKey.s3, words.wrongSignature.s3];
  return error instanceof Failure && codes.some((code) => code === error.details.s3);
}
