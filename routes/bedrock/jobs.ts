/** CreateModelInvocationJob, GetModelInvocationJob and StopModelInvocationJob. */
import type { JobEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { validateCreate } from "../../jobs/validate.ts";
import { checkUri } from "../authorize.ts";
import { WrittenJson } from "./answer.ts";
import { type BedrockRequest, jobIdentifier } from "./handler.ts";
import { arnOf, jobJson } from "./job_json.ts";

/** What was answered with a job that has not changed since. */
const answers = new WeakMap<JobEntry, WrittenJson>();

/** Creates a job, or answers with the one that the same create made before. */
export async function createJob(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, body, audit, signal } = request;
  const asked = validateCreate(body);
  checkUri(principal, asked.inputDataConfig.s3InputDataConfig.s3Uri);
  checkUri(principal, asked.outputDataConfig.s3OutputDataConfig.s3Uri);
  const job = await deps.jobs.create(reach, principal.region, asked, signal).catch(refuseInput);
  audit.job = job.id;
  audit.account = job.account;
  return { jobArn: arnOf(job) };
}

/**
 * The path of a create names nothing: what its provider does not find, such as an input file that
 * was deleted by other means, is a mistake in its parameters.
 */
function refuseInput(error: unknown): never {
  if (!(error instanceof Failure) || error.kind !== "not-found") throw error;
  throw new Failure("invalid", error.message, { cause: error });
}

/** Tells of a job as it is now. */
export async function getJob(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, audit, signal } = request;
  const job = await deps.jobs.get(reach, principal.region, jobIdentifier(request), signal);
  audit.job = job.id;
  audit.account = job.account;
  const written = answers.get(job) ?? new WrittenJson(jobJson(job));
  answers.set(job, written);
  return written;
}

/** Asks for a job to be stopped. */
export async function stopJob(request: BedrockRequest): Promise<unknown> {
  const { deps, reach, principal, audit, signal } = request;
  const job = await deps.jobs.stop(reach, principal.region, jobIdentifier(request), signal);
  audit.job = job.id;
  audit.account = job.account;
  return {};
}
