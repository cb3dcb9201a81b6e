/**
 * The entry that every request comes through. Its sender is known before a route is looked up, so
 * that no route can be forgotten; and every request leaves one line for the audit.
 */
import type { RateLimit } from "../access/rate_limit.ts";
import { Failure } from "../codecs/failure.ts";
import { s3Error } from "../codecs/s3_errors.ts";
import { hasPassed, hopHeader, isLoop } from "../codecs/hops.ts";
import { type Note, tracedRequest } from "../runtime/tracing.ts";
import type { Service } from "./auth/credential_proof.ts";
import { authenticate, type AuthenticateDeps, hasProof } from "./authenticate.ts";
import { type Audit, type Broken, type Context, newAudit, type Principal } from "./context.ts";
import { type Connection, finish } from "./finish.ts";
import { claimedKeyId, clientAddress, userAgentOf } from "./claims.ts";
import { checkHead, type Target, targetOf } from "./target.ts";
import { type BodyDeps, controlBody } from "./body.ts";
import { addressOf } from "./s3/address.ts";
import { answerText } from "./text_answer.ts";

/** Dependencies of the entry. */
export interface EntryDeps extends AuthenticateDeps, BodyDeps {
  readonly rateLimit: RateLimit;
  /** This gateway's id, as its own calls carry it. */
  readonly hop: string;
  readonly requestId: () => string;
  /** Called for every request once its answer has gone out, or the client has gone. */
  readonly answered: (answer: Answered) => void;
  readonly broken: Broken;
  /** Takes note that an access key has proven a request; nowhere where absent. */
  readonly lastUse?: { saw(accessKeyId: string): void };
  /** Whether the last entry of `X-Forwarded-For` is the client's address; false where absent. */
  readonly trustProxy?: boolean;
}

/** A request that was answered. */
export interface Answered {
  readonly requestId: string;
  /** Of a sender who could not prove it, the id that was claimed. */
  readonly accessKeyId: string | null;
  readonly tenant: string | null;
  readonly audit: Audit;
  readonly status: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly clientAddress: string | null;
  readonly userAgent: string | null;
}

/** Answers a request. */
export type App = (request: Request, connection: Connection) => Promise<Response>;

/** One of the gateway's apis: what it speaks, where, and how it refuses before a route is found. */
export interface Api {
  readonly service: Service;
  readonly mount: string;
  readonly answer: (context: Context) => Response | Promise<Response>;
  /** Answers with an error, and sets `errorCode` in the audit. */
  readonly refuse: (failure: unknown, refused: Refused) => Response | Promise<Response>;
  /** Finds the sender in another way than by a signature. Throws a refusal for one who may not. */
  readonly identify?: (unproven: Unproven) => Promise<Principal>;
  /** What a request asks for, as far as its head says so. It may throw. */
  readonly describe?: (request: Request, target: Target) => Partial<Audit>;
}

/** A request that is refused, perhaps before its sender is known. */
export type Refused = Pick<Context, "request" | "target" | "requestId" | "audit">;

/** A request whose sender is not known yet. */
export interface Unproven extends Refused, Pick<Context, "readBody" | "clientAddress"> {
  /** Notes for the audit who the sender claims to be, in case it is refused. */
  readonly claim: (accessKeyId: string | null) => void;
}

/** A path that is open to anyone: whether the process serves. */
export const healthPath = "/healthz";
/** Open to anyone, too, who then learns one word: whether it can do its work. */
export const readyPath = "/readyz";

/** One request, and what becomes known of it until its audit line is written. */
interface Exchange extends Pick<Context, "request" | "requestId" | "signal" | "audit"> {
  readonly clientAddress: string | null;
  readonly startedAt: number;
  /** Absent until the sender is known. */
  principal?: Principal;
  /** Who the sender claims to be; null where that is not known. */
  claimedId: string | null;
}

/** Makes the entry to the APIs that paths belong to. */
export function createEntry(
  deps: EntryDeps,
  apiOf: (target: Target, request: Request) => Api,
): App {
  const respond = async (request: Request, connection: Connection, note: Note) => {
    const exchange: Exchange = {
      request,
      requestId: deps.requestId(),
      signal: connection.signal,
      audit: newAudit(),
      clientAddress: clientAddress(request.headers, connection.peer, deps.trustProxy ?? false),
      startedAt: performance.now(),
      claimedId: null,
    };
    const { audit } = exchange;
    const response = await answer(deps, apiOf, exchange);
    note({
      "http.response.status_code": response.status,
      "batchway.operation": audit.operation ?? undefined,
      "batchway.provider": audit.provider ?? undefined,
      // A refusal is the client's error, and not one of this span.
      ...(response.status >= 500 && { "error.type": audit.errorCode ?? `${response.status}` }),
    });
    return await finish(request, response, connection, (bytesOut) => {
      deps.answered(answeredOf(exchange, response.status, bytesOut));
    });
  };
  return (request, connection) =>
    tracedRequest(request, (note) => respond(request, connection, note));
}

/** Answers a request, or refuses it in the words of its API. */
async function answer(
  deps: EntryDeps,
  apiOf: (target: Target, request: Request) => Api,
  exchange: Exchange,
): Promise<Response> {
  const { request, requestId, signal, audit } = exchange;
  let target: Target;
  try {
    target = targetOf(request);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    audit.errorCode = s3Error(error).code;
    return plain(400, error.message);
  }
  const api = apiOf(target, request);
  try {
    return await admitted(deps, api, target, exchange);
  } catch (error) {
    const isExpected = error instanceof Failure && error.kind !== "internal";
    if (!isExpected) deps.broken({ requestId, signal }, error);
    if (!exchange.principal) exchange.claimedId ??= claimedKeyId(request.headers, target);
    describe(api, request, target, audit);
    const refusal = await api.refuse(error, { request, target, requestId, audit });
    // The gateway's own look for itself knows it by its id.
    if (isLoop(error)) refusal.headers.set(hopHeader, deps.hop);
    return refusal;
  }
}

/** Answers a request once its sender is known and may send it. Throws why it is refused. */
async function admitted(
  deps: EntryDeps,
  api: Api,
  target: Target,
  exchange: Exchange,
): Promise<Response> {
  const { request, requestId, signal, audit, clientAddress } = exchange;
  checkHead(request.headers, target);
  checkLoop(request.headers, deps.hop);
  const readBody = controlBody(request, audit, deps);
  const parts = { request, target, requestId, audit, readBody, clientAddress };
  const principal = await senderOf(deps, api, {
    ...parts,
    claim: (accessKeyId) => (exchange.claimedId = accessKeyId),
  });
  exchange.principal = principal;
  if (principal.accessKeyId !== null) deps.lastUse?.saw(principal.accessKeyId);
  takeTurn(deps.rateLimit, principal);
  return await api.answer({ ...parts, principal, signal });
}

/** Returns what the audit line says of a request. */
function answeredOf(
  { request, requestId, audit, clientAddress, startedAt, principal, claimedId }: Exchange,
  status: number,
  bytesOut: number,
): Parameters<EntryDeps["answered"]>[0] {
  const sender = principal === anyone ? undefined : principal;
  const { accessKeyId = claimedId, tenant = null } = sender ?? {};
  return {
    requestId,
    accessKeyId,
    tenant,
    audit,
    status,
    bytesOut,
    durationMs: Math.round((performance.now() - startedAt) * 1000) / 1000,
    clientAddress,
    userAgent: userAgentOf(request.headers),
  };
}

/** Characters of a bucket's and a key's name that are kept of a refused request. */
const longestNames = { bucket: 256, key: 1_024 } as const;

/** Fills in what a request asked for that was refused before its handler could. */
function describe(api: Api, request: Request, target: Target, audit: Audit): void {
  if (audit.operation !== null || !api.describe) return;
  try {
    const { operation = null, bucket = null, key = null } = api.describe(request, target);
    audit.operation = operation;
    audit.bucket ??= bucket && bucket.slice(0, longestNames.bucket);
    audit.key ??= key && key.slice(0, longestNames.key);
  } catch (error) {
    // What cannot be read says nothing; the refusal itself says why.
    if (!(error instanceof Failure)) throw error;
  }
}

/** The sender of a request that is open to anyone, such as `/healthz`; it is never limited. */
export const anyone: Principal = {
  accessKeyId: null,
  tenant: "",
  providers: [],
  buckets: [],
  readOnly: true,
  native: false,
  region: undefined,
};

async function senderOf(
  deps: EntryDeps,
  { service, mount, identify }: Api,
  unproven: Unproven,
): Promise<Principal> {
  if (identify) return await identify(unproven);
  const { request, target, readBody } = unproven;
  if (service === "ops" && target.path === healthPath) return anyone;
  const isOpen = service === "ops" && target.path === readyPath && request.method === "GET" &&
    !hasProof(request.headers, target);
  const resource = () => {
    const { bucket, path } = addressOf(target, mount, deps.s3Domains);
    return bucket === undefined ? target.path : path;
  };
  const sender = authenticate(deps, { request, target, service, resource, readBody });
  return await (isOpen ? sender.catch(strangerIfRefused) : sender);
}

/** Returns the sender of a refused proof on a path that is open to anyone. */
function strangerIfRefused(error: unknown): Principal {
  if (error instanceof Failure && error.kind === "denied") return anyone;
  throw error;
}

/**
 * Returns whether a sender is not known, and was let in only because the path is open to anyone.
 */
export function isStranger(principal: Principal): boolean {
  return principal === anyone;
}

/** Throws LoopDetected for a request that this gateway has sent: its signature is not a client's. */
function checkLoop(headers: Headers, hop: string): void {
  if (!hasPassed(headers.get(hopHeader), hop)) return;
  throw new Failure(
    "invalid",
    "The request has passed this gateway already: one of its upstreams leads back to it. Set the " +
      "provider's endpoint or base URL to the provider's own address",
    { s3: "LoopDetected", bedrock: "LoopDetected" },
  );
}

/** Counts a request against its principal's rate. Throws `throttled` where that is used up. */
function takeTurn(rateLimit: RateLimit, principal: Principal): void {
  // Strangers must not use up what a load balancer's checks need.
  if (principal === anyone) return;
  const wait = rateLimit.take(principal.accessKeyId ?? "");
  if (wait === undefined) return;
  throw new Failure("throttled", "The access key sends more requests a second than it may", {
    s3: "SlowDown",
    retryAfterSeconds: wait,
  });
}

/** An answer in plain text. */
export function plain(status: number, text: string): Response {
  return answerText(`${text}\n`, { "content-type": "text/plain" }, status);
}
