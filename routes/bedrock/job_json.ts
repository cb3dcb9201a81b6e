/** A job as Get and List tell of it: the same members in both (service model of botocore 1.43.107). */
import type { JobEntry } from "../../catalog/entries.ts";
import { jobArn } from "../../codecs/arn.ts";
import { messageOfEnd } from "../../jobs/state.ts";
import { arnAccount } from "./handler.ts";

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
