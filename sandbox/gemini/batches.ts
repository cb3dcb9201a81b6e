/** Batches: create, get, list, cancel and delete, each as a long-running operation. */
import { splitLines } from "../../codecs/jsonl.ts";
import type { Json, SandboxRequest } from "../context.ts";
import type { JsonObject } from "../json.ts";
import { GoogleError, json } from "./errors.ts";
import { field, objectField, readJson, refuseUnknown, textField, timestamp } from "./fields.ts";
import { knownFile } from "./files.ts";
import { refuseInline } from "./lines.ts";
import { page } from "./pages.ts";
import { look, releaseInput, resultFileId } from "./processing.ts";
import { type Progress, startOf } from "./progress.ts";
import { hasModel } from "../model/known.ts";
import type { BatchRecord, Gemini } from "./records.ts";

/** Inline requests must fit into this much JSON; more goes through a file. */
const maxInlineBytes = 20 * 2 ** 20;

/** The operations on batches; `id` is without `batches/`, `model` with `models/`. */
export interface Batches {
  create(
    request: SandboxRequest,
    model: string,
    method: BatchRecord["method"],
  ): Promise<Response>;
  get(id: string): Promise<Response>;
  list(request: SandboxRequest): Promise<Response>;
  cancel(id: string): Promise<Response>;
  delete(id: string): Promise<Response>;
}

/** Makes the operations on batches. */
export function createBatches(gemini: Gemini): Batches {
  const { records, context } = gemini;
  const known = async (id: string) => {
    const seen = await look(gemini, id);
    if (seen === undefined) throw notFound();
    return seen;
  };
  return {
    async create(request, model, method) {
      const body = await readJson(request.body, maxInlineBytes);
      const batch = await newBatch(gemini, body, model, method);
      records.batches.set(batch.id, batch);
      const seen = await known(batch.id);
      return json(operation(gemini, seen.batch, seen.progress));
    },
    async get(id) {
      const { batch, progress } = await known(id);
      return json(operation(gemini, batch, progress, await inlinedResponses(gemini, batch)));
    },
    async list(request) {
      const { items, nextPageToken } = page(
        records.batches.all(),
        new URLSearchParams(request.query),
      );
      const operations = [];
      for (const { id } of items) {
        const seen = await look(gemini, id);
        if (seen !== undefined) {
          operations.push(operation(gemini, seen.batch, seen.progress));
        }
      }
      return json({
        ...(operations.length > 0 ? { operations } : {}),
        ...(nextPageToken !== undefined ? { nextPageToken } : {}),
      });
    },
    async cancel(id) {
      const { batch, progress } = await known(id);
      if (batch.settled || progress.endedAt !== undefined) {
        // That it is refused, and how, is not documented.
        throw new GoogleError("FAILED_PRECONDITION", "The batch is over already.");
      }
      batch.cancelledAt ??= context.now().toISOString();
      records.batches.set(id, batch);
      return json({});
    },
    async delete(id) {
      await gemini.inTurn(`batch ${id}`, async () => {
        const batch = records.batches.get(id);
        if (batch === undefined) throw notFound();
        records.batches.delete(id);
        await releaseInput(gemini, batch);
        if (batch.inputFile === null && batch.resultBlob !== null) {
          await context.store.deleteBlob(batch.resultBlob);
        }
      });
      return json({});
    },
  };
}

function notFound(): GoogleError {
  return new GoogleError("NOT_FOUND", "Requested entity was not found.");
}

async function newBatch(
  gemini: Gemini,
  body: JsonObject,
  model: string,
  method: BatchRecord["method"],
): Promise<BatchRecord> {
  if (!hasModel("gemini", model)) {
    throw new GoogleError(
      "NOT_FOUND",
      `${model} is not found for API version v1beta, or is not supported for this method.`,
    );
  }
  refuseUnknown(body, ["batch"], "");
  const batch = objectField(body, "batch", "") ?? {};
  const own = ["name", "model", "displayName", "inputConfig", "priority", "webhookConfig"];
  refuseUnknown(batch, own, "batch");
  const input = objectField(batch, "inputConfig", "batch");
  if (input === undefined) {
    throw new GoogleError(
      "INVALID_ARGUMENT",
      "* BatchGenerateContentRequest.batch.input_config: input_config is required.\n",
    );
  }
  refuseUnknown(input, ["fileName", "requests"], "batch.input_config");
  const id = gemini.context.id(36);
  return {
    id,
    method,
    model,
    displayName: textField(batch, "displayName", "batch") ?? "",
    priority: String(field(batch, "priority") ?? "0"),
    ...await inputOf(gemini, input, id, method),
    createdAt: gemini.context.now().toISOString(),
    cancelledAt: null,
    check: null,
    resultBlob: null,
    settled: false,
  };
}

async function inputOf(
  gemini: Gemini,
  input: JsonObject,
  id: string,
  method: BatchRecord["method"],
): Promise<Pick<BatchRecord, "inputFile" | "inputBlob">> {
  const fileName = textField(input, "fileName", "batch.input_config");
  const inline = objectField(input, "requests", "batch.input_config");
  if ((fileName === undefined) === (inline === undefined)) {
    throw new GoogleError(
      "INVALID_ARGUMENT",
      "batch.input_config must have either file_name or requests.",
    );
  }
  if (fileName !== undefined) {
    if (!fileName.startsWith("files/")) {
      throw new GoogleError("INVALID_ARGUMENT", "batch.input_config.file_name must be files/{id}.");
    }
    const file = await knownFile(gemini, fileName.slice("files/".length));
    return { inputFile: file.id, inputBlob: file.blob };
  }
  const requests = inline?.requests;
  if (!Array.isArray(requests) || requests.length === 0) {
    throw new GoogleError("INVALID_ARGUMENT", "batch.input_config.requests holds no requests.");
  }
  requests.forEach((item, index) => refuseInline(item, index, method));
  const inputBlob = `inline-${id}`;
  const encoder = new TextEncoder();
  await gemini.context.store.writeBlob(
    inputBlob,
    ReadableStream.from(requests.map((item) => encoder.encode(`${JSON.stringify(item)}\n`))),
  );
  return { inputFile: null, inputBlob };
}

/** The results of inline requests, which get returns and list does not; 20 MB went in at most. */
async function inlinedResponses(gemini: Gemini, batch: BatchRecord): Promise<Json[] | undefined> {
  if (batch.inputFile !== null || batch.resultBlob === null) return undefined;
  const responses: Json[] = [];
  const decoder = new TextDecoder();
  const lines = gemini.context.store.readBlob(batch.resultBlob)
    .pipeThrough(splitLines({ maxLineBytes: 2 * maxInlineBytes }));
  for await (const line of lines) responses.push(JSON.parse(decoder.decode(line)));
  return responses;
}

/** A batch on the wire. Zeros and what is empty are left out, as proto3 JSON does. */
function operation(
  gemini: Gemini,
  batch: BatchRecord,
  progress: Progress,
  responses?: Json[],
): JsonObject {
  const name = `batches/${batch.id}`;
  const typePrefix = "type.googleapis.com/google.ai.generativelanguage.v1main.";
  const type = batch.method === "generateContent" ? "GenerateContentBatch" : "EmbedContentBatch";
  const failure = failureOf(batch, progress);
  const output: JsonObject | undefined = batch.resultBlob === null
    ? undefined
    : batch.inputFile !== null
    ? { responsesFile: `files/${resultFileId(batch)}` }
    : { inlinedResponses: { inlinedResponses: responses ?? [] } };
  const endedAt = batch.check?.valid === false
    ? startOf(batch, gemini.context.options)
    : progress.endedAt;
  const stats = batchStats(batch, progress);
  return {
    name,
    metadata: {
      "@type": `${typePrefix}${type}`,
      name,
      model: batch.model,
      ...(batch.displayName !== "" ? { displayName: batch.displayName } : {}),
      inputConfig: batch.inputFile !== null
        ? { fileName: `files/${batch.inputFile}` }
        : { requests: {} },
      ...(output !== undefined ? { output } : {}),
      createTime: timestamp(new Date(batch.createdAt)),
      ...(endedAt !== undefined ? { endTime: timestamp(endedAt) } : {}),
      updateTime: timestamp(progress.resultsAt ?? endedAt ?? progress.changedAt),
      ...(stats !== undefined ? { batchStats: stats } : {}),
      state: batch.check?.valid === false ? "BATCH_STATE_FAILED" : progress.state,
      ...(batch.priority !== "0" ? { priority: batch.priority } : {}),
    },
    ...(endedAt !== undefined ? { done: true } : {}),
    ...(failure !== undefined ? { error: failure } : {}),
    ...(output !== undefined && failure === undefined
      ? { response: { "@type": `${typePrefix}${type}Output`, ...output } }
      : {}),
  };
}

function failureOf({ check }: BatchRecord, { state }: Progress): JsonObject | undefined {
  if (check?.valid === false) return { ...check.error };
  if (state === "BATCH_STATE_CANCELLED") return { code: 1, message: "The batch was cancelled." };
  if (state === "BATCH_STATE_EXPIRED") return { code: 4, message: "The batch has expired." };
  return undefined;
}

function batchStats({ check }: BatchRecord, progress: Progress): JsonObject | undefined {
  if (check === null || !check.valid) return undefined;
  const ended = progress.state !== "BATCH_STATE_RUNNING" &&
    progress.state !== "BATCH_STATE_SUCCEEDED";
  const processed = ended ? 0 : Math.floor(check.total * progress.done);
  const failed = Math.floor(check.failing * progress.done);
  const counts = {
    requestCount: check.total,
    successfulRequestCount: processed - failed,
    failedRequestCount: failed,
    pendingRequestCount: ended ? 0 : check.total - processed,
  };
  return Object.fromEntries(
    Object.entries(counts).filter(([, count]) => count > 0).map(([name, n]) => [name, String(n)]),
  );
}
