/** The simulated OpenAI: Files, Uploads and Batches. */
import {
  type SandboxContext,
  sandboxKeys,
  type SandboxRequest,
  type Simulator,
} from "../context.ts";
import { batchOperations } from "./batches.ts";
import type { Operation } from "./call.ts";
import { OpenAIError } from "./errors.ts";
import { createFileStore } from "./file_store.ts";
import { fileOperations } from "./files.ts";
import { uploadOperations } from "./uploads.ts";

/** Makes the simulated OpenAI; it is mounted where `/v1` begins. */
export function createOpenAI(context: SandboxContext): Simulator {
  const store = createFileStore(context);
  const files = fileOperations(store, context);
  const uploads = uploadOperations(store, context);
  const batches = batchOperations(store, context);
  const routes: readonly [method: string, path: RegExp, operation: Operation][] = [
    ["POST", /^\/files$/, files.create],
    ["GET", /^\/files$/, files.list],
    ["GET", /^\/files\/([^/]+)$/, files.retrieve],
    ["DELETE", /^\/files\/([^/]+)$/, files.remove],
    ["GET", /^\/files\/([^/]+)\/content$/, files.content],
    ["POST", /^\/uploads$/, uploads.create],
    ["POST", /^\/uploads\/([^/]+)\/parts$/, uploads.addPart],
    ["POST", /^\/uploads\/([^/]+)\/complete$/, uploads.complete],
    ["POST", /^\/uploads\/([^/]+)\/cancel$/, uploads.cancel],
    ["POST", /^\/batches$/, batches.create],
    ["GET", /^\/batches$/, batches.list],
    ["GET", /^\/batches\/([^/]+)$/, batches.retrieve],
    ["POST", /^\/batches\/([^/]+)\/cancel$/, batches.cancel],
  ];

  const answer = async (request: SandboxRequest): Promise<Response> => {
    authorize(request.headers.get("authorization"));
    const { method, path } = request;
    const atPath = routes.filter(([, pattern]) => pattern.test(path));
    const route = atPath.find(([allowed]) => allowed === method);
    if (route === undefined) {
      throw atPath.length > 0
        ? new OpenAIError(405, `Not allowed to ${method} on this URL.`, {
          code: "method_not_supported",
        })
        : new OpenAIError(404, `Invalid URL (${method} /v1${path})`);
    }
    const [, pattern, operation] = route;
    const id = pattern.exec(path)?.[1] ?? "";
    return await operation({ request, id, query: new URLSearchParams(request.query) });
  };

  return async (request) => {
    let response: Response;
    try {
      response = await answer(request);
    } catch (error) {
      if (!(error instanceof OpenAIError)) throw error;
      await request.body?.cancel().catch(() => {});
      response = Response.json(error.toJson(), { status: error.status });
    }
    response.headers.set("x-request-id", `req_${context.id(32)}`);
    response.headers.set("openai-version", "2020-10-01");
    response.headers.set("openai-processing-ms", "1");
    return response;
  };
}

function authorize(header: string | null): void {
  const key = /^Bearer (.+)$/.exec(header ?? "")?.[1];
  if (key === undefined) {
    throw new OpenAIError(401, "You didn't provide an API key in an Authorization header.");
  }
  if (key !== sandboxKeys.openai) {
    throw new OpenAIError(401, "Incorrect API key provided.", { code: "invalid_api_key" });
  }
}
