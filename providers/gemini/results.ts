/** Where a Gemini batch has its results: in a file, or in the batch itself. */
import { type BatchId, fileId } from "../../codecs/ids.ts";
import { Failure } from "../../codecs/failure.ts";
import type { Http } from "../http.ts";
import { type JsonObject, object, objects } from "../json.ts";
import type { BatchesPort, BatchResults, FilesPort } from "../provider.ts";

/** The name of the results that are in the batch itself. */
const inline = "inline";

/** Gemini takes 20 MB of inline requests; their answers may be longer. */
export const maxOperationBytes = 256 * 2 ** 20;

const dayMilliseconds = 24 * 60 * 60 * 1000;
/** How long Gemini keeps a file, by its documents; of a batch's results nothing is known. */
const fileDays = 2;

/** The reading half of a Gemini account's batches. */
export function createResults(
  http: Http,
  files: FilesPort,
  path: (id: BatchId) => string,
): Pick<BatchesPort, "results" | "openResults"> {
  async function operation(id: BatchId, signal: AbortSignal): Promise<JsonObject> {
    const call = {
      method: "GET",
      path: path(id),
      subject: `batch ${id}`,
      maxReplyBytes: maxOperationBytes,
    } as const;
    return object(await http.json(call, signal)) ?? {};
  }

  return {
    async results(batch, signal): Promise<BatchResults> {
      const end = batch.endedAt ?? batch.createdAt;
      if (batch.results.length > 0) {
        return {
          parts: batch.results.map((name) => ({ name })),
          expiresAt: new Date(end.getTime() + fileDays * dayMilliseconds),
        };
      }
      const isFinished = batch.status === "Completed" || batch.status === "PartiallyCompleted";
      const mayBeInline = isFinished || batch.input === undefined && batch.jobId === undefined;
      if (!mayBeInline) return { parts: [] };
      // Answers to the records of a file have been seen in the batch itself, too (reported 2026).
      const items = inlined(await operation(batch.id, signal));
      if (items !== undefined) return { parts: [{ name: inline }] };
      // It says SUCCEEDED a moment before the results are there (reported 2026).
      return { parts: [], areMore: isFinished };
    },
    async openResults(id, part, range, signal) {
      if (part !== inline) return await files.open(fileId(part), range, signal);
      const items = inlined(await operation(id, signal));
      if (items !== undefined) return { body: linesOf(items), ranged: false };
      throw new Failure("not-found", `The batch ${id} has no results any more.`, { gone: true });
    },
  };
}

/** The answers, which are in two places and nested in themselves. */
function inlined(operation: JsonObject): readonly JsonObject[] | undefined {
  const places = [object(operation["metadata"])?.["output"], operation["response"]];
  for (const place of places) {
    const outer = object(object(place)?.["inlinedResponses"]) ??
      object(object(place)?.["inlinedEmbedContentResponses"]);
    if (outer !== undefined) return objects(outer["inlinedResponses"]);
  }
  return undefined;
}

/** A line each; nothing is written ahead of the reader. */
function linesOf(items: readonly JsonObject[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return ReadableStream.from(function* () {
    for (const item of items) yield encoder.encode(`${JSON.stringify(item)}\n`);
  }());
}
