/**
 * The dashboard: pages for people who run the gateway or use it. Each page is made on the server and
 * works without scripts; what it does goes through the services that the APIs use.
 */
import { Failure } from "../../codecs/failure.ts";
import { s3Error } from "../../codecs/s3_errors.ts";
import { checkWrite } from "../authorize.ts";
import type { Context } from "../context.ts";
import { anyone, type Api } from "../entry.ts";
import { stopJob } from "./actions.ts";
import { answerAsset, goTo } from "./answer.ts";
import { script, style } from "./assets.ts";
import { createAttempts } from "./attempts.ts";
import { problemPage } from "./problem_page.tsx";
import { readForm, sealForm } from "./forms.ts";
import { createIdentities, type Identities } from "./identify.ts";
import { jobPage } from "./job_page.tsx";
import { jobsPage } from "./jobs_page.tsx";
import { keysPage } from "./keys_page.tsx";
import { createStreams, type Streams } from "./live.ts";
import { livePage } from "./live_pages.ts";
import { downloadObject, objectPage } from "./object_page.tsx";
import { objectsPage } from "./objects_page.tsx";
import { providersPage } from "./providers_page.tsx";
import { rerunFailed } from "./rerun.ts";
import { refusedPage } from "./refused_page.tsx";
import { usagePage } from "./usage_page.tsx";
import { type DashboardDeps, type PageHandler, paths, readFields } from "./request.ts";
import { endSession, startSession } from "./session.ts";
import { goToSignIn, problemOf, safePath, signInPage } from "./sign_in.tsx";

/** Pages by their paths. */
const pages: ReadonlyMap<string, PageHandler> = new Map<string, PageHandler>([
  [paths.jobs, jobsPage],
  [paths.job, jobPage],
  [paths.objects, objectsPage],
  [paths.object, objectPage],
  [paths.download, downloadObject],
  [paths.providers, providersPage],
  [paths.usage, usagePage],
  [paths.keys, keysPage],
  [paths.refused, refusedPage],
]);

/** What forms do, by their paths. A read-only key may send none of them. */
const actions: ReadonlyMap<string, PageHandler> = new Map<string, PageHandler>([
  [paths.stop, stopJob],
  [paths.rerun, rerunFailed],
]);

/** What is asked for at a path, in the audit of a request that was refused before its handler. */
const operations: ReadonlyMap<string, string> = new Map([
  [paths.jobs, "ListModelInvocationJobs"],
  [paths.job, "GetModelInvocationJob"],
  [paths.objects, "ListObjectsV2"],
  [paths.object, "GetObject"],
  [paths.download, "GetObject"],
  [paths.providers, "ListProviders"],
  [paths.usage, "GetUsage"],
  [paths.keys, "ListKeys"],
  [paths.refused, "ListRefusals"],
  [paths.stop, "StopModelInvocationJob"],
  [paths.rerun, "CreateModelInvocationJob"],
  [paths.signIn, "SignIn"],
  [paths.signOut, "SignOut"],
]);

/** Returns whether a request is for the dashboard. */
export function isDashboard(method: string, path: string): boolean {
  if (path === paths.jobs) return method === "GET" || method === "HEAD";
  return path.startsWith("/dashboard/");
}

/** Makes the dashboard's api. */
export function createDashboard(deps: DashboardDeps): Api {
  const identities = createIdentities(deps, createAttempts(deps.uptime));
  const streams = createStreams();
  return {
    service: "ops",
    mount: "",
    identify: identities.identify,
    answer: (context) => answer({ deps, identities, streams }, context),
    describe: (_, { path }) => ({ operation: operations.get(path) ?? null }),
    async refuse(failure, { target, audit }) {
      const { code, message, status: s3Status } = s3Error(failure);
      const isThrottled = failure instanceof Failure && failure.kind === "throttled";
      // S3 has no 429; browsers and people know it.
      const status = isThrottled ? 429 : s3Status;
      audit.errorCode = code;
      const known = failure instanceof Failure ? problemOf(failure, status) : { status, message };
      if (target.path !== paths.signIn) return await problemPage(known);
      // A sign-in that fails is shown where it is tried again.
      return await signInPage(deps, readFields(target.query).get("to") ?? "", known);
    },
  };
}

/** What all requests share. */
interface Shared {
  readonly deps: DashboardDeps;
  readonly identities: Identities;
  readonly streams: Streams;
}

async function answer(
  { deps, identities, streams }: Shared,
  context: Context,
): Promise<Response> {
  const { request, target: { path, query }, principal } = context;
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (path === paths.style && isRead) return answerAsset(style, "text/css; charset=utf-8");
  if (path === paths.script && isRead) return answerAsset(script, "text/javascript; charset=utf-8");
  const fields = readFields(query);
  const isSecure = isOverTls(request, deps.trustProxy ?? false);
  if (path === paths.signIn) {
    const to = fields.get("to") ?? "";
    const credential = identities.signedIn(request);
    if (!credential) return await signInPage(deps, to);
    const cookie = startSession(deps, credential, isSecure);
    return goTo(safePath(to), { "set-cookie": cookie });
  }
  if (principal === anyone) {
    if (!isRead) throw endedSession();
    return goToSignIn(path, query);
  }
  const session = identities.session(request);
  const page = { ...context, deps, query: fields, formToken: sealForm(deps, session) };
  if (isRead && path === paths.live) {
    const live = { ...page, form: new Map<string, string>() };
    return livePage(streams, live, () => identities.senderNow(context));
  }
  if (isRead) {
    const handler = pages.get(path) ?? notThere(path);
    return await handler({ ...page, form: new Map() });
  }
  const form = await readForm(deps, context, session);
  if (path === paths.signOut) {
    context.audit.operation = "SignOut";
    return goTo(paths.signIn, { "set-cookie": endSession(isSecure) });
  }
  const action = actions.get(path) ?? notThere(path);
  checkWrite(principal, undefined);
  return await action({ ...page, form });
}

/**
 * Returns whether the browser reaches the gateway over TLS, by a proxy's word where that is
 * trusted.
 */
function isOverTls(request: Request, trustProxy: boolean): boolean {
  if (request.url.startsWith("https:")) return true;
  return trustProxy && request.headers.get("x-forwarded-proto")?.trim() === "https";
}

function endedSession(): Failure {
  return new Failure("denied", "The session has ended. Sign in and repeat what you did");
}

function notThere(path: string): never {
  throw new Failure("not-found", `The dashboard has no page ${path.slice(0, 100)}`);
}
