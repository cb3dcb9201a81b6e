/** The exceptions of Bedrock's control plane. */

/**
 * Each exception with its HTTP status: those of the service model (botocore 1.43.107), where a
 * conflict and a used-up quota are 400, and those that AWS's front end answers before it.
 */
export const bedrockStatuses = {
  AccessDeniedException: 403,
  ConflictException: 400,
  ExpiredTokenException: 403,
  IncompleteSignatureException: 403,
  InternalServerException: 500,
  InvalidSignatureException: 403,
  LoopDetected: 508,
  MissingAuthenticationTokenException: 403,
  ResourceNotFoundException: 404,
  SerializationException: 400,
  ServiceQuotaExceededException: 400,
  ServiceUnavailableException: 503,
  ThrottlingException: 429,
  TooManyTagsException: 400,
  UnknownOperationException: 404,
  UnrecognizedClientException: 403,
  ValidationException: 400,
} as const;

/** An exception of the table. */
export type BedrockException = keyof typeof bedrockStatuses;
