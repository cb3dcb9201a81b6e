/** An event as its receivers get it: in the form of Amazon Bedrock's own, and what is beyond that. */
import type { Scope } from "../catalog/keys.ts";
import type { JobEvent } from "../catalog/outbox.ts";
import { arnAccount, jobArn } from "../codecs/arn.ts";
import { isTerminal } from "../codecs/job_status.ts";

/** An event's body. */
export interface EventBody {
  readonly type: "job.state_changed";
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": "Batch Inference Job State Change";
  readonly source: "batchway";
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: EventDetail;
}

/** What happened, to which job. */
export interface EventDetail {
  readonly version: "0";
  readonly accountId: string;
  readonly batchJobArn: string;
  readonly batchJobName: string;
  readonly status: string;
  readonly failureMessage: string;
  readonly batchModelId: string;
  readonly provider: string;
  readonly tenant: string;
  readonly creationTime: string;
  readonly lastModifiedTime: string;
  readonly totalRecordCount: number;
  readonly processedRecordCount: number;
  readonly successRecordCount: number;
  readonly errorRecordCount: number;
}

/** Programs put it into what they send on, and take an empty one for no failure. */
const noReason = "The job failed, and its provider gives no reason";

/** Writes an event's body. */
export function eventBody(scope: Scope, event: JobEvent): EventBody {
  const arn = jobArn({ region: event.region, account: arnAccount, jobId: event.job });
  const { counts } = event;
  return {
    type: "job.state_changed",
    version: "0",
    id: event.id,
    "detail-type": "Batch Inference Job State Change",
    source: "batchway",
    account: arnAccount,
    // AWS's events have whole seconds.
    time: new Date(event.modifiedAt).toISOString().replace(/\.\d+Z$/, "Z"),
    region: event.region,
    resources: [arn],
    detail: {
      version: "0",
      accountId: arnAccount,
      batchJobArn: arn,
      batchJobName: event.name,
      status: event.status,
      failureMessage: failureOf(event),
      batchModelId: event.modelId,
      provider: scope.provider,
      tenant: scope.tenant,
      creationTime: new Date(event.submittedAt).toISOString(),
      lastModifiedTime: new Date(event.modifiedAt).toISOString(),
      totalRecordCount: counts?.total ?? 0,
      processedRecordCount: counts?.processed ?? 0,
      successRecordCount: counts?.success ?? 0,
      errorRecordCount: counts?.error ?? 0,
    },
  };
}

/** Returns why a job failed; empty where it ended well, or runs, whatever its message is. */
function failureOf({ status, message }: JobEvent): string {
  if (status === "Completed" || !isTerminal(status)) return "";
  return message || (status === "Failed" ? noReason : "");
}
