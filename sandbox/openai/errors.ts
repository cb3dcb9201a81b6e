/** OpenAI's errors. */

/** An error as OpenAI answers it. */
export class OpenAIError extends Error {
  override readonly name = "OpenAIError";
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  readonly type: string;

  constructor(
    status: number,
    message: string,
    { param = null, code = null, type }: {
      param?: string | null;
      code?: string | null;
      type?: string;
    } = {},
  ) {
    super(message);
    this.type = type ?? (status >= 500 ? "server_error" : "invalid_request_error");
    this.status = status;
    this.param = param;
    this.code = code;
  }

  /** The answer's body; the same object stands in a batch's error file. */
  toJson(): {
    error: { message: string; type: string; param: string | null; code: string | null };
  } {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

/** A parameter is missing. */
export function missing(param: string): OpenAIError {
  return new OpenAIError(400, `Missing required parameter: '${param}'.`, {
    param,
    code: "missing_required_parameter",
  });
}

/** A parameter has a value that it cannot have. */
export function invalid(param: string, message: string): OpenAIError {
  return new OpenAIError(400, message, { param, code: "invalid_value" });
}
