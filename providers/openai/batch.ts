/** An OpenAI batch in Bedrock's words. */
import { batchId, fileId } from "../../codecs/ids.ts";
import { isTerminal, type JobStatus } from "../../codecs/job_status.ts";
import { excerpt } from "../failures.ts";
import { count, idText, type JsonObject, object, text, time } from "../json.ts";
import type { Batch, RecordCounts } from "../provider.ts";
import { reasonsOf } from "../reasons.ts";
import { travelled } from "./metadata.ts";

const maxMessage = 2_048;

const statuses: Readonly<Record<string, JobStatus>> = {
  validating: "Validating",
  in_progress: "InProgress",
  progress: "InProgress",
  finalizing: "InProgress",
  completed: "Completed",
  failed: "Failed",
  expired: "Expired",
  cancelling: "Stopping",
  canceling: "Stopping",
  cancelled: "Stopped",
  canceled: "Stopped",
};

/** `COMPLETED`, `Completed` and `inProgress` are states, too. */
function stateOf(rawStatus: string): string {
  return rawStatus.replace(/(?<=[a-z])(?=[A-Z])|[\s-]+/g, "_").toLowerCase();
}

/** Reads a batch object; undefined if it is not one. */
export function readBatch(batch: JsonObject, secrets: readonly string[]): Batch | undefined {
  const id = idText(batch["id"]);
  if (id === undefined) return undefined;
  const rawStatus = text(batch["status"]) ?? "";
  const output = idText(batch["output_file_id"]);
  const errors = idText(batch["error_file_id"]);
  const state = stateOf(rawStatus);
  const isKnown = Object.hasOwn(statuses, state);
  const status = statusOf(state, output !== undefined);
  const input = idText(batch["input_file_id"]);
  const counts = countsOf(object(batch["request_counts"]));
  return {
    ...travelled(object(batch["metadata"]) ?? {}),
    id: batchId(id),
    modelId: text(batch["model"]),
    status,
    rawStatus,
    ...(!isKnown && { unknownStatus: true }),
    ...(status === "Failed" && isQueueFull(batch) && { isQueueFull: true }),
    input: input === undefined ? undefined : fileId(input),
    results: [output, errors].filter((file) => file !== undefined).map(fileId),
    ...(lacksFiles(status, counts, { output, errors }) && { areMoreResults: true }),
    createdAt: time(batch["created_at"]) ?? new Date(0),
    endedAt: isTerminal(status) ? endOf(batch, state) : undefined,
    expiresAt: time(batch["expires_at"]),
    counts,
    message: messageOf(batch, state, secrets) ??
      (isKnown ? undefined : unknownMessage(rawStatus, secrets)),
  };
}

/** The files of a batch, by what they hold. */
interface ResultFiles {
  readonly output: string | undefined;
  readonly errors: string | undefined;
}

/**
 * Returns whether a batch that is over reports results and does not name the files that hold them:
 * it may say that it has completed before their ids are there, and one of them before the other.
 */
function lacksFiles(
  status: JobStatus,
  counts: RecordCounts | undefined,
  { output, errors }: ResultFiles,
): boolean {
  if (!isTerminal(status) || status === "Failed") return false;
  if (output === undefined && errors === undefined && status === "Completed") return true;
  const { total, success, error } = counts ?? { total: 0, success: 0, error: 0 };
  // What has no answer in the end has an error.
  const unanswered = status === "Completed" ? total - success : error;
  return success > 0 && output === undefined || unanswered > 0 && errors === undefined;
}

function statusOf(state: string, hasOutput: boolean): JobStatus {
  if (state === "expired" && hasOutput) return "PartiallyCompleted";
  // A status that OpenAI adds later must not end a job that is still running and billed.
  return Object.hasOwn(statuses, state) ? statuses[state] ?? "InProgress" : "InProgress";
}

/** `cancelled_at`, however the state itself is spelled. */
function endOf(batch: JsonObject, state: string): Date | undefined {
  return time(batch[`${state}_at`]) ?? time(batch[`${state.replace("canceled", "cancelled")}_at`]);
}

function windowOf(batch: JsonObject, secrets: readonly string[]): string {
  const window = text(batch["completion_window"]) ?? "24h";
  return /^24 ?h$/i.test(window)
    ? "its 24 hours"
    : `its completion window (${excerpt(window, secrets, 32)})`;
}

function unknownMessage(rawStatus: string, secrets: readonly string[]): string {
  const state = excerpt(rawStatus, secrets, 64);
  return state === ""
    ? "The provider reports no state of the batch. The job counts as running."
    : `The provider reports the state "${state}", which is not known to the gateway. The job counts ` +
      "as running.";
}

/** The quota of tokens that wait in OpenAI's queue is looked at only after the batch was made. */
function isQueueFull(batch: JsonObject): boolean {
  const { errors } = batch;
  const data = object(errors)?.["data"] ?? errors;
  return Array.isArray(data) &&
    data.some((error) => object(error)?.["code"] === "token_limit_exceeded");
}

/** All are 0 until OpenAI has counted the lines, which is as good as no report. */
function countsOf(counts: JsonObject | undefined): RecordCounts | undefined {
  const total = count(counts?.["total"]) ?? 0;
  if (total === 0) return undefined;
  const success = count(counts?.["completed"]) ?? 0;
  const error = count(counts?.["failed"]) ?? 0;
  return { total, processed: success + error, success, error };
}

/** OpenAI finds faults of the input only after it took the batch, and reports them here by line. */
function messageOf(
  batch: JsonObject,
  state: string,
  secrets: readonly string[],
): string | undefined {
  // A text, a list of texts, or `error` in place of `errors`, at services that speak OpenAI's API.
  const reported = [batch["errors"], batch["error"]].flatMap(reasonsOf);
  if (reported.length > 0) return excerpt(reported.join("\n"), secrets, maxMessage);
  return state === "expired"
    ? `The provider did not finish all records within ${windowOf(batch, secrets)}.`
    : undefined;
}
