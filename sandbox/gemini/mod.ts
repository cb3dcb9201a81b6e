/**
 * A simulated Gemini Developer API: Files and Batch, in versions `v1beta` and `v1`.
 *
 * Gaps: metadata-only files, `files:register`, `PATCH` of batches, webhooks; raw uploads.
 * By design: models that are not of Gemini (`model/known.ts`) are not found; records that fail are known by
 * their key or model (`answers.ts`); a list of batches leaves inline results out.
 */
import {
  sandboxKeys,
  type SandboxRequest,
  type Simulator,
  type SimulatorFactory,
} from "../context.ts";
import { createBatches } from "./batches.ts";
import { errorResponse, GoogleError } from "./errors.ts";
import { createFiles } from "./files.ts";
import { createRecords, createTurns, type Gemini } from "./records.ts";
import { createUploads } from "./uploads.ts";

interface Route {
  readonly method: string;
  /** On the path below the mount; its groups are the parameters, decoded. */
  readonly path: RegExp;
  readonly handle: (request: SandboxRequest, ...parameters: string[]) => Promise<Response>;
}

/** Makes a simulated Gemini. */
export const createGemini: SimulatorFactory = (context): Simulator => {
  const gemini: Gemini = { context, records: createRecords(context.store), inTurn: createTurns() };
  const uploads = createUploads(gemini);
  const routes = routesOf(gemini, uploads.create);

  const answer = async (request: SandboxRequest): Promise<Response> => {
    const session = new URLSearchParams(request.query).get("upload_id");
    if (session !== null && request.path.startsWith("/upload/")) {
      return await uploads.session(request, session);
    }
    authenticate(request);
    for (const { method, path, handle } of routes) {
      const match = method === request.method ? path.exec(request.path) : null;
      if (match !== null) return await handle(request, ...match.slice(1).map(decode));
    }
    throw new GoogleError("NOT_FOUND", "There is no such method in this simulation.");
  };

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (error instanceof GoogleError) return errorResponse(error);
      throw error;
    } finally {
      // Unless it is read, the client would wait for ever to send it all.
      if (request.body?.locked === false) await request.body.cancel();
    }
  };
};

function routesOf(gemini: Gemini, upload: Route["handle"]): readonly Route[] {
  const files = createFiles(gemini);
  const batches = createBatches(gemini);
  const version = "^/v1(?:beta)?";
  const models = `${version}/((?:models|tunedModels)/[^/:]+)`;
  const route = (method: string, path: string, handle: Route["handle"]): Route => ({
    method,
    path: new RegExp(`${path}$`),
    handle,
  });
  const download: Route["handle"] = (_, id = "") => files.download(id);
  return [
    route("POST", "^/upload/v1(?:beta)?/files", upload),
    route("GET", `${version}/files`, files.list),
    route("GET", `${version}/files/([^/:]+):download`, download),
    route("GET", "^/download/v1(?:beta)?/files/([^/:]+):download", download),
    route("GET", `${version}/files/([^/:]+)`, (_, id = "") => files.get(id)),
    route("DELETE", `${version}/files/([^/:]+)`, (_, id = "") => files.delete(id)),
    route(
      "POST",
      `${models}:batchGenerateContent`,
      (request, model = "") => batches.create(request, model, "generateContent"),
    ),
    route(
      "POST",
      `${models}:asyncBatchEmbedContent`,
      (request, model = "") => batches.create(request, model, "embedContent"),
    ),
    route("GET", `${version}/batches`, batches.list),
    route("GET", `${version}/batches/([^/:]+)`, (_, id = "") => batches.get(id)),
    route("POST", `${version}/batches/([^/:]+):cancel`, (_, id = "") => batches.cancel(id)),
    route("DELETE", `${version}/batches/([^/:]+)`, (_, id = "") => batches.delete(id)),
  ];
}

/** The real API answers 400 to a wrong key, and 403 to none. */
function authenticate(request: SandboxRequest): void {
  const key = request.headers.get("x-goog-api-key") ??
    new URLSearchParams(request.query).get("key");
  if (key === null || key === "") {
    throw new GoogleError(
      "PERMISSION_DENIED",
      "Method doesn't allow unregistered callers (callers without established identity). " +
        "Please use API Key or other form of API consumer identity to call this API.",
    );
  }
  if (key !== sandboxKeys.gemini) {
    throw new GoogleError("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", {
      reason: "API_KEY_INVALID",
    });
  }
}

function decode(parameter: string): string {
  try {
    return decodeURIComponent(parameter);
  } catch {
    throw new GoogleError("INVALID_ARGUMENT", "The path is not properly encoded.");
  }
}
