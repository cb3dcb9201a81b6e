/** The operations on one job: create, get, stop and tags; and a job in Bedrock's JSON. */
import { memberOf } from "../../codecs/json_object.ts";
import type { JobEntry } from "../../catalog/entries.ts";
import { arnAccount, jobArn, parseJobArn } from "../../codecs/arn.ts";
import { Failure } from "../../codecs/failure.ts";
import { messageOfEnd } from "../../jobs/end_message.ts";
import { validateCreate, validateTagKeys, validateTags } from "../../jobs/validate.ts";
import { checkUri } from "../authorize.ts";
import { type BedrockRequest, jobIdentifier, WrittenJson } from "./handler.ts";

/** Answers made of jobs that have not changed since. */
const answers = new WeakMap<JobEntry, WrittenJson>();

/** Creates a job, or answers with the one that the same create made before. */
export async function createJob(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, body, audit, signal } = request;
  const requested = validateCreate(body);
  checkUri(principal, requested.inputDataConfig.s3InputDataConfig.s3Uri);
  checkUri(principal, requested.outputDataConfig.s3OutputDataConfig.s3Uri);
  const job = await deps.jobs.create(reach, principal.region, requested, signal).catch(refuseInput);
  audit.job = job.id;
  audit.account = accountOf(job);
  return { jobArn: arnOf(job) };
}

/**
 * The path of a create names nothing: what its provider does not find, such as an input file that
 * was deleted at the provider, is a mistake in its parameters.
 */
function refuseInput(error: unknown): never {
  if (!(error instanceof Failure) || error.kind !== "not-found") throw error;
  throw new Failure("invalid", error.message, { cause: error });
}

/** Answers with a job as it is now. */
export async function getJob(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, audit, signal } = request;
  const job = await deps.jobs.get(reach, principal.region, jobIdentifier(request), signal);
  audit.job = job.id;
  audit.account = accountOf(job);
  const written = answers.get(job) ?? new WrittenJson(jobJson(job));
  answers.set(job, written);
  return written;
}

/** Asks for a job to be stopped. */
export async function stopJob(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, audit, signal } = request;
  const job = await deps.jobs.stop(reach, principal.region, jobIdentifier(request), signal);
  audit.job = job.id;
  audit.account = accountOf(job);
  return {};
}

/** The job's one ARN, the same from create, get and list. */
export function arnOf(job: JobEntry): string {
  return jobArn({ region: job.region, account: arnAccount, jobId: job.id });
}

/**
 * A job in Bedrock's JSON. Times are ISO strings, which every SDK reads (the JS SDK throws on a
 * number); what is not known is left out.
 */
export function jobJson(job: JobEntry): Record<string, unknown> {
  const { counts } = job;
  return {
    jobArn: arnOf(job),
    jobName: job.name,
    modelId: job.modelId,
    clientRequestToken: job.clientRequestToken,
    roleArn: job.roleArn,
    status: job.status,
    // Jobs of older versions may have ended without one.
    message: messageOfEnd(job),
    submitTime: time(job.submittedAt),
    lastModifiedTime: time(job.modifiedAt),
    endTime: time(job.endedAt),
    jobExpirationTime: time(job.expiresAt),
    inputDataConfig: job.inputDataConfig,
    outputDataConfig: job.outputDataConfig,
    vpcConfig: job.vpcConfig,
    timeoutDurationInHours: job.timeoutDurationInHours,
    modelInvocationType: job.modelInvocationType,
    totalRecordCount: counts?.total,
    processedRecordCount: counts?.processed,
    successRecordCount: counts?.success,
    errorRecordCount: counts?.error,
  };
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString();
}

/** Answers with a job's tags. */
export async function listTags(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, signal } = request;
  const tags = await deps.jobs.tags(reach, resourceOf(request), signal);
  return { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
}

/** Adds and changes tags. */
export async function tagResource(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, signal } = request;
  const tags = validateTags(memberOf(request.body, "tags"));
  await deps.jobs.tag(reach, resourceOf(request), tags, signal);
  return {};
}

/** Takes tags away. */
export async function untagResource(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, signal } = request;
  const names = validateTagKeys(memberOf(request.body, "tagKeys"));
  await deps.jobs.untag(reach, resourceOf(request), names, signal);
  return {};
}

function resourceOf(request: BedrockRequest): string {
  const arn = memberOf(request.body, "resourceARN");
  const parsed = typeof arn === "string" ? parseJobArn(arn) : undefined;
  if (!parsed) {
    throw new Failure("invalid", "resourceARN must be the ARN of a model invocation job");
  }
  request.audit.job = parsed.jobId;
  return arn as string;
}

/** The account that a job's batch is at; null for a job of shards. */
function accountOf({ plan }: JobEntry): string | null {
  return plan.kind === "sharded" ? null : plan.account;
}
