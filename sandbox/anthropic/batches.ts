/** Message batches: create, get, list, cancel, delete and results. */
import type { SandboxRequest } from "../context.ts";
import type { JsonObject } from "../json.ts";
import { AnthropicError, json, timestamp } from "./errors.ts";
import { type Progress, progress } from "./progress.ts";
import type { Anthropic, BatchRecord } from "./records.ts";
import { readRequests } from "./requests.ts";
import { writeResults } from "./results.ts";

/** The operations on batches. */
export interface Batches {
  create(request: SandboxRequest): Promise<Response>;
  get(id: string): Promise<Response>;
  list(request: SandboxRequest): Promise<Response>;
  cancel(id: string): Promise<Response>;
  delete(id: string): Promise<Response>;
  results(id: string): Promise<Response>;
}

/** Makes the operations on batches. */
export function createBatches(anthropic: Anthropic): Batches {
  const { context, batches } = anthropic;
  const writing = new Map<string, Promise<void>>();

  const progressOf = (batch: BatchRecord) => progress(batch, context.options, context.now());

  const finish = async (batch: BatchRecord) => {
    const written = await writeResults(anthropic, batch, progressOf(batch));
    batches.set(batch.id, { ...batch, ...written });
    await context.store.deleteBlob(batch.inputBlob);
  };

  /** A batch as it is now: the results are written once for all who look after its end. */
  const look = async (id: string): Promise<{ batch: BatchRecord; now: Progress }> => {
    const batch = known(anthropic, id);
    const now = progressOf(batch);
    if (now.status !== "ended" || batch.counts !== null) return { batch, now };
    let written = writing.get(id);
    if (written === undefined) {
      written = finish(batch).finally(() => writing.delete(id));
      writing.set(id, written);
    }
    await written;
    return { batch: known(anthropic, id), now };
  };

  const shown = async (id: string) => {
    const { batch, now } = await look(id);
    return batchJson(anthropic, batch, now);
  };

  return {
    async create(request) {
      const id = `msgbatch_${context.id(24)}`;
      const { inputBlob, total } = await keepRequests(anthropic, id, request.body);
      batches.set(id, {
        id,
        version: request.headers.get("anthropic-version") ?? "",
        total,
        inputBlob,
        createdAt: context.now().toISOString(),
        cancelledAt: null,
        counts: null,
        resultBlob: null,
      });
      return json(await shown(id));
    },
    get: async (id) => json(await shown(id)),
    async list({ query }) {
      const { page, hasMore } = pageOf(batches.all(), new URLSearchParams(query));
      const data = [];
      for (const { id } of page) {
        // It may be deleted while the results of another one are written.
        if (batches.get(id) !== undefined) data.push(await shown(id));
      }
      return json({
        data,
        has_more: hasMore,
        first_id: page[0]?.id ?? null,
        last_id: page.at(-1)?.id ?? null,
      });
    },
    async cancel(id) {
      const { batch, now } = await look(id);
      if (now.status === "ended") {
        throw invalid("The batch has ended and cannot be canceled any more.");
      }
      if (batch.cancelledAt === null) {
        batches.set(id, { ...batch, cancelledAt: context.now().toISOString() });
      }
      return json(await shown(id));
    },
    async delete(id) {
      const { batch, now } = await look(id);
      if (now.status !== "ended") {
        throw invalid("The batch is still in progress. Cancel it before you delete it.");
      }
      batches.delete(id);
      if (batch.resultBlob !== null) await context.store.deleteBlob(batch.resultBlob);
      return json({ id, type: "message_batch_deleted" });
    },
    async results(id) {
      const { batch, now } = await look(id);
      if (batch.resultBlob === null) throw invalid("The results are not available yet.");
      if (now.archivedAt !== undefined) {
        throw new AnthropicError("not_found_error", "The results are not available any more.");
      }
      return new Response(context.store.readBlob(batch.resultBlob), {
        headers: { "content-type": "application/x-jsonl" },
      });
    },
  };
}

function invalid(message: string): AnthropicError {
  return new AnthropicError("invalid_request_error", message);
}

function known({ batches }: Anthropic, id: string): BatchRecord {
  const batch = batches.get(id);
  if (batch === undefined) {
    throw new AnthropicError("not_found_error", `Message batch ${id} was not found.`);
  }
  return batch;
}

/** Streams the requests into a blob, one a line; if one of them is wrong, nothing is kept. */
async function keepRequests(
  { context }: Anthropic,
  id: string,
  body: SandboxRequest["body"],
): Promise<{ inputBlob: string; total: number }> {
  const inputBlob = `requests-${id}`;
  const encoder = new TextEncoder();
  let total = 0;
  const lines = async function* () {
    for await (const { line } of readRequests(body)) {
      total++;
      yield encoder.encode(`${line}\n`);
    }
  };
  await context.store.writeBlob(inputBlob, ReadableStream.from(lines()));
  return { inputBlob, total };
}

/** A page of the batches, which are in order, newest first. */
function pageOf(
  all: readonly BatchRecord[],
  query: URLSearchParams,
): { page: readonly BatchRecord[]; hasMore: boolean } {
  const limit = Number(query.get("limit") ?? "20");
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw invalid("limit: Input should be between 1 and 1000");
  }
  const place = (name: string) => {
    const id = query.get(name);
    if (id === null || id === "") return undefined;
    const index = all.findIndex((batch) => batch.id === id);
    if (index < 0) throw invalid(`${name}: There is no such message batch.`);
    return index;
  };
  const before = place("before_id");
  const after = place("after_id");
  if (before !== undefined && after !== undefined) {
    throw invalid("before_id and after_id cannot be used together.");
  }
  if (before !== undefined) {
    const first = Math.max(0, before - limit);
    return { page: all.slice(first, before), hasMore: first > 0 };
  }
  const first = after === undefined ? 0 : after + 1;
  return { page: all.slice(first, first + limit), hasMore: first + limit < all.length };
}

/** A batch on the wire. All its requests are `processing` until the whole of it has ended. */
function batchJson({ context }: Anthropic, batch: BatchRecord, now: Progress): JsonObject {
  const time = (date: Date | undefined) => date === undefined ? null : timestamp(date);
  const none = { succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: now.status,
    request_counts: {
      processing: batch.counts === null ? batch.total : 0,
      ...(batch.counts ?? none),
    },
    created_at: timestamp(new Date(batch.createdAt)),
    expires_at: timestamp(now.expiresAt),
    ended_at: time(now.endedAt),
    cancel_initiated_at: batch.cancelledAt === null ? null : timestamp(new Date(batch.cancelledAt)),
    archived_at: time(now.archivedAt),
    results_url: batch.counts === null
      ? null
      : `${context.baseUrl()}/v1/messages/batches/${batch.id}/results`,
  };
}
