/**
 * The Bedrock batch API: the four job operations and tags. Requests for a provider that speaks
 * Bedrock itself are forwarded.
 */
import { renderBedrockError } from "../../codecs/bedrock_errors.ts";
import { Failure } from "../../codecs/failure.ts";
import { checkWrite, reachElsewhere, reachOf } from "../authorize.ts";
import type { Broken, Context } from "../context.ts";
import { answerText } from "../text_answer.ts";
import { explained } from "../explain_choice.ts";
import { noteUpstreamError } from "../upstream_error.ts";
import type { SelectDeps } from "../select_provider.ts";
import { answerJson, type BedrockDeps, type BedrockHandler } from "./handler.ts";
import { forwardJobs } from "./forward.ts";
import { createJob, getJob, listTags, stopJob, tagResource, untagResource } from "./jobs.ts";
import { listJobs } from "./list_jobs.ts";
import { selectJobProvider } from "./select_job_provider.ts";

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

/** Dependencies of the Bedrock routes. */
export interface BedrockRouteDeps extends BedrockDeps, SelectDeps {
  /** Receives failures whose reason is hidden from clients. */
  readonly broken: Broken;
}

/** Makes what answers one route's requests. */
export function createBedrock(deps: BedrockRouteDeps, mount: string) {
  return (route: Route | undefined) => async (context: Context): Promise<Response> => {
    try {
      return await answer(deps, mount, route, context);
    } catch (error) {
      const response = refuseBedrock(error, context);
      if (response.status >= 500) deps.broken(context, error);
      return response;
    }
  };
}

/** Answers with a failure in Bedrock's words. */
export function refuseBedrock(
  failure: unknown,
  { requestId, audit }: Pick<Context, "requestId" | "audit">,
): Response {
  const { status, headers, body, code } = renderBedrockError(failure, requestId);
  audit.errorCode = code;
  return answerText(body, headers, status);
}

/** Returns which operation a request is, below the mount; null where it is not one of them. */
export function bedrockOperation(method: string, path: string): string | null {
  const parts = path.split("/");
  const isThat = (route: Route) => {
    const pattern = route.path.split("/");
    return route.method === method && pattern.length === parts.length &&
      pattern.every((one, at) => one === parts[at] || (one === ":id" && parts[at] !== ""));
  };
  return bedrockRoutes.find(isThat)?.operation ?? null;
}

async function answer(
  deps: BedrockRouteDeps,
  mount: string,
  route: Route | undefined,
  context: Context,
): Promise<Response> {
  const { principal, requestId, audit } = context;
  if (!route) {
    throw new Failure(
      "not-found",
      "The Bedrock batch API has no operation of this method and path here",
      { bedrock: "UnknownOperationException" },
    );
  }
  audit.operation = route.operation;
  checkWrite(principal, route.operation);
  const { provider, implied } = await selectJobProvider(deps, route.operation, context);
  audit.provider = provider.name;
  const bytes = await context.readBody();
  const { forward } = provider;
  if (forward) {
    const sending = { provider: forward, mount, context, body: bytes, jobs: deps.jobs };
    return await explained(
      implied,
      async () => noteUpstreamError(await forwardJobs(sending, route.operation), audit),
    );
  }
  const reach = { ...reachElsewhere(principal, deps), ...reachOf(principal, provider.stores) };
  const body = bytes.length === 0 ? undefined : parse(bytes);
  const reply = await route.handler({ ...context, deps, reach, body });
  return answerJson(reply, { "x-amzn-requestid": requestId });
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
