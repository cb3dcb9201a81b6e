/** OpenAI's batches. Job id, job name and tags travel in their metadata. */
import { type BatchId, batchId } from "../../codecs/ids.ts";
import { unexpectedReply } from "../failures.ts";
import type { Http } from "../http.ts";
import { object } from "../json.ts";
import { readPage } from "../pages.ts";
import type { Batch, BatchesPort, FilesPort, NewBatch, Page } from "../provider.ts";
import { cancelCall, stopBatch } from "../stop.ts";
import { endpointOf } from "./endpoint.ts";
import { readBatch } from "./batch.ts";
import { metadataOf } from "./metadata.ts";

/** The most that one page may hold, by OpenAI's own specification. */
const pageSize = 100;

const idShape = /^batch_[A-Za-z0-9_-]{1,200}$/;

/** The batches of one account; its files are asked for the endpoint of a batch. */
export function createBatches(
  provider: string,
  http: Http,
  files: FilesPort,
  secrets: readonly string[],
): BatchesPort {
  const path = (id: BatchId) => `/batches/${encodeURIComponent(id)}`;
  const subject = (id: BatchId) => `batch ${id}`;

  function known(body: unknown, idempotent: boolean): Batch {
    const batch = readBatch(object(body) ?? {}, secrets);
    if (batch === undefined) throw unexpectedReply(provider, 200, idempotent);
    return batch;
  }

  async function create(batch: NewBatch, signal: AbortSignal): Promise<Batch> {
    const endpoint = await endpointOf(batch, files, signal);
    const reply = await http.json({
      method: "POST",
      path: "/batches",
      subject: `the model or the file ${batch.input}`,
      json: {
        input_file_id: batch.input,
        endpoint,
        completion_window: "24h",
        metadata: metadataOf(batch),
      },
    }, signal);
    return known(reply, false);
  }

  async function get(id: BatchId, signal: AbortSignal): Promise<Batch> {
    return known(
      await http.json({ method: "GET", path: path(id), subject: subject(id) }, signal),
      true,
    );
  }

  async function list(cursor: string | undefined, signal: AbortSignal): Promise<Page<Batch>> {
    const after = cursor === undefined ? "" : `&after=${encodeURIComponent(cursor)}`;
    const call = { method: "GET", path: `/batches?limit=${pageSize}${after}` } as const;
    const reply = await http.json(call, signal);
    return readPage(provider, reply, cursor, (batch) => readBatch(batch, secrets));
  }

  return {
    newestFirst: true,
    parseId: (name) => idShape.test(name) ? batchId(name) : undefined,
    create,
    get,
    list,
    stop: (id, signal) =>
      stopBatch(
        () => http.json(cancelCall(`${path(id)}/cancel`, subject(id)), signal),
        () => get(id, signal),
      ),
  };
}
