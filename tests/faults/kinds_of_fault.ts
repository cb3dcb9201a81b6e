/** What can go wrong with a call to a provider, and what a client is told then. */
import type { FaultRule } from "../../sandbox/faults.ts";

/** The providers by kind, and which parts of the simulation each has. */
export type Kind = "openai" | "gemini" | "anthropic" | "bedrock";

/** What a client may be told. */
export type Outcome =
  /** The call went well, perhaps at a second attempt. */
  | "ok"
  /** 503: a retry may help. */
  | "down"
  /** 503 SlowDown, or 429 ThrottlingException, with Retry-After. */
  | "throttled"
  /** Status 200, and a body that breaks off. */
  | "broken body"
  /** AWS's own refusal, as it came. */
  | "as AWS says"
  /** Nothing: the client's own time-out ends it. */
  | "nothing";

/** A way for a call to go wrong. */
export interface FaultKind {
  /** What the provider does; absent where it cannot be reached at all. */
  readonly rule?: (api: Api) => FaultRule;
  /** What a client is told if nothing special is known of the call. */
  readonly outcome: Outcome;
  /** Whether the provider carries the request out all the same. */
  readonly carriedOut?: true;
  /** Whether nothing but a time-out ends it. */
  readonly silent?: true;
}

/** Whose form an error has. */
export type Api = "openai" | "gemini" | "anthropic" | "s3" | "bedrock";

/** Longer than anybody waits. */
const forever = 3_600;

/** Names of Google's codes by the HTTP status that they go with. */
const googleStatuses: Readonly<Record<number, string>> = {
  408: "DEADLINE_EXCEEDED",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};
const anthropicTypes: Readonly<Record<number, string>> = {
  408: "timeout_error",
  409: "conflict_error",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};
/** S3's codes, and Bedrock's exceptions without their ending. */
const awsCodes: Readonly<Record<number, readonly [s3: string, bedrock: string]>> = {
  408: ["RequestTimeout", "RequestTimeout"],
  409: ["OperationAborted", "Conflict"],
  429: ["SlowDown", "Throttling"],
  500: ["InternalError", "InternalServer"],
  503: ["SlowDown", "ServiceUnavailable"],
  529: ["SlowDown", "ServiceUnavailable"],
};

/** AWS's name of a status, for S3 or for Bedrock. */
export function awsCode(api: "s3" | "bedrock", status: number): string {
  const [ofS3 = "", ofBedrock = ""] = awsCodes[status] ?? [];
  return api === "s3" ? ofS3 : `${ofBedrock}Exception`;
}

const bodies: Readonly<Record<Api, (status: number) => Partial<FaultRule>>> = {
  openai: (status) => ({
    body: JSON.stringify({
      error: {
        message: "The request failed.",
        type: status === 429 ? "requests" : "server_error",
        param: null,
        code: status === 429 ? "rate_limit_exceeded" : null,
      },
    }),
  }),
  gemini: (status) => ({
    body: JSON.stringify({
      error: {
        code: status,
        message: "The request failed.",
        status: googleStatuses[status] ?? "UNKNOWN",
      },
    }),
  }),
  anthropic: (status) => ({
    body: JSON.stringify({
      type: "error",
      error: { type: anthropicTypes[status] ?? "api_error", message: "The request failed." },
      request_id: "req_1",
    }),
  }),
  s3: (status) => ({
    contentType: "application/xml",
    headers: { "x-amz-request-id": "of-aws" },
    body: '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<Error><Code>${awsCode("s3", status)}</Code><Message>It failed</Message></Error>`,
  }),
  bedrock: (status) => ({
    headers: { "x-amzn-errortype": awsCode("bedrock", status), "x-amzn-requestid": "of-aws" },
    body: '{"message":"It failed"}',
  }),
};

function answered(status: number, headers: Record<string, string> = {}): (api: Api) => FaultRule {
  return (api) => {
    const body = bodies[api](status);
    return { status, ...body, headers: { ...body.headers, ...headers } };
  };
}

function page(status: number): (api: Api) => FaultRule {
  return () => ({
    status,
    contentType: "text/html",
    body: "<html><body>A page from something in between</body></html>",
  });
}

/** Every way for a call to go wrong. */
export const faultKinds = {
  "is refused the connection": { outcome: "down" },
  "has its connection reset": { outcome: "down", rule: () => ({ reset: "before" }) },
  "has its connection reset once it is carried out": {
    outcome: "down",
    carriedOut: true,
    rule: () => ({ reset: "after" }),
  },
  "is met by silence": {
    outcome: "down",
    silent: true,
    rule: () => ({ latencySeconds: forever }),
  },
  "is met by silence once it is carried out": {
    outcome: "down",
    silent: true,
    carriedOut: true,
    rule: () => ({ delayAfterSeconds: forever }),
  },
  "is answered 408": { outcome: "down", rule: answered(408) },
  "is answered 409": { outcome: "down", rule: answered(409) },
  "is answered 429": { outcome: "throttled", rule: answered(429, { "retry-after": "1" }) },
  "is answered 500": { outcome: "down", rule: answered(500) },
  "is answered 503": { outcome: "down", rule: answered(503) },
  "is answered 529": { outcome: "down", rule: answered(529) },
  "is answered a page with 200": { outcome: "down", rule: page(200) },
  "is answered a page with 502": { outcome: "down", rule: page(502) },
  "is answered a body that is cut": {
    outcome: "down",
    carriedOut: true,
    rule: () => ({ cutBodyAfterBytes: 1 }),
  },
  "is answered a body that stands still": {
    outcome: "down",
    silent: true,
    carriedOut: true,
    rule: () => ({ pauseBodySeconds: forever }),
  },
  "is answered a body that is slow": {
    outcome: "ok",
    carriedOut: true,
    rule: () => ({ pauseBodySeconds: 0.2 }),
  },
} as const satisfies Readonly<Record<string, FaultKind>>;

/** The name of a way to go wrong. */
export type FaultName = keyof typeof faultKinds;

/** Every name, in the order of the table. */
export const faultNames = Object.keys(faultKinds) as FaultName[];
