/**
 * Amazon Bedrock's batch API, simulated: the control plane here, the data in the simulated S3 of
 * the same store. A job moves on by the clock, whenever someone asks for it.
 *
 * Gaps: results appear in S3 with the first request about the job after its end, not by themselves;
 * roles, VPCs and encryption keys are checked only by their form.
 * By design: an account may have nine digits and a job one record, as in examples in the field,
 * unless the sandbox is strict; any model id of the right form exists; records whose id begins with
 * `error-` fail.
 */
import { createHash } from "node:crypto";
import { renderBedrockError } from "../codecs/bedrock_errors.ts";
import { Failure } from "../codecs/failure.ts";
import { decodeKey, parseRawQuery } from "../codecs/uri.ts";
import { invalid } from "./bedrock/constraints.ts";
import { createJobs } from "./bedrock/jobs.ts";
import {
  type BedrockHandler,
  createJob,
  getJob,
  listJobs,
  listTags,
  stopJob,
  tagResource,
  untagResource,
} from "./bedrock/operations.ts";
import type { Json, SandboxContext, SandboxRequest, Simulator } from "./context.ts";
import { parseJson } from "./json.ts";
import { authenticateBedrock } from "./s3/signature.ts";

/** Each operation by method and raw path; a job identifier is one segment, its slash escaped. */
const routes: readonly (readonly [method: string, path: RegExp, BedrockHandler])[] = [
  ["POST", /^\/model-invocation-job$/, createJob],
  ["GET", /^\/model-invocation-job\/([^/]+)$/, getJob],
  ["POST", /^\/model-invocation-job\/([^/]+)\/stop$/, stopJob],
  ["GET", /^\/model-invocation-jobs$/, listJobs],
  ["POST", /^\/tagResource$/, tagResource],
  ["POST", /^\/untagResource$/, untagResource],
  ["POST", /^\/listTagsForResource$/, listTags],
];

const maxBodyBytes = 1024 * 1024;

/** Makes the simulated Bedrock. */
export function createBedrock(context: SandboxContext): Simulator {
  const jobs = createJobs(context);
  return async (request) => {
    const requestId = newRequestId(context);
    try {
      const body = await carryOut(request);
      return Response.json(body, { headers: { "x-amzn-requestid": requestId } });
    } catch (error) {
      // Anything else is a fault of the simulation, which its server reports.
      if (!(error instanceof Failure)) throw error;
      const { status, headers, body } = renderBedrockError(error, requestId);
      return new Response(body, { status, headers });
    }
  };

  async function carryOut(request: SandboxRequest): Promise<Json> {
    const { method, path } = request;
    const bytes = await readBody(request.body);
    const payloadHash = createHash("sha256").update(bytes).digest("hex");
    const { region } = authenticateBedrock(request, payloadHash, context.now());
    for (const [wanted, pattern, handler] of routes) {
      const found = method === wanted ? pattern.exec(path) : null;
      if (found === null) continue;
      const identifier = decodeKey(found[1] ?? "");
      if (identifier === undefined) throw invalid("The path has a broken percent-escape.");
      const query = new Map(parseRawQuery(request.query));
      return await handler({ context, jobs, region, identifier, query, body: readJson(bytes) });
    }
    throw new Failure("not-found", `There is no operation ${method} at this path.`, {
      bedrock: "UnknownOperationException",
    });
  }
}

async function readBody(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes) throw invalid("The request is larger than 1 MiB.");
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** No body is as good as an empty object. */
function readJson(bytes: Uint8Array): Json {
  if (bytes.length === 0) return {};
  const document = parseJson(new TextDecoder().decode(bytes));
  if (document === undefined) {
    throw new Failure("invalid", "The body is not JSON.", { bedrock: "SerializationException" });
  }
  return document;
}

/** An opaque id in the form of a UUID. */
function newRequestId({ id }: SandboxContext): string {
  return [8, 4, 4, 4, 12].map((length) => id(length)).join("-");
}
