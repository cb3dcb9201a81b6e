/**
 * "Run failed records again": puts the records of a job without a good result as a new input, and
 * creates a job on it with the same settings, as a client would.
 */
import type { JobEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { parseS3Uri } from "../../codecs/s3_uri.ts";
import { envelopesOf, findFailedRecords, unreadable } from "../../jobs/failed_records.ts";
import { resultsKeys } from "../../jobs/results/keys.ts";
import { fileTag, validateCreate } from "../../jobs/validate.ts";
import type { Found } from "../../objects/find.ts";
import { checkUri } from "../authorize.ts";
import { checkObjectSize } from "../s3/new_object.ts";
import { goTo } from "./answer.ts";
import { forwardingAt, type OwnReach, reachAt } from "./reaches.ts";
import { link, type PageRequest, paths } from "./request.ts";

/** Creates a job on the failed records of the one that a form names. */
export async function rerunFailed(request: PageRequest): Promise<Response> {
  const { deps, form, audit, signal } = request;
  audit.operation = "CreateModelInvocationJob";
  if (forwardingAt(request, form.get("provider"))) {
    throw unreadable("it ran at a provider that requests are forwarded to");
  }
  const own = reachAt(request, form.get("tenant"), form.get("provider"));
  const { reach, principal, tenant } = own;
  const provider = reach.provider.name;
  audit.provider = provider;
  const old = await deps.jobs.get(reach, principal.region, form.get("id") ?? "", signal);
  if (!isTerminal(old.status)) {
    throw new Failure("conflict", "The job still runs. Wait for its end, or stop it first");
  }
  const s3Uri = await putFailed(request, own, old);
  const create = await settingsOf(request, own, old, s3Uri);
  const job = await deps.jobs.create(reach, old.region, create, signal);
  audit.job = job.id;
  return goTo(link(paths.job, { provider, id: job.id, tenant }));
}

/** Puts the failed records beside the input that they are from, once for each job; its s3Uri. */
async function putFailed(
  { deps, signal }: PageRequest,
  { reach, principal }: OwnReach,
  old: JobEntry,
): Promise<string> {
  const uri = old.inputDataConfig.s3InputDataConfig.s3Uri;
  checkUri(principal, uri);
  const input = parseS3Uri(uri);
  const keys = resultsKeys(old);
  if (!input || input.key === "" || input.key.endsWith("/") || !keys) {
    throw unreadable("its input is a folder or not an object");
  }
  const key = `${input.key.replace(/\.jsonl$/, "")}.failed-${old.id}.jsonl`;
  const { bucket } = input;
  const s3Uri = `s3://${bucket}/${key}`;
  if (await deps.objects.find(reach, { bucket, key }, signal)) return s3Uri;
  const inputObject = await deps.objects.find(reach, input, signal);
  if (!inputObject || !isRead(old, inputObject, reach.provider.name)) {
    throw unreadable("its input is gone, was replaced, or is at another provider");
  }
  const results = await deps.objects.find(
    reach,
    { bucket: keys.bucket, key: keys.output },
    signal,
  );
  if (!results) throw unreadable("its results are gone");
  const read = (found: Found) => () => deps.objects.read(reach, found, undefined, signal);
  const sources = { input: read(inputObject), results: read(results) };
  const failed = await findFailedRecords(sources, envelopesOf(old, reach), signal);
  checkObjectSize(failed.bytes, deps.maxBodyBytes);
  const { contentType, metadata } = inputObject.record;
  await deps.objects.put(reach, {
    bucket,
    key,
    bytes: failed.bytes,
    body: failed.body,
    checksums: () => ({}),
    contentType,
    headers: {},
    metadata,
    condition: {},
  }, signal);
  return s3Uri;
}

/** Whether an object is the one that a job has read, as plain text. */
function isRead({ plan }: JobEntry, { record }: Found, provider: string): boolean {
  if (plan.kind === "native") return false;
  if (plan.kind === "direct") return plan.input === record.file;
  const { source } = plan;
  return source.in === "object" && source.provider === provider && source.isPacked !== true &&
    source.file === record.file;
}

/** The longest name that leaves room for what is added to it. */
const longestName = 57;

async function settingsOf(
  { deps, signal }: PageRequest,
  { reach, principal }: OwnReach,
  old: JobEntry,
  s3Uri: string,
) {
  const tags = await deps.jobs.tags(reach, old.id, signal);
  const { s3OutputDataConfig } = old.outputDataConfig;
  checkUri(principal, s3OutputDataConfig.s3Uri);
  const { vpcConfig, timeoutDurationInHours, modelInvocationType } = old;
  return validateCreate({
    jobName: `${old.name.slice(0, longestName)}-again`,
    modelId: old.modelId,
    roleArn: old.roleArn,
    inputDataConfig: {
      s3InputDataConfig: { ...old.inputDataConfig.s3InputDataConfig, s3Uri },
    },
    outputDataConfig: old.outputDataConfig,
    // A button that is pressed twice makes one job.
    clientRequestToken: `failed-records-of-${old.id}`,
    ...(vpcConfig && { vpcConfig }),
    ...(timeoutDurationInHours !== undefined && { timeoutDurationInHours }),
    ...(modelInvocationType !== undefined && { modelInvocationType }),
    // The tag would name the file with all records.
    tags: Object.entries(tags).filter(([name]) => name !== fileTag)
      .map(([key, value]) => ({ key, value })),
  });
}
