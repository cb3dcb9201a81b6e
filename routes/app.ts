/** Everything that the gateway answers, by path. Whoever asks is known before anything is looked at. */
import { Hono } from "@hono/hono";
import { renderBedrockError } from "../codecs/bedrock_errors.ts";
import { Failure } from "../codecs/failure.ts";
import { s3Error } from "../codecs/s3_errors.ts";
import type { RateLimit } from "../access/rate_limit.ts";
import { authenticate, type AuthenticateDeps, type Service } from "./authenticate.ts";
import { type BedrockRouteDeps, bedrockRoutes, createBedrock } from "./bedrock/mod.ts";
import { type Audit, type Context, newAudit } from "./context.ts";
import { checkHead } from "./head_limits.ts";
import { health, type HealthDeps, readiness } from "./ops/health.ts";
import { type Connection, finish } from "./finish.ts";
import type { Principal } from "./principal.ts";
import { controlBody } from "./request_body.ts";
import { addressOf } from "./s3/address.ts";
import { createS3, refuseS3, type S3RouteDeps } from "./s3/mod.ts";
import { type Target, targetOf } from "./target.ts";

/** Where the Bedrock API is; S3 is at `files` below it. */
const bedrockMount = "/bedrock";
const s3Mount = `${bedrockMount}/files`;
/** The one path that anybody may ask: whether the process serves. */
const healthPath = "/healthz";

/** What the gateway's answers are made from. */
export interface AppDeps extends S3RouteDeps, BedrockRouteDeps, HealthDeps, AuthenticateDeps {
  readonly rateLimit: RateLimit;
  readonly requestId: () => string;
  /** Told of every request once its answer has gone out, or the client has gone. */
  readonly answered: (answer: Answered) => void;
}

/** A request that was answered. */
export interface Answered {
  readonly requestId: string;
  readonly accessKeyId: string | null;
  readonly tenant: string | null;
  readonly audit: Audit;
  readonly status: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

/** Answers a request. */
export type App = (request: Request, connection: Connection) => Promise<Response>;

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
  app.get(healthPath, () => health());
  app.get("/readyz", () => readiness(deps));
  app.notFound(() =>
    plain(404, "Batchway speaks S3 at /bedrock/files and the Bedrock batch API at /bedrock.")
  );
  return door(deps, app, (path) => {
    if (isBelow(path, s3Mount)) return { service: "s3", mount: s3Mount };
    return { service: isBelow(path, bedrockMount) ? "bedrock" : "ops", mount: "" };
  });
}

/** Makes the answers of the second listener: S3 at the root. */
export function createRootApp(deps: AppDeps): App {
  const app = newHono();
  const s3 = createS3(deps, "");
  app.all("*", (c) => s3(c.env.context));
  return door(deps, app, () => ({ service: "s3", mount: "" }));
}

function isBelow(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`);
}

function newHono(): Hono<Carried> {
  // Routes are matched on the raw path: a decoded one would take %2F in an ARN for a separator.
  const getPath = (_: Request, options?: { env?: Carried["Bindings"] }) =>
    options?.env?.context.target.path ?? "/";
  return new Hono<Carried>({ getPath });
}

/** Which of the gateway's faces a path belongs to, and where that is mounted. */
type FaceOf = (path: string) => { readonly service: Service; readonly mount: string };

/** What happens to each request before its route and after its answer. */
function door(deps: AppDeps, app: Hono<Carried>, faceOf: FaceOf): App {
  return async (request, connection) => {
    const startedAt = performance.now();
    const requestId = deps.requestId();
    const audit = newAudit();
    let principal: Principal | undefined;
    const answer = async (): Promise<Response> => {
      let target: Target;
      try {
        target = targetOf(request);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return plain(400, error.message);
      }
      const { service, mount } = faceOf(target.path);
      try {
        checkHead(request.headers, target);
        const readBody = controlBody(request, audit, deps);
        principal = service === "ops" && target.path === healthPath
          ? nobody
          : await authenticate(deps, {
            request,
            target,
            service,
            readBody,
            resource: () => {
              const { bucket, path } = addressOf(target, mount, deps.s3Domains);
              return bucket === undefined ? target.path : path;
            },
          });
        takeTurn(deps.rateLimit, principal);
        const { signal } = connection;
        const context = { request, target, requestId, principal, signal, audit, readBody };
        return await app.fetch(request, { context });
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return await refusals[service](error, request, target, requestId);
      }
    };
    const response = await answer();
    return finish(request, response, connection, (bytesOut) => {
      const { accessKeyId = null, tenant = null } = principal ?? {};
      const durationMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
      const { status } = response;
      deps.answered({ requestId, accessKeyId, tenant, audit, status, bytesOut, durationMs });
    });
  };
}

/** Who asks for `/healthz`. */
const nobody: Principal = {
  accessKeyId: null,
  tenant: "",
  providers: [],
  buckets: [],
  readOnly: true,
  native: false,
  region: undefined,
};

/** Counts a request against its principal's rate. Throws `throttled` where that is used up. */
function takeTurn(rateLimit: RateLimit, { accessKeyId }: Principal): void {
  const wait = rateLimit.take(accessKeyId ?? "");
  if (wait === undefined) return;
  throw new Failure("throttled", "The access key sends more requests a second than it may", {
    s3: "SlowDown",
    retryAfterSeconds: wait,
  });
}

type Refuse = (
  failure: Failure,
  request: Request,
  target: Target,
  requestId: string,
) => Response | Promise<Response>;

/** How each face says no before a route is found. */
const refusals: Readonly<Record<Service, Refuse>> = {
  s3: (failure, request, target, requestId) => refuseS3(failure, request, target, requestId),
  bedrock: (failure, _request, _target, requestId) => {
    const { status, headers, body } = renderBedrockError(failure, requestId);
    return new Response(body, { status, headers });
  },
  ops: (failure) => {
    const { status, retryAfterSeconds } = s3Error(failure);
    const response = plain(status, failure.message);
    if (retryAfterSeconds !== undefined) {
      response.headers.set("retry-after", `${retryAfterSeconds}`);
    }
    return response;
  },
};

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain" } });
}
