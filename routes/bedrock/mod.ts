/**
 * The Bedrock batch API: the four job operations and tags. Requests for a provider that speaks
 * Bedrock itself are forwarded.
 */
import { Buffer } from "node:buffer";
import { renderBedrockError } from "../../codecs/bedrock_errors.ts";
import { Failure } from "../../codecs/failure.ts";
import { withIdleLimit } from "../../codecs/idle_limit.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import type { Context } from "../context.ts";
import { type SelectDeps, selectProvider } from "../select_provider.ts";
import type { BedrockDeps, BedrockHandler } from "./handler.ts";
import { createJob, getJob, stopJob } from "./jobs.ts";
import { listJobs } from "./list_jobs.ts";
import { listTags, tagResource, untagResource } from "./tags.ts";

/** A route: Hono's pattern below the mount, and the operation in the service model's words. */
interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly operation: string;
  readonly handler: BedrockHandler;
}

/** Every operation that is offered. */
export const bedrockRoutes: readonly Route[] = [
  route("POST", "/model-invocation-job", "CreateModelInvocationJob", createJob),
  route("GET", "/model-invocation-job/:id", "GetModelInvocationJob", getJob),
  route("POST", "/model-invocation-job/:id/stop", "StopModelInvocationJob", stopJob),
  route("GET", "/model-invocation-jobs", "ListModelInvocationJobs", listJobs),
  route("POST", "/listTagsForResource", "ListTagsForResource", listTags),
  route("POST", "/tagResource", "TagResource", tagResource),
  route("POST", "/untagResource", "UntagResource", untagResource),
];

/** What the Bedrock routes are made from. */
export interface BedrockRouteDeps extends BedrockDeps, SelectDeps {
  readonly idleMilliseconds: number;
  /** Told of failures that no client is told the reason of. */
  readonly broken: (context: Context, error: unknown) => void;
}

/** 200 tags of full length and all other members at their greatest stay well below this. */
const maxBodyBytes = 1024 * 1024;

/** Makes what answers one route's requests. */
export function createBedrock(deps: BedrockRouteDeps, mount: string) {
  return (route: Route | undefined) => async (context: Context): Promise<Response> => {
    try {
      return await answer(deps, mount, route, context);
    } catch (error) {
      const { status, headers, body } = renderBedrockError(error, context.requestId);
      if (status >= 500) deps.broken(context, error);
      return new Response(body, { status, headers });
    }
  };
}

async function answer(
  deps: BedrockRouteDeps,
  mount: string,
  route: Route | undefined,
  context: Context,
): Promise<Response> {
  const { request, principal, requestId, audit } = context;
  if (!route) {
    throw new Failure(
      "not-found",
      "The Bedrock batch API has no operation of this method and path here",
      { bedrock: "UnknownOperationException" },
    );
  }
  audit.operation = route.operation;
  const provider = selectProvider(deps, request.headers, undefined);
  audit.provider = provider.name;
  const bytes = await readBody(request, deps.idleMilliseconds);
  if (provider.forwards) return await forward(provider, mount, context, bytes);
  const reach = { tenant: principal.tenant, native: principal.native, provider };
  const body = bytes.length === 0 ? undefined : parse(bytes);
  const reply = await route.handler({ ...context, deps, reach, body });
  return Response.json(reply, { headers: { "x-amzn-requestid": requestId } });
}

async function forward(
  provider: ForwardingProvider,
  mount: string,
  { request, target, principal, signal }: Context,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  return await provider.forward({
    service: "bedrock",
    method: request.method,
    path: target.path.slice(mount.length),
    query: target.query,
    headers: request.headers,
    body: bytes.length === 0 ? null : bytes,
    region: principal.region,
  }, signal);
}

async function readBody(
  { body }: Request,
  idleMilliseconds: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ? withIdleLimit(body, idleMilliseconds) : []) {
    size += chunk.length;
    // Leaving the loop cancels the rest.
    if (size > maxBodyBytes) {
      throw new Failure("invalid", `The request's body is larger than ${maxBodyBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Failure("invalid", "The request's body is not valid JSON", { cause: error });
  }
}

function route(
  method: Route["method"],
  path: string,
  operation: string,
  handler: BedrockHandler,
): Route {
  return { method, path, operation, handler };
}
