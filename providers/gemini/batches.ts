/** Gemini's batches. The job's id and name travel in the display name; tags cannot. */
import { Failure } from "../../codecs/failure.ts";
import { type BatchId, batchId } from "../../codecs/ids.ts";
import { isJobId } from "../../codecs/job_id.ts";
import { isTerminal } from "../../codecs/job_status.ts";
import { unexpectedReply } from "../failures.ts";
import type { Http } from "../http.ts";
import { object, objects, text } from "../json.ts";
import type { Batch, BatchesPort, FilesPort, NewBatch, Page } from "../provider.ts";
import { cancelCall, stopBatch } from "../stop.ts";
import { displayNameOf, readBatch } from "./batch.ts";
import { isResultId } from "./file.ts";
import { geminiEnvelope } from "./envelope.ts";
import { createResults, maxOperationBytes } from "./results.ts";

const pageSize = 100;

const idShape = /^(batches\/)?([a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?)$/;
const modelShape = /^(?:(models|tunedModels)\/)?([A-Za-z0-9][A-Za-z0-9._-]{0,127})$/;

/** The batches of one account; its files are asked when an input is refused. */
export function createBatches(
  provider: string,
  http: Http,
  files: FilesPort,
  secrets: readonly string[],
): BatchesPort {
  const path = (id: BatchId) => `/v1beta/${id.split("/").map(encodeURIComponent).join("/")}`;
  const subject = (id: BatchId) => `batch ${id}`;

  function known(body: unknown, idempotent: boolean): Batch {
    const batch = readBatch(object(body) ?? {}, secrets);
    if (batch === undefined) throw unexpectedReply(provider, 200, idempotent);
    return batch;
  }

  async function create(batch: NewBatch, signal: AbortSignal): Promise<Batch> {
    const model = modelOf(batch.modelId);
    try {
      const reply = await http.json({
        method: "POST",
        path: `/v1beta/${model}:batchGenerateContent`,
        subject: `the model ${batch.modelId} or the file ${batch.input}`,
        json: {
          batch: {
            displayName: displayNameOf(batch),
            model,
            inputConfig: { fileName: batch.input },
          },
        },
      }, signal);
      return known(reply, false);
    } catch (error) {
      // Gemini says "no permission" of a file that has expired. Ask for the file itself, so that
      // there is no need to look for a fault in the key.
      const doubtful = error instanceof Failure && error.kind === "denied";
      if (doubtful && !isResultId(batch.input)) await files.head(batch.input, signal);
      throw error;
    }
  }

  async function get(id: BatchId, signal: AbortSignal): Promise<Batch> {
    return known(
      await http.json({
        method: "GET",
        path: path(id),
        subject: subject(id),
        // Inline results come with it.
        maxReplyBytes: maxOperationBytes,
      }, signal),
      true,
    );
  }

  async function list(cursor: string | undefined, signal: AbortSignal): Promise<Page<Batch>> {
    const after = cursor === undefined ? "" : `&pageToken=${encodeURIComponent(cursor)}`;
    const call = {
      method: "GET",
      path: `/v1beta/batches?pageSize=${pageSize}${after}`,
      // Whether a list holds inline results, too, is not documented.
      maxReplyBytes: maxOperationBytes,
    } as const;
    const reply = object(await http.json(call, signal));
    if (reply === undefined) throw unexpectedReply(provider, 200, true);
    const items = objects(reply["operations"])
      .map((operation) => readBatch(operation, secrets))
      .filter((batch) => batch !== undefined);
    const next = text(reply["nextPageToken"]);
    return next === undefined || next === cursor ? { items } : { items, cursor: next };
  }

  /** Gemini may answer 200 to the cancelling of a batch that is over, so it is looked at first. */
  async function cancel(id: BatchId, signal: AbortSignal): Promise<void> {
    const { status } = await get(id, signal);
    if (isTerminal(status)) throw new Failure("conflict", `Batch ${id} is over already.`);
    await http.json(cancelCall(`${path(id)}:cancel`, subject(id)), signal);
  }

  return {
    ...createResults(http, files, path),
    envelope: geminiEnvelope,
    // Google documents no order (November 2026).
    newestFirst: false,
    parseId,
    create,
    get,
    list,
    stop: (id, signal) => stopBatch(() => cancel(id, signal), () => get(id, signal)),
  };
}

/**
 * `batches/xyz` or `xyz`; 12 characters by themselves are a job's id, which no batch of Gemini's
 * has.
 */
function parseId(name: string): BatchId | undefined {
  const [, prefix, bare] = idShape.exec(name) ?? [];
  if (bare === undefined || prefix === undefined && isJobId(bare)) return undefined;
  return batchId(`batches/${bare}`);
}

/** `gemini-2.5-flash`, `models/gemini-2.5-flash` or `tunedModels/xyz` as it goes into a path. */
function modelOf(modelId: string): string {
  const [, collection = "models", name] = modelShape.exec(modelId) ?? [];
  if (name !== undefined) return `${collection}/${name}`;
  throw new Failure(
    "invalid",
    "The modelId is not one of Gemini's. Give one such as gemini-2.5-flash or tunedModels/name.",
  );
}
