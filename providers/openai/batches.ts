/** OpenAI's batches. Job id, job name and tags travel in their metadata. */
import { Failure } from "../../codecs/failure.ts";
import { type BatchId, batchId, type FileId, fileId } from "../../codecs/ids.ts";
import { unexpectedReply } from "../failures.ts";
import { readPage } from "../pages.ts";
import type {
  Batch,
  BatchesPort,
  BatchResults,
  FilesPort,
  NewBatch,
  Page,
  ProviderFile,
} from "../provider.ts";
import { cancelCall, stopBatch } from "../stop.ts";
import { endpointOf } from "./endpoint.ts";
import { resourceIn } from "./resource.ts";
import { readBatch } from "./batch.ts";
import type { Service } from "./files.ts";
import { fileState } from "./file_state.ts";
import { openaiEnvelope } from "./envelope.ts";
import { idsOf, isOpenAI } from "./ids.ts";
import { metadataOf } from "./metadata.ts";

/** The most that one page may hold, by OpenAI's own specification. */
const pageSize = 100;

const idShape = /^batch_[A-Za-z0-9_-]+$/;

/** The batches of one account; its files are asked for the endpoint of a batch. */
export function createBatches(
  { provider, http, baseUrl, secrets, window }: Service,
  files: FilesPort,
): BatchesPort {
  const isId = idsOf(baseUrl, idShape);
  const path = (id: BatchId) => `/batches/${encodeURIComponent(id)}`;
  const subject = (id: BatchId) => `batch ${id}`;

  function known(body: unknown, idempotent: boolean): Batch {
    const batch = readBatch(resourceIn(body), secrets);
    if (batch === undefined) throw unexpectedReply(provider, 200, idempotent);
    return batch;
  }

  async function create(batch: NewBatch, signal: AbortSignal): Promise<Batch> {
    const endpoint = await endpointOf(batch, files, signal);
    const call = {
      method: "POST",
      path: "/batches",
      subject: `the model ${batch.modelId} or the file ${batch.input}`,
      json: {
        input_file_id: batch.input,
        endpoint,
        completion_window: window,
        metadata: metadataOf(batch),
      },
    } as const;
    try {
      return known(await http.json(call, signal), false);
    } catch (error) {
      const mayBeEarly = error instanceof Failure && error.kind === "invalid";
      if (mayBeEarly && await isPending(batch.input, signal)) {
        throw new Failure("invalid", error.message, { ...error.details, notReady: true });
      }
      throw error;
    }
  }

  /**
   * Returns whether a service is still looking through a file; Azure refuses a batch of it until
   * then.
   */
  async function isPending(id: FileId, signal: AbortSignal): Promise<boolean> {
    const call = { method: "GET", path: `/files/${encodeURIComponent(id)}` } as const;
    try {
      return fileState(resourceIn(await http.json(call, signal))) === "pending";
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
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

  /** The output file, then the error file; either may be missing. */
  async function results(batch: Batch, signal: AbortSignal): Promise<BatchResults> {
    const files = await Promise.all(batch.results.map((file) => look(file, signal)));
    const ends = files.map(({ expiresAt }) => expiresAt?.getTime()).filter((at) =>
      at !== undefined
    );
    return {
      parts: files.map(({ id, bytes }) => ({ name: id, bytes })),
      areMore: batch.areMoreResults === true,
      ...(ends.length > 0 && { expiresAt: new Date(Math.min(...ends)) }),
    };
  }

  /** One file that is not there, which reading it will show again, hides nothing of the other. */
  async function look(
    id: FileId,
    signal: AbortSignal,
  ): Promise<Pick<ProviderFile, "id"> & Partial<ProviderFile>> {
    try {
      return await files.head(id, signal);
    } catch (error) {
      if (error instanceof Failure && error.kind === "not-found") return { id };
      throw error;
    }
  }

  return {
    envelope: openaiEnvelope,
    // Services that speak its API list in an order of their own.
    newestFirst: isOpenAI(baseUrl),
    parseId: (name) => isId(name) ? batchId(name) : undefined,
    create,
    get,
    list,
    results,
    openResults: (_, part, range, signal) => files.open(fileId(part), range, signal),
    stop: (id, signal) =>
      stopBatch(
        () => http.json(cancelCall(`${path(id)}/cancel`, subject(id)), signal),
        () => get(id, signal),
      ),
  };
}
