/** How AWS's query APIs (STS, IAM and others) name failures, and how they write them down. */
import { bedrockError } from "./bedrock_errors.ts";
import type { BedrockException } from "./bedrock_codes.ts";
import { renderXmlOf } from "./s3_xml.ts";

/** Bedrock's exceptions as query APIs call them: STS's list of common errors (2026-11). */
const codes = {
  AccessDeniedException: ["AccessDenied", 403],
  ConflictException: ["InvalidAction", 400],
  ExpiredTokenException: ["ExpiredToken", 403],
  IncompleteSignatureException: ["IncompleteSignature", 400],
  InternalServerException: ["InternalFailure", 500],
  InvalidSignatureException: ["SignatureDoesNotMatch", 403],
  LoopDetected: ["LoopDetected", 508],
  MissingAuthenticationTokenException: ["MissingAuthenticationToken", 403],
  ResourceNotFoundException: ["InvalidAction", 400],
  SerializationException: ["MalformedQueryString", 400],
  ServiceQuotaExceededException: ["AccessDenied", 403],
  ServiceUnavailableException: ["ServiceUnavailable", 503],
  ThrottlingException: ["Throttling", 400],
  TooManyTagsException: ["ValidationError", 400],
  UnknownOperationException: ["InvalidAction", 400],
  UnrecognizedClientException: ["InvalidClientTokenId", 403],
  ValidationException: ["ValidationError", 400],
} as const satisfies Readonly<Record<BedrockException, readonly [code: string, status: number]>>;

/** The namespace of STS's documents; clients of other query APIs do not look at it. */
export const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** An HTTP response as plain parts. */
export interface RenderedQueryError {
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** XML text. */
  readonly body: string;
}

/**
 * Writes a failure as query APIs do: every SDK's parser of that protocol reads `Error/Code` and
 * `Error/Message` below `ErrorResponse`, and not the error documents of S3 or Bedrock.
 *
 * @param requestId The value of `x-amzn-RequestId`.
 */
export function renderQueryError(failure: unknown, requestId: string): RenderedQueryError {
  const { code: exception, message, retryAfterSeconds } = bedrockError(failure);
  const [code, status] = codes[exception];
  return {
    code,
    status,
    headers: {
      "content-type": "text/xml",
      "x-amzn-requestid": requestId,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": `${retryAfterSeconds}` }),
    },
    body: renderXmlOf(stsNamespace, "ErrorResponse", {
      Error: { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message },
      RequestId: requestId,
    }),
  };
}
