/** Everything that the gateway answers, by path. */
import { Hono } from "@hono/hono";
import {
  lostService,
  mainUrl,
  type Ports,
  type RequestedService,
  wrongEndpoint,
} from "./requested_service.ts";
import { checkPort } from "./auth/link_port.ts";
import { addressOf } from "./s3/address.ts";
import type { Service } from "./auth/credential_proof.ts";
import {
  bedrockOperation,
  type BedrockRouteDeps,
  bedrockRoutes,
  createBedrock,
  refuseBedrock,
} from "./bedrock/mod.ts";
import type { Context } from "./context.ts";
import { createDashboard, isDashboard } from "./dashboard/mod.ts";
import type { DashboardDeps } from "./dashboard/request.ts";
import {
  type Api,
  type App,
  createEntry,
  type EntryDeps,
  healthPath,
  isStranger,
  plain,
  readyPath,
} from "./entry.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { showMetrics } from "./ops/admin_app.ts";
import { health, type ReadinessPage } from "./ops/health.ts";
import { createKeyRoutes, type KeyRouteDeps, keysOperation, keysPath } from "./ops/keys.ts";
import { refusePlainly } from "./ops/refuse.ts";
import type { RecentRefusals } from "./ops/refusals.ts";
import { usage, type UsageDeps } from "./ops/usage.ts";
import { createOtherServices, isForOtherService } from "./other_services.ts";
import { createS3, requestedOperation, type S3RouteDeps } from "./s3/mod.ts";
import { createRefusal } from "./s3/refuse.ts";

/** Where the Bedrock API is; S3 is at `files` below it. */
const bedrockMount = "/bedrock";
const s3Mount = `${bedrockMount}/files`;

/** Dependencies of the gateway's answers. */
export interface AppDeps
  extends S3RouteDeps, BedrockRouteDeps, KeyRouteDeps, UsageDeps, EntryDeps, DashboardDeps {
  readonly metrics: Pick<Metrics, "render">;
  readonly readiness: ReadinessPage;
  /** Refused requests, for the dashboard. */
  readonly refusals: RecentRefusals;
  /** Of the listeners, once they listen. */
  readonly ports: () => Ports;
}

/** Values that Hono carries from the entry to a handler. */
interface Carried {
  readonly Bindings: { readonly context: Context };
}

/** Makes the gateway's answers: Bedrock, S3 below it, and what operators ask. */
export function createApp(deps: AppDeps): App {
  const app = newHono();
  const bedrock = createBedrock(deps, bedrockMount);
  for (const route of bedrockRoutes) {
    app.on(route.method, `${bedrockMount}${route.path}`, (c) => bedrock(route)(c.env.context));
  }
  app.all(`${bedrockMount}/*`, (c) => bedrock(undefined)(c.env.context));
  app.get(healthPath, () => health());
  app.get(readyPath, (c) => {
    const { readiness } = deps;
    return isStranger(c.env.context.principal) ? readiness.word() : readiness.whole();
  });
  app.get("/metrics", () => showMetrics(deps.metrics));
  const keyRoutes = createKeyRoutes(deps);
  for (const path of [keysPath, `${keysPath}/`, `${keysPath}/:id`]) {
    app.all(path, (c) => keyRoutes(c.env.context));
  }
  app.get("/usage", (c) => usage(deps, c.env.context));
  app.notFound(() =>
    plain(404, "Batchway speaks S3 at /bedrock/files and the Bedrock batch API at /bedrock.")
  );
  const routed = async (context: Context) => await app.fetch(context.request, { context });
  const apis: Readonly<Record<Service, Api>> = {
    sts: createOtherServices(deps),
    // The query decides which operation a request of S3 is, not a pattern of paths.
    s3: s3Api(deps, s3Mount),
    bedrock: {
      service: "bedrock",
      mount: bedrockMount,
      answer: routed,
      refuse: refuseBedrock,
      describe: describeBedrock,
    },
    ops: {
      service: "ops",
      mount: "",
      answer: routed,
      refuse: refusePlainly,
      describe: ({ method }, { path }) => ({
        operation: isBelow(path, keysPath) ? keysOperation(method, path) : null,
      }),
    },
  };
  const lost = lostApis(deps);
  const dashboard = createDashboard(deps);
  return createEntry(deps, (target, request) => {
    const { path } = target;
    if (opsPaths.has(path) || isBelow(path, keysPath)) return apis.ops;
    if (isForOtherService(request, target)) return apis.sts;
    const api = isBelow(path, s3Mount)
      ? apis.s3
      : isBelow(path, bedrockMount)
      ? apis.bedrock
      : apis.ops;
    const requested = lostService(request, target, api.service);
    if (requested !== undefined) return lost[requested];
    return isDashboard(request.method, path) ? dashboard : api;
  });
}

/** Paths of operators are answered whatever service the request is signed for. */
const opsPaths: ReadonlySet<string> = new Set([healthPath, readyPath, "/metrics", "/usage"]);

/**
 * Returns the APIs that answer clients of a wrong endpoint: in the service's words, with the right
 * one.
 */
function lostApis(deps: AppDeps): Readonly<Record<RequestedService, Api>> {
  const api = (service: RequestedService, path: string, refuse: Api["refuse"]): Api => ({
    service,
    mount: "",
    answer({ request, target }) {
      throw wrongEndpoint(service, mainUrl(request, target, path, deps.ports()));
    },
    refuse,
  });
  return {
    s3: api("s3", s3Mount, createRefusal(deps, "")),
    bedrock: api("bedrock", bedrockMount, refuseBedrock),
  };
}

/** Makes the answers of the second listener: S3 at the root. */
export function createRootApp(deps: AppDeps): App {
  const s3 = s3Api(deps, "");
  const { bedrock } = lostApis(deps);
  const sts = createOtherServices(deps);
  return createEntry(deps, (target, request) => {
    if (isForOtherService(request, target)) return sts;
    return lostService(request, target, "s3") === undefined ? s3 : bedrock;
  });
}

function s3Api(deps: AppDeps, mount: string): Api {
  const answer = createS3(deps, mount);
  return {
    service: "s3",
    mount,
    async answer(context) {
      const ports = deps.ports();
      // Without a second port no path means two things, and this is on the way of every request.
      if (ports.s3 !== undefined) {
        const address = addressOf(context.target, mount, deps.s3Domains);
        checkPort(context.target, address, { mount, otherMount: s3Mount, ports });
      }
      const response = await answer(context);
      if (isForPeople(context.request.headers)) {
        response.headers.set("content-security-policy", "sandbox");
      }
      return response;
    },
    refuse: createRefusal(deps, mount),
    describe: ({ method, headers }, target) => {
      const { operation, address } = requestedOperation(deps, mount, method, headers, target);
      const { bucket = null, key = null } = address;
      return { operation: operation ?? null, bucket, key };
    },
  };
}

/**
 * Returns whether a browser asks for a page. An object may be one, with a script that would act as
 * the person who is signed in to the dashboard, as both have one origin: it is shown without its
 * scripts.
 */
function isForPeople(headers: Headers): boolean {
  return headers.has("sec-fetch-dest") || headers.get("accept")?.includes("text/html") === true;
}

function isBelow(path: string, mount: string): boolean {
  return path === mount || path.startsWith(`${mount}/`);
}

function newHono(): Hono<Carried> {
  // Routes are matched on the raw path: a decoded one would take %2F in an ARN for a separator.
  const getPath = (_: Request, options?: { env?: Carried["Bindings"] }) =>
    options?.env?.context.target.path ?? "/";
  // What goes wrong is the entry's to render.
  return new Hono<Carried>({ getPath }).onError((error) => {
    throw error;
  });
}

const describeBedrock: NonNullable<Api["describe"]> = ({ method }, { path }) => ({
  operation: bedrockOperation(method, path.slice(bedrockMount.length)),
});
