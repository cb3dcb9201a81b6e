/** Everything that the gateway answers, by path. */
import { Hono } from "@hono/hono";
import { Failure } from "../codecs/failure.ts";
import { authenticate } from "./authenticate.ts";
import { type BedrockRouteDeps, bedrockRoutes, createBedrock } from "./bedrock/mod.ts";
import { type Audit, type Context, newAudit } from "./context.ts";
import { health, type HealthDeps, readiness } from "./ops/health.ts";
import { createS3, type S3RouteDeps } from "./s3/mod.ts";
import { type Target, targetOf } from "./target.ts";

/** Where the Bedrock API is; S3 is at `files` below it. */
const bedrockMount = "/bedrock";
const s3Mount = `${bedrockMount}/files`;

/** What the gateway's answers are made from. */
export interface AppDeps extends S3RouteDeps, BedrockRouteDeps, HealthDeps {
  readonly requestId: () => string;
  /** Told of every request that was answered. */
  readonly answered: (answer: Answered) => void;
}

/** A request that was answered. */
export interface Answered {
  readonly requestId: string;
  readonly accessKeyId: string | null;
  readonly tenant: string | null;
  readonly audit: Audit;
  readonly status: number;
}

/** Answers a request. The signal is aborted when the client goes away. */
export type App = (request: Request, signal: AbortSignal) => Promise<Response>;

/** What Hono carries from the door to a handler. */
interface Carried {
  readonly Bindings: { readonly context: Context };
}

/** Makes the gateway's answers: Bedrock, S3 below it, and what operators ask. */
export function createApp(deps: AppDeps): App {
  const app = newHono();
  const s3 = createS3(deps, s3Mount);
  app.all(`${s3Mount}/*`, (c) => s3(c.env.context));
  const bedrock = createBedrock(deps, bedrockMount);
  for (const route of bedrockRoutes) {
    app.on(route.method, `${bedrockMount}${route.path}`, (c) => bedrock(route)(c.env.context));
  }
  app.all(`${bedrockMount}/*`, (c) => bedrock(undefined)(c.env.context));
  app.get("/healthz", () => health());
  app.get("/readyz", () => readiness(deps));
  app.notFound(() =>
    plain(404, "Batchway speaks S3 at /bedrock/files and the Bedrock batch API at /bedrock.")
  );
  return door(deps, app);
}

/** Makes the answers of the second listener: S3 at the root. */
export function createRootApp(deps: AppDeps): App {
  const app = newHono();
  const s3 = createS3(deps, "");
  app.all("*", (c) => s3(c.env.context));
  return door(deps, app);
}

function newHono(): Hono<Carried> {
  // Routes are matched on the raw path: a decoded one would take %2F in an ARN for a separator.
  const getPath = (_: Request, options?: { env?: Carried["Bindings"] }) =>
    options?.env?.context.target.path ?? "/";
  return new Hono<Carried>({ getPath });
}

/** What happens to each request before its route and after its answer. */
function door(deps: AppDeps, app: Hono<Carried>): App {
  return async (request, signal) => {
    const requestId = deps.requestId();
    const audit = newAudit();
    let target: Target;
    try {
      target = targetOf(request);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return await finish(request, plain(400, error.message));
    }
    const principal = authenticate(request.headers, target);
    const context: Context = { request, target, requestId, principal, signal, audit };
    const response = await app.fetch(request, { context });
    const { accessKeyId, tenant } = principal;
    deps.answered({ requestId, accessKeyId, tenant, audit, status: response.status });
    return await finish(request, response);
  };
}

/** A body that nobody read would stall the client, or the next request on its connection. */
async function finish(request: Request, response: Response): Promise<Response> {
  if (request.body && !request.body.locked && !request.bodyUsed) await request.body.cancel();
  if (isAnsweredAtOnce(request.headers)) response.headers.set("connection", "close");
  return response;
}

/**
 * Whether the client waits for a 100 that never comes: none is sent for a body of no bytes (Deno
 * 2.9.6). Then botocore before 1.44 misreads the next answer on the same connection and waits in vain
 * for the rest of it (awscli 1.46.3, measured 2026-11-23).
 */
function isAnsweredAtOnce(headers: Headers): boolean {
  return headers.has("expect") && headers.get("content-length") === "0";
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain" } });
}
