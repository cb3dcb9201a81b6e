/** Errors and answers in the form of Google's JSON APIs. */
import type { Json } from "../context.ts";

/** HTTP status and number of each google.rpc.Code that the simulation answers with. */
const codes = {
  INVALID_ARGUMENT: { http: 400, rpc: 3 },
  FAILED_PRECONDITION: { http: 400, rpc: 9 },
  PERMISSION_DENIED: { http: 403, rpc: 7 },
  NOT_FOUND: { http: 404, rpc: 5 },
  ALREADY_EXISTS: { http: 409, rpc: 6 },
} as const;

/** The name of a google.rpc.Code. */
export type GoogleStatus = keyof typeof codes;

/** A request is refused as the real API refuses it. */
export class GoogleError extends Error {
  override readonly name = "GoogleError";
  readonly status: GoogleStatus;
  /** The reason of a google.rpc.ErrorInfo, where the real API sends one. */
  readonly reason: string | undefined;
  /** Headers that go with the error, such as the state of an upload. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: GoogleStatus,
    message: string,
    details: { reason?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.reason = details.reason;
    this.headers = details.headers ?? {};
  }

  /** The bare google.rpc.Status as it stands inside of batches; `code` is the gRPC number. */
  toStatus(): { code: number; message: string } {
    return { code: codes[this.status].rpc, message: this.message };
  }
}

/** Answers with JSON; Google's own content type. */
export function json(body: Json, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=UTF-8", ...headers },
  });
}

/** Renders a refusal; `error.code` is the HTTP status here. */
export function errorResponse(error: GoogleError): Response {
  const { http } = codes[error.status];
  const body: { [key: string]: Json } = {
    code: http,
    message: error.message,
    status: error.status,
  };
  if (error.reason !== undefined) {
    body.details = [{
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: error.reason,
      domain: "googleapis.com",
      metadata: { service: "generativelanguage.googleapis.com" },
    }];
  }
  return json({ error: body }, http, error.headers);
}
