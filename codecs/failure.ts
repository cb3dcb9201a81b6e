/**
 * The one error class of the gateway. Code that knows what went wrong says so as a class of failure
 * and a sentence; the routes render it as S3 XML or Bedrock JSON.
 */

import type { BedrockException } from "./bedrock_codes.ts";
import type { S3Code } from "./s3_codes.ts";

/** What class of failure it is; the routes map it to a code and an HTTP status. */
export type FailureKind =
  | "not-found"
  | "denied"
  | "throttled"
  | "invalid"
  | "conflict"
  | "precondition"
  | "too-large"
  | "unsupported"
  | "unavailable"
  | "internal";

/** What a failure may carry besides its sentence. */
export interface FailureDetails {
  /** The exact S3 code where the kind would be too coarse, such as `BadDigest`. */
  readonly s3?: S3Code;
  /** The exact Bedrock exception where the kind would be too coarse. */
  readonly bedrock?: BedrockException;
  /** Extra elements of an S3 error, such as `{ Key: "a.jsonl" }`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number;
  /** True where the request may have been carried out although its answer was lost. */
  readonly outcomeUnknown?: boolean;
  /** Where it may yet be carried out: resolves once it was, or never will be. */
  readonly settled?: Promise<void>;
  /** True where the thing is gone, or is being deleted, for certain, and not merely out of reach. */
  readonly gone?: boolean;
  /** True where what was named was just made, and can be used in a moment. */
  readonly notReady?: boolean;
  /** What is wrong with the provider's account itself, whatever was asked of it. */
  readonly account?: "key" | "quota";
  /** True where the gateway's own disk refused a write. */
  readonly disk?: boolean;
  /** What led to it. For logs and tests; never shown to a client. */
  readonly cause?: unknown;
}

/**
 * An operation failed for a reason that the caller should know.
 *
 * The message is shown to the client: a full sentence that says what is wrong and what to do, free
 * of keys, tokens, customer data and text that a provider wrote.
 */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly kind: FailureKind;
  readonly details: FailureDetails;

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.details = details;
  }
}

/** Returns what a sentence can say of an error: a failure's message, without its full stop. */
export function publicReason(error: unknown): string {
  return error instanceof Failure ? error.message.replace(/\.$/, "") : "the gateway failed";
}
