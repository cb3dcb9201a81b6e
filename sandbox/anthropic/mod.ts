/**
 * A simulated Anthropic API: Message Batches and Files.
 *
 * Gaps: live messages, models, workspaces, rate limit headers, the beta form of the list of files.
 * By design: no file can be downloaded, for nothing here makes any but uploads; requests that fail
 * are known by their id or model (`messages.ts`).
 */
import {
  sandboxKeys,
  type SandboxRequest,
  type Simulator,
  type SimulatorFactory,
} from "../context.ts";
import { createBatches } from "./batches.ts";
import { AnthropicError, errorResponse } from "./errors.ts";
import { createFiles } from "./files.ts";
import { type Anthropic, openRecords } from "./records.ts";

const versions: ReadonlySet<string> = new Set(["2023-01-01", "2023-06-01", "2026-10-21"]);

interface Route {
  readonly method: string;
  /** On the path below the mount; its one group, if any, is the id. */
  readonly path: RegExp;
  readonly handle: (request: SandboxRequest, id: string) => Promise<Response>;
}

/** Makes a simulated Anthropic. */
export const createAnthropic: SimulatorFactory = (context): Simulator => {
  const routes = routesOf(openRecords(context));

  const answer = async (request: SandboxRequest): Promise<Response> => {
    authenticate(request.headers);
    checkVersion(request.headers.get("anthropic-version"));
    for (const { method, path, handle } of routes) {
      const match = method === request.method ? path.exec(request.path) : null;
      if (match !== null) return await handle(request, match[1] ?? "");
    }
    throw new AnthropicError("not_found_error", "Not found");
  };

  return async (request) => {
    const requestId = `req_${context.id(24)}`;
    let response: Response;
    try {
      response = await answer(request);
    } catch (error) {
      if (!(error instanceof AnthropicError)) throw error;
      response = errorResponse(error, requestId);
    } finally {
      // Unless it is read, the client would wait for ever to send it all.
      if (request.body?.locked === false) await request.body.cancel();
    }
    response.headers.set("request-id", requestId);
    response.headers.set("anthropic-organization-id", "00000000-0000-4000-8000-000000000000");
    return response;
  };
};

function routesOf(anthropic: Anthropic): readonly Route[] {
  const batches = createBatches(anthropic);
  const files = createFiles(anthropic);
  const route = (method: string, path: string, handle: Route["handle"]): Route => ({
    method,
    path: new RegExp(`^${path}$`),
    handle,
  });
  const batch = "/v1/messages/batches/([^/]+)";
  const file = "/v1/files/([^/]+)";
  return [
    route("POST", "/v1/messages/batches", batches.create),
    route("GET", "/v1/messages/batches", batches.list),
    route("GET", batch, (_, id) => batches.get(id)),
    route("DELETE", batch, (_, id) => batches.delete(id)),
    route("POST", `${batch}/cancel`, (_, id) => batches.cancel(id)),
    route("GET", `${batch}/results`, (_, id) => batches.results(id)),
    route("POST", "/v1/files", files.upload),
    route("GET", "/v1/files", files.list),
    route("GET", file, (_, id) => files.get(id)),
    route("DELETE", file, (_, id) => files.delete(id)),
    route("GET", `${file}/content`, (_, id) => files.content(id)),
  ];
}

/** The key comes as `x-api-key`, which wins, or as a bearer token. */
function authenticate(headers: Headers): void {
  const key = headers.get("x-api-key");
  const bearer = /^Bearer (.+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (key === null && bearer === undefined) {
    throw new AnthropicError("authentication_error", "x-api-key header is required");
  }
  if ((key ?? bearer) !== sandboxKeys.anthropic) {
    throw new AnthropicError(
      "authentication_error",
      key !== null ? "invalid x-api-key" : "Invalid bearer token",
    );
  }
}

function checkVersion(version: string | null): void {
  if (version === null) {
    throw new AnthropicError("invalid_request_error", "anthropic-version: header is required");
  }
  if (!versions.has(version)) {
    throw new AnthropicError(
      "invalid_request_error",
      `anthropic-version: "${version}" is not a valid version`,
    );
  }
}
