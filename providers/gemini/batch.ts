/** A Gemini batch, which is a long-running operation, in Bedrock's words. */
import { batchId, fileId, type JobId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { isTerminal, type JobStatus } from "../../codecs/job_status.ts";
import { excerpt } from "../failures.ts";
import { count, idText, type JsonObject, object, text, time } from "../json.ts";
import type { Batch, NewBatch, RecordCounts } from "../provider.ts";
import { reasonsOf } from "../reasons.ts";

const maxMessage = 2_048;
const lifeMilliseconds = 48 * 60 * 60 * 1000;

const statuses: Readonly<Record<string, JobStatus>> = {
  PENDING: "Scheduled",
  QUEUED: "Scheduled",
  RUNNING: "InProgress",
  SUCCEEDED: "Completed",
  PARTIALLY_SUCCEEDED: "PartiallyCompleted",
  FAILED: "Failed",
  CANCELLING: "Stopping",
  CANCELLED: "Stopped",
  EXPIRED: "Expired",
};

/** Gemini keeps neither labels nor metadata, so the job's id travels behind its name. */
export function displayNameOf(
  { jobName, jobId, shard }: Pick<NewBatch, "jobName" | "jobId" | "shard">,
): string {
  return `${jobName} [batchway:${jobId}${shard === undefined ? "" : `/${shard}`}]`;
}

/** Takes a display name apart; one that {@linkcode displayNameOf} did not make is all name. */
export function parseDisplayName(
  displayName: string,
): { readonly name: string; readonly jobId: JobId | undefined; readonly shard?: number } {
  const parts = /^(.*) \[batchway:([a-z0-9]+)(?:\/(\d{1,6}))?\]$/s.exec(displayName);
  const [, name = "", job = "", shard] = parts ?? [];
  if (!isJobId(job)) return { name: displayName, jobId: undefined };
  return { name, jobId: job, ...(shard !== undefined && { shard: Number(shard) }) };
}

/** Reads an operation; undefined if it is not one. */
export function readBatch(operation: JsonObject, secrets: readonly string[]): Batch | undefined {
  const metadata = object(operation["metadata"]) ?? {};
  const id = idText(operation["name"]) ?? idText(metadata["name"]);
  if (id === undefined) return undefined;
  const input = idText(object(metadata["inputConfig"])?.["fileName"]);
  const output = idText(object(metadata["output"])?.["responsesFile"]) ??
    idText(object(operation["response"])?.["responsesFile"]);
  const displayName = text(metadata["displayName"]);
  const { name, jobId, shard } = parseDisplayName(displayName ?? "");
  const rawStatus = text(metadata["state"]) ?? "";
  const status = statusOf(rawStatus, operation);
  const createdAt = time(metadata["createTime"]) ?? new Date(0);
  return {
    id: batchId(id),
    jobId,
    ...(shard !== undefined && { shard }),
    name: displayName === undefined ? undefined : name,
    modelId: text(metadata["model"])?.replace(/^models\//, ""),
    status,
    rawStatus,
    ...(!Object.hasOwn(statuses, bareState(rawStatus)) && { unknownStatus: true }),
    input: input === undefined ? undefined : fileId(input),
    results: output === undefined ? [] : [fileId(output)],
    createdAt,
    endedAt: isTerminal(status)
      ? time(metadata["endTime"]) ?? time(metadata["updateTime"])
      : undefined,
    // Not reported, but documented: what is pending or running for 48 hours expires.
    expiresAt: new Date(createdAt.getTime() + lifeMilliseconds),
    counts: countsOf(object(metadata["batchStats"])),
    message: messageOf(operation, metadata, status, secrets),
    tags: {},
  };
}

/** The wire says `BATCH_STATE_…`, Google's own samples and SDKs `JOB_STATE_…`. */
function bareState(rawStatus: string): string {
  return rawStatus.replace(/^(?:BATCH|JOB)_STATE_/, "");
}

function statusOf(rawStatus: string, operation: JsonObject): JobStatus {
  const state = bareState(rawStatus);
  const reported = Object.hasOwn(statuses, state) ? statuses[state] : undefined;
  // A state that Gemini adds later must not end a job that is still running and billed.
  return reported ?? (operation["done"] === true ? outcomeOf(operation) : "InProgress");
}

function outcomeOf(operation: JsonObject): JobStatus {
  return object(operation["error"]) === undefined ? "Completed" : "Failed";
}

/** Numbers come as texts, and zeros are left out. */
function countsOf(stats: JsonObject | undefined): RecordCounts | undefined {
  const total = count(stats?.["requestCount"]) ?? 0;
  if (total === 0) return undefined;
  const success = count(stats?.["successfulRequestCount"]) ?? 0;
  const error = count(stats?.["failedRequestCount"]) ?? 0;
  return { total, processed: success + error, success, error };
}

/** Gemini finds faults of the input only after it took the batch, and reports them here by line. */
function messageOf(
  operation: JsonObject,
  metadata: JsonObject,
  status: JobStatus,
  secrets: readonly string[],
): string | undefined {
  if (status !== "Failed" && status !== "Expired") return undefined;
  const reasons = [operation["error"], metadata["error"]].flatMap(reasonsOf);
  const reported = excerpt(reasons[0] ?? "", secrets, maxMessage);
  if (reported !== "") return reported;
  return status === "Expired"
    ? "The provider did not finish the batch within its 48 hours and keeps no results of it."
    : undefined;
}
