/** The operations of the simulated Bedrock's batch API. */
import { Buffer } from "node:buffer";
import { jobArn, parseJobArn } from "../../codecs/arn.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { jobId } from "../../codecs/ids.ts";
import type { Json, SandboxContext } from "../context.ts";
import { type JsonObject, list, object, string } from "../json.ts";
import { invalid, validate } from "./constraints.ts";
import { type Job, jobView, phaseAt } from "./job.ts";
import type { Jobs } from "./jobs.ts";
import { hasModel } from "../model/known.ts";
import {
  createRequest,
  jobRequest,
  listRequest,
  listTagsRequest,
  tagRequest,
  untagRequest,
} from "./requests.ts";

/** A verified request. */
export interface BedrockCall {
  readonly context: SandboxContext;
  readonly jobs: Jobs;
  /** The region that the caller signed for. */
  readonly region: string;
  /** The decoded job identifier of the path; empty where the path has none. */
  readonly identifier: string;
  readonly query: ReadonlyMap<string, string>;
  readonly body: Json;
}

/** Carries out an operation and gives the body of its answer. */
export type BedrockHandler = (call: BedrockCall) => Promise<JsonObject>;

/** The account that owns all jobs here. */
const account = "123456789012";
const maxTags = 200;

/**
 * Creates a job. A repeated `clientRequestToken` gives the job that it created, as AWS's guide says
 * ("Bedrock ignores the request, but does not return an error"), whatever the parameters are now:
 * clients in the field send one constant token with all their jobs (llmbo 0.2.4).
 */
export const createJob: BedrockHandler = async ({ context, jobs, region, body }) => {
  validate(body, createRequest(context.options.strict));
  const given = object(body);
  const clientRequestToken = string(given.clientRequestToken);
  const known = clientRequestToken === undefined
    ? undefined
    : jobs.byToken(clientRequestToken, region);
  if (known !== undefined) return { jobArn: known.arn };
  if (!hasModel("bedrock", string(given.modelId) ?? "")) {
    throw invalid("The provided model identifier is invalid.");
  }
  const tags = tagsOf(given.tags);
  const id = context.id(12);
  const arn = jobArn({ region, account, jobId: jobId(id) });
  const text = (name: string) => string(given[name]) ?? "";
  const { vpcConfig, timeoutDurationInHours } = given;
  jobs.add({
    id,
    arn,
    region,
    jobName: text("jobName"),
    modelId: text("modelId"),
    roleArn: text("roleArn"),
    ...(clientRequestToken === undefined ? {} : { clientRequestToken }),
    input: given.inputDataConfig as unknown as Job["input"],
    output: given.outputDataConfig as unknown as Job["output"],
    ...(vpcConfig === undefined || vpcConfig === null ? {} : { vpcConfig }),
    ...(typeof timeoutDurationInHours === "number" ? { timeoutDurationInHours } : {}),
    modelInvocationType: given.modelInvocationType === "Converse" ? "Converse" : "InvokeModel",
    tags,
    submitTime: context.now().toISOString(),
  });
  return await Promise.resolve({ jobArn: arn });
};

/** Answers with a job. */
export const getJob: BedrockHandler = async (call) => {
  const { context } = call;
  return jobView(await requireJob(call), context.now().getTime(), context.options);
};

/** Asks a job to stop; ConflictException where it is over or stopping already. */
export const stopJob: BedrockHandler = async (call) => {
  const { context, jobs } = call;
  const job = await requireJob(call);
  const now = context.now();
  const status = job.end?.status ?? phaseAt(job, now.getTime(), context.options).status;
  if (isTerminal(status) || status === "Stopping") {
    throw new Failure("conflict", `The job cannot be stopped: its status is ${status}.`, {
      bedrock: "ConflictException",
    });
  }
  jobs.change(job.id, { stopTime: now.toISOString() });
  return {};
};

const usualMaxResults = 100;

/** Lists jobs, newest first unless asked otherwise. */
export const listJobs: BedrockHandler = async ({ context, jobs, region, query }) => {
  const maxResults = query.get("maxResults");
  const request: JsonObject = Object.fromEntries(query);
  if (maxResults !== undefined && /^-?\d+$/.test(maxResults)) {
    request.maxResults = Number(maxResults);
  }
  validate(request, listRequest);
  const now = context.now().getTime();
  const time = (name: string, otherwise: number) => {
    const text = query.get(name);
    return text === undefined ? otherwise : Date.parse(text);
  };
  const after = time("submitTimeAfter", -Infinity);
  const before = time("submitTimeBefore", Infinity);
  const status = query.get("statusEquals");
  const name = query.get("nameContains") ?? "";
  const all = await jobs.list(region);
  if (query.get("sortOrder") !== "Ascending") all.reverse();
  const token = query.get("nextToken");
  const start = token === undefined ? 0 : all.findIndex(({ id }) => sealed(id) === token) + 1;
  if (token !== undefined && start === 0) throw invalid("The nextToken is not valid.");
  const wanted = all.slice(start).filter((job) => {
    const submitted = Date.parse(job.submitTime);
    return submitted >= after && submitted <= before && job.jobName.includes(name) &&
      (status === undefined || jobView(job, now, context.options).status === status);
  });
  const page = wanted.slice(0, Number(maxResults ?? usualMaxResults));
  const last = wanted.length > page.length ? page.at(-1) : undefined;
  return {
    invocationJobSummaries: page.map((job) => jobView(job, now, context.options)),
    ...(last === undefined ? {} : { nextToken: sealed(last.id) }),
  };
};

const sealed = (id: string): string => Buffer.from(`after ${id}`).toString("base64url");

/** Adds tags to a job; those of the same key are replaced. */
export const tagResource: BedrockHandler = async (call) => {
  validate(call.body, tagRequest);
  const job = await taggedJob(call);
  const tags = { ...job.tags, ...tagsOf(object(call.body).tags) };
  if (Object.keys(tags).length > maxTags) {
    throw new Failure("invalid", `A job can have at most ${maxTags} tags.`, {
      bedrock: "TooManyTagsException",
    });
  }
  call.jobs.change(job.id, { tags });
  return {};
};

/** Removes tags from a job. */
export const untagResource: BedrockHandler = async (call) => {
  validate(call.body, untagRequest);
  const job = await taggedJob(call);
  const gone = list(object(call.body).tagKeys);
  const tags = Object.fromEntries(Object.entries(job.tags).filter(([key]) => !gone.includes(key)));
  call.jobs.change(job.id, { tags });
  return {};
};

/** Lists a job's tags. */
export const listTags: BedrockHandler = async (call) => {
  validate(call.body, listTagsRequest);
  const { tags } = await taggedJob(call);
  return { tags: Object.entries(tags).map(([key, value]) => ({ key, value })) };
};

async function requireJob({ jobs, region, identifier }: BedrockCall): Promise<Job> {
  validate({ jobIdentifier: identifier }, jobRequest);
  const id = identifier.slice(identifier.lastIndexOf("/") + 1);
  const job = await jobs.find(id, region);
  if (job === undefined || (identifier !== id && identifier !== job.arn)) {
    throw new Failure("not-found", "The specified model invocation job was not found.", {
      bedrock: "ResourceNotFoundException",
    });
  }
  return job;
}

async function taggedJob(call: BedrockCall): Promise<Job> {
  const arn = string(object(call.body).resourceARN) ?? "";
  if (parseJobArn(arn) === undefined) throw invalid("The resourceARN is not that of a job.");
  return await requireJob({ ...call, identifier: arn });
}

function tagsOf(given: Json | undefined): Record<string, string> {
  const tags = list(given).map((tag): [string, string] => {
    const { key, value } = object(tag);
    return [string(key) ?? "", string(value) ?? ""];
  });
  if (new Set(tags.map(([key]) => key)).size < tags.length) {
    throw invalid("Each tag key can be given once.");
  }
  return Object.fromEntries(tags);
}
