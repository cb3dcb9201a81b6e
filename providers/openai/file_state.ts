/** Whether a file can be used: services that look through an upload first say so by its `status`. */
import { Failure } from "../../codecs/failure.ts";
import type { FileId } from "../../codecs/ids.ts";
import { excerpt } from "../failures.ts";
import { type JsonObject, text } from "../json.ts";

/** States of a file. OpenAI's own is `processed` at once; Azure's is `pending` for a moment. */
export type FileState = "ready" | "pending" | "failed";

const states: Readonly<Record<string, FileState>> = {
  pending: "pending",
  notrunning: "pending",
  running: "pending",
  processing: "pending",
  error: "failed",
  failed: "failed",
};

/** A file's state; a word that is not known says nothing against it. */
export function fileState(file: JsonObject): FileState {
  const word = text(file["status"])?.toLowerCase().replace(/[^a-z]/g, "") ?? "";
  return Object.hasOwn(states, word) ? states[word] ?? "ready" : "ready";
}

/** Dependencies of waiting for a file. */
export interface FileLooks {
  readonly provider: string;
  readonly secrets: readonly string[];
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** The file as it is now. */
  readonly look: (id: FileId, signal: AbortSignal) => Promise<JsonObject>;
}

/** A pending file is not waited for longer than this. */
const tries = 10;
const pauseMilliseconds = 1_000;

/**
 * Waits a little while a service looks through a file that it just took, so that a job can be created
 * with it at once. One that takes longer, or cannot be looked at, is stored all the same.
 *
 * Throws `invalid` where the service finds that it cannot use the file.
 */
export async function whenProcessed(
  { provider, secrets, sleep, look }: FileLooks,
  id: FileId,
  uploaded: JsonObject,
  signal: AbortSignal,
): Promise<void> {
  let file = uploaded;
  for (let n = 0; fileState(file) === "pending" && n < tries; n++) {
    await sleep(pauseMilliseconds, signal);
    try {
      file = await look(id, signal);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
  if (fileState(file) !== "failed") return;
  const why = excerpt(text(file["status_details"]) ?? "", secrets);
  throw new Failure(
    "invalid",
    `Provider ${provider} could not process the file${
      why === "" ? "" : `: ${why}`
    }. Check that it ` +
      "holds one JSON record on each line, and upload it again.",
  );
}
