/** An OpenAI batch in Bedrock's words. */
import { batchId, fileId } from "../../codecs/ids.ts";
import { isTerminal, type JobStatus } from "../../codecs/job_status.ts";
import { excerpt } from "../failures.ts";
import { count, idText, type JsonObject, object, text, unixSeconds } from "../json.ts";
import type { Batch, RecordCounts } from "../provider.ts";
import { reasonsOf } from "../reasons.ts";
import { travelled } from "./metadata.ts";

const maxMessage = 2_048;

const statuses: Readonly<Record<string, JobStatus>> = {
  validating: "Validating",
  in_progress: "InProgress",
  finalizing: "InProgress",
  completed: "Completed",
  failed: "Failed",
  expired: "Expired",
  cancelling: "Stopping",
  cancelled: "Stopped",
};

/** Reads a batch object; undefined if it is none. */
export function readBatch(batch: JsonObject, secrets: readonly string[]): Batch | undefined {
  const id = idText(batch["id"]);
  if (id === undefined) return undefined;
  const rawStatus = text(batch["status"]) ?? "";
  const output = idText(batch["output_file_id"]);
  const errors = idText(batch["error_file_id"]);
  const status = statusOf(rawStatus, output !== undefined);
  const input = idText(batch["input_file_id"]);
  return {
    ...travelled(object(batch["metadata"]) ?? {}),
    id: batchId(id),
    modelId: text(batch["model"]),
    status,
    rawStatus,
    ...(!Object.hasOwn(statuses, rawStatus) && { unknownStatus: true }),
    input: input === undefined ? undefined : fileId(input),
    results: [output, errors].filter((file) => file !== undefined).map(fileId),
    createdAt: unixSeconds(batch["created_at"]) ?? new Date(0),
    endedAt: isTerminal(status) ? unixSeconds(batch[`${rawStatus}_at`]) : undefined,
    expiresAt: unixSeconds(batch["expires_at"]),
    counts: countsOf(object(batch["request_counts"])),
    message: messageOf(batch, rawStatus, secrets),
  };
}

function statusOf(rawStatus: string, hasOutput: boolean): JobStatus {
  if (rawStatus === "expired" && hasOutput) return "PartiallyCompleted";
  // A status that OpenAI adds later must not end a job that is still running and billed.
  return Object.hasOwn(statuses, rawStatus) ? statuses[rawStatus] ?? "InProgress" : "InProgress";
}

/** All are 0 until OpenAI has counted the lines, which is as good as no report. */
function countsOf(counts: JsonObject | undefined): RecordCounts | undefined {
  const total = count(counts?.["total"]) ?? 0;
  if (total === 0) return undefined;
  const success = count(counts?.["completed"]) ?? 0;
  const error = count(counts?.["failed"]) ?? 0;
  return { total, processed: success + error, success, error };
}

/** OpenAI finds faults of the input only after it took the batch, and tells them here by line. */
function messageOf(
  batch: JsonObject,
  rawStatus: string,
  secrets: readonly string[],
): string | undefined {
  // A text, a list of texts, or `error` in place of `errors`, at services that speak OpenAI's API.
  const told = [batch["errors"], batch["error"]].flatMap(reasonsOf);
  if (told.length > 0) return excerpt(told.join("\n"), secrets, maxMessage);
  return rawStatus === "expired"
    ? "The provider did not finish all records within its 24 hours."
    : undefined;
}
