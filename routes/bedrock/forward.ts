/**
 * Job operations that are forwarded. AWS sees only the gateway's own credentials, so a principal of
 * certain buckets is held to the jobs of those buckets here.
 */
import { isObject, type JsonObject, memberOf } from "../../codecs/json_object.ts";
import { allowsBucket } from "../../access/policy.ts";
import { Failure } from "../../codecs/failure.ts";
import { parseS3Uri } from "../../codecs/s3_uri.ts";
import { encodeUri } from "../../codecs/uri.ts";
import { cancelUnread } from "../../runtime/unread.ts";
import type { JobId } from "../../codecs/ids.ts";
import type { ForwardedReservation } from "../../jobs/forwarded_quota.ts";
import type { Jobs } from "../../jobs/jobs.ts";
import { checkForwardedTags } from "../../jobs/plan.ts";
import type { ForwardingProvider } from "../../providers/provider.ts";
import { checkUri } from "../authorize.ts";
import type { Context, Principal } from "../context.ts";
import { answerJson, jobIdentifier } from "./handler.ts";

/** A request on its way, and what is needed to send it. */
export interface Sending {
  readonly provider: ForwardingProvider;
  readonly mount: string;
  readonly context: Context;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly jobs: Pick<Jobs, "remember" | "forwardedQuota">;
}

/** Forwards a request, where its principal may send it. */
export async function forwardJobs(sending: Sending, operation: string): Promise<Response> {
  if (operation !== "CreateModelInvocationJob") return await forwarded(sending, operation);
  checkForwardedTags(memberOf(parsed(sending.body), "tags"), sending.provider.name);
  const reservation = await reserve(sending);
  let isTaken = false;
  try {
    const response = await forwarded(toItsEnd(plainly(sending)), operation);
    isTaken = response.ok;
    return isTaken ? await remembered(sending, response, reservation?.id) : response;
  } finally {
    if (reservation?.isNew && !isTaken) await giveBack(sending, reservation.id);
  }
}

/** AWS's answer to a create is waited for no longer, in milliseconds. */
const createMilliseconds = 120_000;

/**
 * Lets a create go on where its client has gone: AWS may have taken it, and a job that is not
 * remembered would run uncounted.
 */
function toItsEnd(sending: Sending): Sending {
  const { context } = sending;
  context.signal.throwIfAborted();
  return { ...sending, context: { ...context, signal: AbortSignal.timeout(createMilliseconds) } };
}

/** Writes a create again whose key has limits: of a member that came twice AWS might read the other. */
function plainly(sending: Sending): Sending {
  const requested = parsed(sending.body);
  if (!sending.context.principal.limits || !requested) return sending;
  return { ...sending, body: new TextEncoder().encode(JSON.stringify(requested)) };
}

/** Reserves a job of its access key's limits; undefined where it has none. */
async function reserve(
  { provider, context, body, jobs }: Sending,
): Promise<ForwardedReservation | undefined> {
  const { tenant, accessKeyId, limits } = context.principal;
  if (accessKeyId === null || !limits) return undefined;
  const requested = parsed(body);
  // The gateway is about to read the input with its own rights.
  for (const uri of requested ? urisWithin(requested) : []) checkUri(context.principal, uri);
  const input = memberOf(memberOf(requested, "inputDataConfig"), "s3InputDataConfig");
  return await jobs.forwardedQuota.reserve({
    tenant,
    forward: provider,
    accessKeyId,
    limits,
    region: context.principal.region,
    token: memberOf(requested, "clientRequestToken"),
    modelId: memberOf(requested, "modelId"),
    input: memberOf(input, "s3Uri"),
    owner: memberOf(input, "s3BucketOwner"),
    body,
  }, context.signal);
}

async function giveBack({ provider, context, jobs }: Sending, id: JobId): Promise<void> {
  const { tenant } = context.principal;
  await jobs.forwardedQuota.giveBack({ tenant, provider: provider.name }, id);
}

/**
 * Remembers a job that AWS has taken, before its client knows of it: what the job used is counted once
 * it is over. Where that fails the client is asked to try again, and AWS answers a repeated token with
 * the same job.
 */
async function remembered(
  { provider, context, body, jobs }: Sending,
  response: Response,
  reservation: JobId | undefined,
): Promise<Response> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const arn = parsed(bytes)?.["jobArn"];
  const requested = parsed(body);
  if (typeof arn === "string" && requested) {
    const { tenant, accessKeyId } = context.principal;
    const output = memberOf(memberOf(requested, "outputDataConfig"), "s3OutputDataConfig");
    await jobs.remember({
      provider: provider.name,
      arn,
      tenant,
      accessKeyId,
      modelId: memberOf(requested, "modelId"),
      output: memberOf(output, "s3Uri"),
      owner: memberOf(output, "s3BucketOwner"),
      reservation,
    });
    context.audit.job = arn.slice(-12);
  }
  return new Response(bytes, response);
}

async function forwarded(sending: Sending, operation: string): Promise<Response> {
  if (!sending.context.principal.buckets) return await send(sending);
  const limited = Object.hasOwn(limits, operation) ? limits[operation] : undefined;
  if (limited) return await limited(sending);
  throw new Failure("denied", `An access key for certain buckets may not use ${operation}`);
}

/** How each operation is held to the principal's buckets. */
const limits: Readonly<Record<string, (sending: Sending) => Promise<Response>>> = {
  CreateModelInvocationJob: create,
  GetModelInvocationJob: async (sending) => shown(sending, await send(sending)),
  StopModelInvocationJob: (sending) => sendOf(sending, jobIdentifier(sending.context)),
  ListModelInvocationJobs: list,
  ListTagsForResource: ofResource,
  TagResource: ofResource,
  UntagResource: ofResource,
};

async function create(sending: Sending): Promise<Response> {
  const { principal } = sending.context;
  const requested = parsed(sending.body);
  const [input, output] = requested ? urisOf(requested) : [];
  if (!requested || input === undefined || output === undefined) {
    throw new Failure("invalid", "The request must name the s3Uri of its input and of its output");
  }
  for (const uri of urisWithin(requested)) checkUri(principal, uri);
  // Written again, as where there are limits.
  const body = new TextEncoder().encode(JSON.stringify(requested));
  return await send({ ...sending, body });
}

async function list(sending: Sending): Promise<Response> {
  const response = await send(sending);
  if (!response.ok) return response;
  const page = await jobOf(response);
  const summaries = page?.["invocationJobSummaries"];
  const kept = (Array.isArray(summaries) ? summaries : []).filter((job: unknown) =>
    isObject(job) && isVisible(sending.context.principal, job)
  );
  const requestId = response.headers.get("x-amzn-requestid") ?? sending.context.requestId;
  return answerJson({ ...page, invocationJobSummaries: kept }, { "x-amzn-requestid": requestId });
}

async function ofResource(sending: Sending): Promise<Response> {
  const arn = parsed(sending.body)?.["resourceARN"];
  if (typeof arn !== "string") {
    throw new Failure("invalid", "resourceARN must be the ARN of a model invocation job");
  }
  const body = new TextEncoder().encode(JSON.stringify(parsed(sending.body)));
  return await sendOf({ ...sending, body }, arn);
}

/** Sends a request on that is about a job, once it is certain that the job is the principal's. */
async function sendOf(sending: Sending, identifier: string): Promise<Response> {
  const { provider, context: { principal, signal } } = sending;
  const job = await provider.forward({
    service: "bedrock",
    method: "GET",
    path: `/model-invocation-job/${encodeUri(identifier, false)}`,
    query: "",
    headers: new Headers(),
    body: null,
    region: principal.region,
  }, signal);
  const answer = await shown(sending, job);
  if (!answer.ok) return answer;
  await cancelUnread(answer.body);
  return await send(sending);
}

/**
 * AWS's answer to a look at a job; throws `not-found` for a job that is not the principal's. What
 * else AWS says, such as that it is asked too often, reveals nothing of the job and is passed on.
 */
async function shown({ context }: Sending, response: Response): Promise<Response> {
  if (!response.ok && response.status !== 404) return response;
  const job = response.ok ? await jobOf(response.clone()) : undefined;
  if (job && isVisible(context.principal, job)) return response;
  await cancelUnread(response.body);
  // Also for AWS's own 404: other words would reveal which jobs there are.
  throw unknown();
}

async function send({ provider, mount, context, body }: Sending): Promise<Response> {
  const { request: { method, headers }, target, principal, signal } = context;
  return await provider.forward({
    service: "bedrock",
    method,
    path: target.path.slice(mount.length),
    query: target.query,
    headers,
    body: body.length === 0 ? null : body,
    region: principal.region,
    signedHeaders: principal.signedHeaders,
  }, signal);
}

async function jobOf(response: Response): Promise<JsonObject | undefined> {
  return parsed(new Uint8Array(await response.arrayBuffer()));
}

function parsed(body: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // The caller decides what that means.
  }
}

function isVisible(principal: Principal, job: JsonObject): boolean {
  return urisOf(job).every((uri) => {
    const bucket = uri === undefined ? undefined : parseS3Uri(uri)?.bucket;
    return bucket !== undefined && allowsBucket(principal, bucket);
  });
}

/** The s3Uri of a job's input and of its output. */
function urisOf(job: JsonObject): (string | undefined)[] {
  return [
    ["inputDataConfig", "s3InputDataConfig"] as const,
    ["outputDataConfig", "s3OutputDataConfig"] as const,
  ].map(([outer, inner]) => {
    const config = memberOf(memberOf(job, outer), inner);
    const uri = memberOf(config, "s3Uri");
    return typeof uri === "string" ? uri : undefined;
  });
}

/** Every s3Uri of a create, wherever it stands: AWS may come to take more of them than are known here. */
function urisWithin(value: unknown, name?: string): string[] {
  if (typeof value === "string") {
    return name === "s3Uri" || /^\s*s3:\/\/|^arn:[^:]*:s3/i.test(value) ? [value] : [];
  }
  if (Array.isArray(value)) return value.flatMap((one) => urisWithin(one, name));
  if (!isObject(value)) return [];
  return Object.entries(value).filter(([key]) => key !== "tags")
    .flatMap(([key, one]) => urisWithin(one, key));
}

function unknown(): Failure {
  return new Failure("not-found", "There is no such job among those of the access key's buckets");
}
