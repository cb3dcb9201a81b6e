/** The simulated check of a batch's input file, and its records. */
import { isBlank, splitLines } from "../../codecs/jsonl.ts";
import { isObject, type JsonObject, parseJson, string } from "../json.ts";
import type { BatchError, CheckedInput } from "./batch_state.ts";

const maxRecords = 50_000;
const maxErrors = 100;
const linesPerTurn = 500;
const maxLineBytes = 200 * 2 ** 20;

/** A record that has passed the check. */
export interface InputRecord {
  readonly customId: string;
  readonly body: JsonObject;
}

/** A line of an input file that is not blank, with its number from 1. */
async function* lines(
  input: ReadableStream<Uint8Array>,
): AsyncGenerator<{ number: number; value: ReturnType<typeof parseJson> }> {
  const decoder = new TextDecoder();
  let number = 0;
  for await (const line of input.pipeThrough(splitLines({ maxLineBytes }))) {
    // In memory, all lines are there at once: other requests must have their turn.
    if (++number % linesPerTurn === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    if (!isBlank(line)) yield { number, value: parseJson(decoder.decode(line)) };
  }
}

/** The records of an input file that has passed the check. */
export async function* records(input: ReadableStream<Uint8Array>): AsyncGenerator<InputRecord> {
  for await (const { value } of lines(input)) {
    if (!isObject(value) || !isObject(value.body)) continue;
    yield { customId: string(value.custom_id) ?? "", body: value.body };
  }
}

/**
 * Checks an input file as OpenAI does before it runs a batch. OpenAI publishes no list of its codes:
 * these are those of public reports (2026). No more than 100 errors are reported.
 *
 * @param knows Whether there is a model of this name.
 * @param fails Whether a record will fail when it is run.
 */
export async function checkInput(
  input: ReadableStream<Uint8Array>,
  endpoint: string,
  knows: (model: string) => boolean,
  fails: (record: InputRecord) => boolean,
): Promise<CheckedInput> {
  const seen: Seen = { ids: new Set(), model: null };
  const errors: BatchError[] = [];
  let count = 0;
  let failing = 0;
  for await (const { number: line, value } of lines(input)) {
    if (++count > maxRecords) {
      const message = `The file has more than ${maxRecords} requests.`;
      errors.push({ code: "too_many_tasks", message, param: null, line: null });
    }
    if (count > maxRecords || errors.length >= maxErrors) break;
    const record = checkLine(value, endpoint, seen, knows, (code, message, param) => {
      errors.push({ code, message, param: param ?? null, line });
    });
    if (record && fails(record)) failing++;
  }
  if (count === 0) {
    const message = "The input file is empty.";
    errors.push({ code: "empty_file", message, param: null, line: null });
  }
  return { records: count, failing, model: seen.model, errors };
}

/** What the lines before have shown. */
interface Seen {
  readonly ids: Set<string>;
  model: string | null;
}

type Report = (code: string, message: string, param?: string) => void;

/** Checks one line; returns its record where it can be read as one. */
function checkLine(
  value: ReturnType<typeof parseJson>,
  endpoint: string,
  seen: Seen,
  knows: (model: string) => boolean,
  report: Report,
): InputRecord | undefined {
  if (!isObject(value)) {
    report("invalid_json_line", "This line is not parseable as valid JSON.");
    return undefined;
  }
  const { custom_id, method, url, body } = value;
  const missing = ["custom_id", "method", "url", "body"].find((name) => !(name in value));
  if (missing !== undefined) {
    report("missing_required_parameter", `Missing required parameter: '${missing}'.`, missing);
    return undefined;
  }
  const customId = string(custom_id);
  if (customId === undefined) {
    report("invalid_request", "The custom_id must be a string.", "custom_id");
    return undefined;
  }
  if (seen.ids.has(customId)) {
    report("duplicate_custom_id", "The custom_id of this request is that of another.", "custom_id");
  }
  seen.ids.add(customId);
  if (method !== "POST") report("invalid_method", "The method must be POST.", "method");
  if (url !== endpoint) {
    report("url_mismatch", "The url is not the endpoint of the batch.", "url");
  }
  if (!isObject(body)) {
    report("invalid_request", "The body must be an object.", "body");
    return undefined;
  }
  const model = string(body.model);
  if (model === undefined) {
    report("missing_required_parameter", "Missing required parameter: 'model'.", "body.model");
  } else if (seen.model !== null && seen.model !== model) {
    report("model_mismatch", "All requests of a batch must have one model.", "body.model");
  } else if (!knows(model)) {
    const message = `The provided model '${model}' is not supported by the Batch API.`;
    report("model_not_found", message, "body.model");
  }
  if (body.stream === true) report("invalid_request", "A batch cannot stream.", "body.stream");
  seen.model ??= model ?? null;
  return { customId, body };
}
