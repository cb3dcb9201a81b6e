/**
 * "Run failed records again": puts the records of a job without a good result as a new input, and
 * creates a job on it with the same settings, as a client would.
 */
import type { JobEntry } from "../../catalog/entries.ts";
import { Failure } from "../../codecs/failure.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { envelopesOf, findFailedRecords, unreadable } from "../../jobs/failed_records.ts";
import { fileTag, validateCreate } from "../../jobs/validate.ts";
import { checkUri } from "../authorize.ts";
import { checkObjectSize } from "../s3/new_object.ts";
import { goTo } from "./answer.ts";
import { failedInput, filesOfInput, whyNotAgain } from "./failed_input.ts";
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
async function putFailed(request: PageRequest, own: OwnReach, old: JobEntry): Promise<string> {
  const { deps, signal } = request;
  const { reach, principal } = own;
  checkUri(principal, old.inputDataConfig.s3InputDataConfig.s3Uri);
  const why = whyNotAgain(old, reach.provider.name);
  const place = failedInput(old);
  if (why !== undefined || !place) throw unreadable(why ?? "its input is not an object");
  const s3Uri = `s3://${place.bucket}/${place.key}`;
  if (await deps.objects.find(reach, place, signal)) return s3Uri;
  const files = await filesOfInput(request, own, old);
  const failed = await findFailedRecords(files, envelopesOf(old, reach), signal);
  checkObjectSize(failed.bytes, deps.maxBodyBytes);
  await deps.objects.put(reach, {
    ...place,
    bytes: failed.bytes,
    body: failed.body,
    checksums: () => ({}),
    contentType: "application/jsonl",
    headers: {},
    // It says which dialect the records are in, if the client did.
    metadata: files[0]?.metadata ?? {},
    condition: {},
  }, signal);
  return s3Uri;
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
