/** The simulated OpenAI's Batch API. */
import type { Json, SandboxContext } from "../context.ts";
import { isObject, type JsonObject, object, string } from "../json.ts";
import { checkInput, type InputRecord } from "./batch_input.ts";
import { writeResults } from "./batch_results.ts";
import { failure } from "./failures.ts";
import {
  type BatchDocument,
  type BatchError,
  type BatchMoment,
  type BatchResults,
  checkedAt,
  isFinal,
  momentOf,
  shownBatch,
} from "./batch_state.ts";
import { expirySeconds, jsonBody, type Operation, page } from "./call.ts";
import { invalid, missing, OpenAIError } from "./errors.ts";
import { hasModel } from "../model/known.ts";
import type { FileStore } from "./file_store.ts";

const endpoints: ReadonlySet<string> = new Set([
  "/v1/responses",
  "/v1/chat/completions",
  "/v1/embeddings",
  "/v1/completions",
  "/v1/moderations",
  "/v1/images/generations",
  "/v1/images/edits",
  "/v1/videos",
]);

const noResults: BatchResults = {
  output_file_id: null,
  error_file_id: null,
  completed: 0,
  failed: 0,
  input_tokens: 0,
  output_tokens: 0,
};

const inputIsGone: BatchError = {
  code: "file_not_found",
  message: "The input file was deleted.",
  param: "input_file_id",
  line: null,
};

/** Makes the operations on batches. */
export function batchOperations(files: FileStore, context: SandboxContext): {
  readonly [Name in "create" | "list" | "retrieve" | "cancel"]: Operation;
} {
  const { store, options, id: newId, now } = context;
  const underWay = new Map<string, Promise<void>>();

  function find(id: string): BatchDocument {
    const batch = store.get("batches", id) as BatchDocument | undefined;
    if (batch === undefined) {
      throw new OpenAIError(404, `No batch found with id '${id}'.`, { param: "batch_id" });
    }
    return batch;
  }
  const moment = (batch: BatchDocument): BatchMoment => momentOf(batch, Number(now()), options);

  /** Returns what is to be done before a batch can be shown as it is at a moment. */
  function due(batch: BatchDocument, { status }: BatchMoment): "check" | "run" | undefined {
    const start = checkedAt(batch, options);
    const goesOn = start <= Math.min(Number(now()), batch.cancelAt ?? Infinity);
    if (batch.checked === null && goesOn) return "check";
    return isFinal(status) && status !== "failed" && batch.results === null ? "run" : undefined;
  }

  /** A batch with all work done that is due by now, and the moment that it is shown at. */
  async function upToDate(id: string): Promise<[BatchDocument, BatchMoment]> {
    while (true) {
      const batch = find(id);
      const current = moment(batch);
      const work = due(batch, current);
      if (work === undefined) return [batch, current];
      // A caller at the same time waits for the same work.
      let running = underWay.get(id);
      if (running === undefined) {
        running = (work === "check" ? check(batch) : run(batch, current))
          // A cancellation may have come meanwhile: nothing but the outcome is written.
          .then((outcome) => store.set("batches", id, { ...find(id), ...outcome }))
          .finally(() => underWay.delete(id));
        underWay.set(id, running);
      }
      await running;
    }
  }

  async function run(
    batch: BatchDocument,
    { status, share }: BatchMoment,
  ): Promise<Partial<BatchDocument>> {
    if (batch.checked === null) return { results: noResults };
    if (files.find(batch.input_file_id) === undefined) {
      return { checked: { ...batch.checked, errors: [inputIsGone] }, results: noResults };
    }
    const end = status === "cancelled" || status === "expired" ? status : "completed";
    const count = Math.floor(share * batch.checked.records);
    return { results: await writeResults(batch, count, end, files, context) };
  }

  async function check(batch: BatchDocument): Promise<Partial<BatchDocument>> {
    const { input_file_id, endpoint } = batch;
    if (files.find(input_file_id) === undefined) {
      return { checked: { records: 0, failing: 0, model: null, errors: [inputIsGone] } };
    }
    const knows = (model: string) => context.options.anyModel === true || hasModel("openai", model);
    const fails = (record: InputRecord) => failure(record, endpoint) !== undefined;
    return { checked: await checkInput(files.read(input_file_id), endpoint, knows, fails) };
  }

  const shown = async (id: string) => shownBatch(...await upToDate(id), options);

  return {
    async create({ request }) {
      const batch: BatchDocument = {
        id: `batch_${newId(32)}`,
        ...described(await jsonBody(request), files),
        createdAt: Number(now()),
        cancelAt: null,
        checked: null,
        results: null,
      };
      store.set("batches", batch.id, batch);
      return Response.json(
        shownBatch(batch, momentOf(batch, batch.createdAt - 1, options), options),
      );
    },

    retrieve: async ({ id }) => Response.json(await shown(id)),

    async list({ query }) {
      const ids = store.list("batches").map(([id]) => ({ id })).reverse();
      const { data, ...rest } = page(ids, query, { max: 100, preset: 20 });
      return Response.json({ ...rest, data: await Promise.all(data.map(({ id }) => shown(id))) });
    },

    async cancel({ id }) {
      const [batch, { status }] = await upToDate(id);
      if (isFinal(status) || status === "cancelling") {
        throw new OpenAIError(409, `Cannot cancel a batch with status '${status}'.`);
      }
      const cancelled = { ...batch, cancelAt: Number(now()) };
      store.set("batches", id, cancelled);
      return Response.json(shownBatch(
        cancelled,
        { ...moment(cancelled), status: "cancelling" },
        options,
      ));
    },
  };
}

/** Returns the members of a batch that its creator describes. */
function described(body: JsonObject, files: FileStore) {
  const input = required(body, "input_file_id");
  const endpoint = required(body, "endpoint");
  const completion_window = required(body, "completion_window");
  if (!endpoints.has(endpoint)) {
    throw invalid("endpoint", `endpoint must be one of ${[...endpoints].join(", ")}.`);
  }
  if (completion_window !== "24h") {
    throw invalid("completion_window", "completion_window must be '24h'.");
  }
  const { anchor, seconds } = object(body.output_expires_after ?? {});
  // The specification lists 404; one public report saw 200 and a batch that failed (2026).
  if (files.require(input).purpose !== "batch") {
    throw invalid("input_file_id", "The purpose of the input file must be 'batch'.");
  }
  return {
    endpoint,
    input_file_id: input,
    completion_window,
    metadata: metadata(body.metadata),
    outputSeconds: expirySeconds(anchor, seconds),
  };
}

function required(body: JsonObject, name: string): string {
  const value = string(body[name]);
  if (value === undefined) throw missing(name);
  return value;
}

/** At most 16 pairs of text; keys of 64 characters, values of 512. */
function metadata(value: Json | undefined): { [key: string]: string } | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw invalid("metadata", "metadata must be an object.");
  const pairs = Object.entries(value);
  if (pairs.length > 16) throw invalid("metadata", "metadata holds at most 16 pairs.");
  for (const [key, text] of pairs) {
    if (typeof text !== "string") {
      throw invalid(`metadata.${key}`, "A value of metadata must be a string.");
    }
    if (key.length > 64 || text.length > 512) {
      throw invalid("metadata", "A key of metadata has at most 64 characters, a value 512.");
    }
  }
  return value as { [key: string]: string };
}
