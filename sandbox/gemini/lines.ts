/** Input of a batch: lines of a JSONL file, or inline requests, which are kept as lines too. */
import { isBlank, splitLines } from "../../codecs/jsonl.ts";
import type { Json, Store } from "../context.ts";
import { isObject, type JsonObject } from "../json.ts";
import { GoogleError } from "./errors.ts";
import { camelCase } from "./fields.ts";
import type { BatchRecord } from "./records.ts";
import { requestMisfit } from "./request_misfit.ts";

/** One request of a batch. */
export interface InputRecord {
  /** What goes back with the answer: `{key}` of a line, `{metadata}` of an inline request. */
  readonly identity: JsonObject;
  /** The record's id; undefined where an inline request has none. */
  readonly key: string | undefined;
  /** Known names only, in camelCase at the outer two levels. */
  readonly request: JsonObject;
}

const maxLineBytes = 256 * 2 ** 20;

/**
 * Reads the records of a batch in the order of the input, one at a time.
 *
 * Throws a {@linkcode GoogleError} that names the first line that is wrong; a job ends FAILED with
 * it.
 */
export async function* readRecords(
  store: Store,
  batch: BatchRecord,
): AsyncGenerator<InputRecord> {
  const lines = store.readBlob(batch.inputBlob).pipeThrough(splitLines({ maxLineBytes }));
  const decoder = new TextDecoder();
  let number = 0;
  for await (const line of lines) {
    number++;
    if (isBlank(line)) continue;
    const text = decoder.decode(line);
    yield batch.inputFile === null
      ? inlineRecord(JSON.parse(text) as JsonObject)
      : fileRecord(text, number, batch.method);
  }
}

/** A request that came inline, after {@linkcode refuseInline} found no fault in it. */
function inlineRecord(item: JsonObject): InputRecord {
  const metadata = isObject(item.metadata) ? item.metadata : undefined;
  return {
    identity: metadata === undefined ? {} : { metadata },
    key: typeof metadata?.key === "string" ? metadata.key : undefined,
    request: normalize(isObject(item.request) ? item.request : {}),
  };
}

function fileRecord(text: string, number: number, method: BatchRecord["method"]): InputRecord {
  const wrong = (column: number, what: string) =>
    new GoogleError(
      "INVALID_ARGUMENT",
      `Error on line ${number}: invalid JSON, near column ${column}: ${what}`,
    );
  let line: Json;
  try {
    line = JSON.parse(text);
  } catch {
    throw wrong(text.length, "syntax error");
  }
  if (!isObject(line)) throw wrong(1, "expected an object");
  const place = (name: string) => text.indexOf(`"${name}"`) + 1;
  for (const name of Object.keys(line)) {
    if (name !== "key" && name !== "request") {
      throw wrong(place(name), `no such field: '${name}'`);
    }
  }
  if (typeof line.key !== "string" || line.key === "") throw wrong(1, "missing field: 'key'");
  if (!isObject(line.request)) throw wrong(place("request"), "missing field: 'request'");
  const found = requestMisfit(line.request, method);
  if (found !== undefined) {
    const name = String(found.path.at(-1) ?? "request");
    throw wrong(
      place(name),
      found.kind === "unknown" ? `no such field: '${name}'` : `'${name}' must be ${found.want}`,
    );
  }
  return { identity: { key: line.key }, key: line.key, request: normalize(line.request) };
}

/** Names in camelCase at the outer two levels: further in, keys may be a schema's or data. */
function normalize(request: JsonObject): JsonObject {
  const camelKeys = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([name, value]) => [camelCase(name), value]));
  const outer = camelKeys(request);
  const config = outer.generationConfig;
  return isObject(config) ? { ...outer, generationConfig: camelKeys(config) } : outer;
}

/** Refuses an inline request that the proto does not know, as create does at once. */
export function refuseInline(item: Json, index: number, method: BatchRecord["method"]): void {
  const at = `batch.input_config.requests.requests[${index}]`;
  if (!isObject(item) || !isObject(item.request)) {
    throw new GoogleError("INVALID_ARGUMENT", `Invalid value at '${at}': request is required.`);
  }
  const extra = Object.keys(item).find((name) => name !== "request" && name !== "metadata");
  const found = extra === undefined ? requestMisfit(item.request, method) : undefined;
  if (extra === undefined && found === undefined) return;
  const path = ["request", ...found?.path ?? []];
  const name = extra ?? path.at(-1);
  const place = extra === undefined ? `${at}.${path.slice(0, -1).join(".")}` : at;
  throw new GoogleError(
    "INVALID_ARGUMENT",
    found === undefined || found.kind === "unknown"
      ? `Invalid JSON payload received. Unknown name "${name}" at '${place}': Cannot find field.`
      : `Invalid value at '${place}.${name}': must be ${found.want}.`,
  );
}
