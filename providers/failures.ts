/** From an upstream's refusal, or its silence, to a {@linkcode Failure}. */
import { Failure, type FailureDetails, type FailureKind } from "../codecs/failure.ts";
import type { AccountTrouble } from "./provider.ts";

/** Meanings of an upstream's answer; `no-credit` is a refusal that no retry will ever lift. */
export type ErrorClass =
  | "denied"
  | "no-credit"
  | "not-found"
  | "throttled"
  | "invalid"
  | "too-large"
  | "conflict"
  | "unavailable";

/** Facts from a provider's error body. */
export interface ErrorFacts {
  /** The provider's own codes, the most exact one first. */
  readonly codes: readonly string[];
  /** The provider's own sentence; shown, in part and masked, only for `invalid`. */
  readonly reason: string | undefined;
  /** From the body, for providers that send no Retry-After header. */
  readonly retryAfterSeconds?: number | undefined;
}

/** How one kind of provider words its errors. */
export interface ErrorWording {
  /** A sentence that says what to check when the provider refuses the key. */
  readonly deniedAdvice: string;
  /**
   * Reads the body of a refusal: parsed JSON, or the text of a body that is plain text. Undefined if
   * it is not of the provider's form.
   */
  readonly read: (body: unknown) => ErrorFacts | undefined;
  /** Codes that say more than their HTTP status does. */
  readonly codes: Readonly<Record<string, ErrorClass>>;
}

/** Facts of a refused request, to word its failure. */
export interface Refusal {
  /** The provider's configured name. */
  readonly provider: string;
  readonly status: number;
  /** Undefined where the body was not of the provider's form, such as a proxy's HTML page. */
  readonly facts: ErrorFacts | undefined;
  readonly wording: ErrorWording;
  /** Meanings that this call gives to statuses. */
  readonly statuses?: Readonly<Record<number, ErrorClass>>;
  /** The thing that was asked for, such as `file file-abc`. */
  readonly subject?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Whether the request may be sent again without harm. */
  readonly idempotent: boolean;
  /** Texts that must never be shown. */
  readonly secrets: readonly string[];
}

/**
 * The upstream could not be reached, fell silent or broke off. It never reaches a client: code that
 * catches it turns it into a failure by {@linkcode transportFailure}.
 */
export class TransportError extends Error {
  override readonly name = "TransportError";
  /** True where no byte of the request can have arrived. */
  readonly unsent: boolean;
  readonly timedOut: boolean;

  constructor(message: string, facts: { unsent?: boolean; timedOut?: boolean; cause?: unknown }) {
    super(message, { cause: facts.cause });
    this.unsent = facts.unsent ?? false;
    this.timedOut = facts.timedOut ?? false;
  }
}

const byStatus: Readonly<Record<number, ErrorClass>> = {
  400: "invalid",
  401: "denied",
  402: "no-credit",
  403: "denied",
  404: "not-found",
  // A service that lacks this part of the API: a repetition helps no one.
  405: "invalid",
  408: "unavailable",
  // A lock that was not free in time; the official SDKs try again (openai 6.49, "lock timeouts").
  // Where it says more, as when a batch is stopped, the call does.
  409: "unavailable",
  410: "not-found",
  413: "too-large",
  415: "invalid",
  422: "invalid",
  429: "throttled",
  // A gateway in front of a service that has no batches: nothing was done, and nothing will be.
  501: "invalid",
};

/**
 * Statuses that are believed whatever body they came with, because proxies answer them on behalf
 * of the provider. A 404 page must not pass for "this file is gone".
 */
const trustedWithoutBody: ReadonlySet<number> = new Set([401, 402, 413, 429]);

/**
 * The meaning of a refusal: by its code, then by what the call says of its status, then by status.
 */
function classify(refusal: Refusal): ErrorClass {
  if (refusal.facts === undefined && !trustedWithoutBody.has(refusal.status)) return "unavailable";
  for (const code of refusal.facts?.codes ?? []) {
    const found = Object.hasOwn(refusal.wording.codes, code)
      ? refusal.wording.codes[code]
      : undefined;
    if (found !== undefined) return found;
  }
  return refusal.statuses?.[refusal.status] ?? byStatus[refusal.status] ?? "unavailable";
}

/**
 * Returns what a refusal says of the account itself: a 403 by itself may be of this one request.
 */
function troubleOf(refusal: Refusal, meaning: ErrorClass): AccountTrouble | undefined {
  if (meaning === "no-credit") return "quota";
  if (meaning !== "denied") return undefined;
  const { codes } = refusal.wording;
  const isTold = refusal.facts?.codes.some((code) =>
    Object.hasOwn(codes, code) && codes[code] === "denied"
  );
  return refusal.status === 401 || isTold ? "key" : undefined;
}

const loopStatus = 508;

/** The base URL leads back to a gateway that the request has passed already. */
function loopFailure(provider: string): Failure {
  return new Failure(
    "invalid",
    `The base URL of provider ${provider} leads back to this gateway. Set it to the provider's own`,
    { s3: "LoopDetected", bedrock: "LoopDetected" },
  );
}

/** Words a refusal. The provider's own text is used, masked and cut, only for `invalid`. */
export function refusalFailure(refusal: Refusal): Failure {
  const { provider, status, wording } = refusal;
  const what = refusal.subject ?? "what was asked for";
  const known = refusal.facts !== undefined;
  const meaning = classify(refusal);
  if (status === loopStatus) return loopFailure(provider);
  const unknown = !refusal.idempotent && meaning === "unavailable" &&
    (!known || status === 408 || status >= 500);
  const retry = refusal.retryAfterSeconds === undefined
    ? {}
    : { retryAfterSeconds: refusal.retryAfterSeconds };
  const trouble = troubleOf(refusal, meaning);
  const words: Record<ErrorClass, readonly [FailureKind, string, FailureDetails?]> = {
    "denied": [
      "denied",
      `Provider ${provider} denied the request (HTTP ${status})${
        trouble === "key"
          ? ": it refuses the gateway's own key, and the access key of this request is not meant"
          : ""
      }. ${wording.deniedAdvice}`,
    ],
    // Clients repeat what is throttled for hours; without credit no repetition helps, so this is
    // worded as a quota that is used up, which AWS clients do not retry.
    "no-credit": [
      "denied",
      `Provider ${provider} has no credit or quota left for the gateway's key. ` +
      "Add credit or raise the spending limit there; a retry will not help.",
      { bedrock: "ServiceQuotaExceededException" },
    ],
    "not-found": [
      "not-found",
      `Provider ${provider} does not have ${what}.`,
      // A 403 that stands for "not found" may as well be a right that is missing for a while.
      { gone: status === 404 || status === 410 },
    ],
    "throttled": [
      "throttled",
      `Provider ${provider} limits the rate of requests. Slow down and try again.`,
      retry,
    ],
    "invalid": ["invalid", invalidText(refusal)],
    "too-large": [
      "too-large",
      `Provider ${provider} refused the request as too large. Split the file into smaller ones.`,
    ],
    "conflict": [
      "conflict",
      `Provider ${provider} refused the request: the state of ${what} does not allow it.`,
    ],
    "unavailable": [
      "unavailable",
      known
        ? `Provider ${provider} cannot serve the request now (HTTP ${status}). Try again later.`
        : notOfItsForm(provider, status),
      unknown ? { ...retry, outcomeUnknown: true } : retry,
    ],
  };
  const [kind, message, details] = words[meaning];
  return new Failure(kind, message, trouble ? { ...details, account: trouble } : details);
}

/** An answer that no API of this kind gives: a redirect, HTML, JSON of another shape. */
export function unexpectedReply(provider: string, status: number, idempotent: boolean): Failure {
  const message = status >= 300 && status < 400
    ? `Provider ${provider} answered with a redirect (HTTP ${status}), which is not followed. ` +
      "Check the base URL that is configured for it."
    : notOfItsForm(provider, status);
  return new Failure("unavailable", message, idempotent ? {} : { outcomeUnknown: true });
}

function notOfItsForm(provider: string, status: number): string {
  return `Provider ${provider} answered with something that is not of its API's form ` +
    `(HTTP ${status}). Try again later; if it stays, check its base URL and proxies in between.`;
}

/** The failure for an upstream that was not reached or fell silent. */
export function transportFailure(
  provider: string,
  error: TransportError,
  idempotent: boolean,
): Failure {
  const message = error.unsent
    ? `Provider ${provider} cannot be reached. Try again later; if it stays, check its base URL.`
    : error.timedOut
    ? `Provider ${provider} did not answer in time. Try again later.`
    : `The connection to provider ${provider} broke before its answer was complete. ` +
      "Try again later.";
  const unknown = !idempotent && !error.unsent;
  return new Failure(
    "unavailable",
    message,
    unknown ? { cause: error, outcomeUnknown: true } : { cause: error },
  );
}

function invalidText(refusal: Refusal): string {
  const reason = excerpt(refusal.facts?.reason ?? "", refusal.secrets);
  return reason === ""
    ? `Provider ${refusal.provider} refused the request as invalid (HTTP ${refusal.status}).`
    : `Provider ${refusal.provider} refused the request: ${reason}`;
}

/**
 * Shapes of the keys that providers give out, also with their middle starred out, and any bearer
 * token. Services with OpenAI's API begin theirs with `gsk_`, `pa-`, `hf_`, `tgp_v1_` and the like.
 */
const keyShapes = new RegExp(
  [
    String.raw`\bsk-[\w*-]{6,}`,
    String
      .raw`\b(?:gsk|csk|xai|nvapi|pa|hf|fw|tgp|r8|pk|rk|sk)[-_](?=[\w*-]{0,64}[\d*])[\w*-]{16,}`,
    String.raw`\bAIza[\w-]{10,}`,
    String.raw`\bAQ\.[\w-]{10,}`,
    String.raw`\b(?:AKIA|ASIA)[A-Z0-9]{12,}`,
    String.raw`\bBearer\s+\S+`,
  ].join("|"),
  "gi",
);

/**
 * A provider's sentence made fit to be shown: without control characters, at most so many
 * characters, and with every secret and everything that looks like a key masked.
 */
export function excerpt(text: string, secrets: readonly string[], limit = 300): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret !== "") clean = clean.replaceAll(secret, "[masked]");
  }
  clean = clean
    .replace(keyShapes, "[masked]")
    // Direction marks can make a text read differently from what it says.
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  if (clean.length <= limit) return clean;
  return `${clean.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
