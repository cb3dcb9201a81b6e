/** The records of a job: found in its input objects, answered, and written beside a manifest. */
import { isBlank, splitLines } from "../../codecs/jsonl.ts";
import { Failure } from "../../codecs/failure.ts";
import { parseS3Uri, type S3Uri } from "../../codecs/s3_uri.ts";
import type { Json, SandboxContext } from "../context.ts";
import { isObject, type JsonObject } from "../json.ts";
import { resultLines } from "../model/words.ts";
import type { S3Data, StoredObject } from "../s3/data.ts";
import type { Counts, Job } from "./job.ts";
import { askedFailure, promptOf } from "./failures.ts";
import { type Answer, modelFor } from "./models.ts";

/** A line is held in memory whole. */
const maxLineBytes = 64 * 1024 * 1024;
/** Other requests get their turn after as many bytes. */
const yieldBytes = 1024 * 1024;
const maxInputBytes = 1024 ** 3;
const maxRecords = 50_000;
/** AWS refuses smaller jobs; so does the sandbox where it is strict. */
const strictMinRecords = 100;

/** Records that a caller gave the id `error-…` fail, so that a pipeline's errors can be tried out. */
const failing = /^error-/;

/** Dependencies of the records of a job. */
export type RecordsContext = Pick<SandboxContext, "options" | "faults" | "now" | "id"> & {
  readonly data: S3Data;
};

/** One object of a job's input and the key of its results. */
interface InputFile {
  readonly object: StoredObject;
  readonly resultKey: string;
}

interface Line {
  readonly recordId: string;
  readonly modelInput: JsonObject;
  /** The whole line, to be echoed to the letter of its numbers. */
  readonly text: string;
}

/**
 * Validates a job's input as Bedrock does before it runs: that it is there, JSONL, and of a size
 * that is allowed; what is in `modelInput` is not looked at.
 *
 * @returns How many records there are, and how many of them will succeed.
 * @throws {Failure} Whose message is the job's.
 */
export async function validateRecords(
  job: Job,
  context: RecordsContext,
): Promise<{ total: number; success: number }> {
  const { data, options } = context;
  data.bucket(outputUri(job).bucket, job.region);
  let total = 0;
  let success = 0;
  for (const file of inputFiles(job, data)) {
    if (file.object.bytes > maxInputBytes) {
      throw refuse(`The input file ${file.object.key} is larger than 1 GB.`);
    }
    let records = 0;
    for await (const { answer } of answers(job, file, context)) {
      records++;
      if ("modelOutput" in answer) success++;
    }
    if (records > maxRecords) {
      throw refuse(`The input file ${file.object.key} has more than ${maxRecords} records.`);
    }
    total += records;
  }
  const least = options.strict ? strictMinRecords : 1;
  if (total < least) {
    throw refuse(`The input has ${total} records; a job needs at least ${least}.`);
  }
  return { total, success };
}

/**
 * Answers the first records of a job and writes the results and the manifest.
 *
 * @param limit How many of all records are processed.
 */
export async function runRecords(
  job: Job,
  total: number,
  limit: number,
  context: RecordsContext,
): Promise<Counts> {
  const { data, faults } = context;
  const tally = { processed: 0, success: 0, inputTokens: 0, outputTokens: 0 };
  const output = outputUri(job);
  const encoder = new TextEncoder();
  const headers = { "content-type": "application/octet-stream" };
  data.createBucket(output.bucket, job.region);
  const write = (key: string, body: ReadableStream<Uint8Array>) =>
    data.put(output.bucket, key, { body, headers });

  async function* lines(file: InputFile): AsyncGenerator<string> {
    for await (const { line, answer } of answers(job, file, context)) {
      if (tally.processed >= limit) return;
      tally.processed++;
      const { recordId, text } = line;
      const modelInput = withNumberText(text).modelInput;
      if ("modelOutput" in answer) {
        tally.success++;
        tally.inputTokens += answer.inputTokens;
        tally.outputTokens += answer.outputTokens;
      }
      const end = "modelOutput" in answer ? { modelOutput: answer.modelOutput } : { error: answer };
      const written = JSON.stringify({ recordId, modelInput, ...end });
      yield* Array.from({ length: resultLines(promptOf(line.modelInput)) }, () => written);
    }
  }

  async function* bytes(file: InputFile): AsyncGenerator<Uint8Array> {
    const shuffled = reversedInBlocks(lines(file));
    for await (const line of faults?.resultLines(shuffled) ?? shuffled) {
      yield encoder.encode(`${line}\n`);
    }
  }

  for (const file of inputFiles(job, data)) {
    await write(file.resultKey, ReadableStream.from(bytes(file)));
  }
  const { processed, success, inputTokens, outputTokens } = tally;
  const error = processed - success;
  const manifest = {
    totalRecordCount: total,
    processedRecordCount: processed,
    successRecordCount: success,
    errorRecordCount: error,
    inputTokenCount: inputTokens,
    outputTokenCount: outputTokens,
  };
  const text = encoder.encode(JSON.stringify(manifest));
  const key = `${resultFolder(job, output)}manifest.json.out`;
  await write(key, ReadableStream.from([text]));
  return { total, processed, success, error };
}

function outputUri({ output }: Job): S3Uri {
  return uri(output.s3OutputDataConfig.s3Uri);
}

function uri(text: string): S3Uri {
  const parsed = parseS3Uri(text);
  if (parsed === undefined) throw refuse("The S3 URI does not name a bucket that could exist.");
  return parsed;
}

/** `prefix/jobId/`, with one slash between them whether the URI ends in one or not. */
function resultFolder({ id }: Job, { key }: S3Uri): string {
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  return `${prefix}${id}/`;
}

/** The object that the input URI names, else the `.jsonl` objects of the folder that it names. */
function inputFiles(job: Job, data: S3Data): InputFile[] {
  const text = job.input.s3InputDataConfig.s3Uri;
  const { bucket, key } = uri(text);
  const folder = resultFolder(job, outputUri(job));
  data.bucket(bucket, job.region);
  const object = data.find(bucket, key);
  if (object !== undefined) {
    const name = key.slice(key.lastIndexOf("/") + 1);
    return [{ object, resultKey: `${folder}${name}.out` }];
  }
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  const files = data.objects(bucket)
    .filter((each) => each.key.startsWith(prefix) && each.key.endsWith(".jsonl"))
    .map((each) => ({ object: each, resultKey: `${folder}${each.key.slice(prefix.length)}.out` }));
  if (files.length === 0) {
    throw refuse(`There is no input at ${text}: upload a .jsonl file before the job is created.`);
  }
  return files;
}

async function* answers(
  job: Job,
  file: InputFile,
  { data, id, now }: RecordsContext,
): AsyncGenerator<{ line: Line; answer: Answer }> {
  const model = modelFor(job.modelId, job.modelInvocationType);
  for await (const line of records(data, file.object)) {
    const answer = failing.test(line.recordId)
      ? { errorCode: 500, errorMessage: "The simulated model fails records named error-…." }
      : askedFailure(line.modelInput) ??
        model(line.modelInput, { id: id(24), createdAt: now() });
    yield { line, answer };
  }
}

async function* records(data: S3Data, object: StoredObject): AsyncGenerator<Line> {
  let number = 0;
  let sinceYield = 0;
  const lines = data.read(object).pipeThrough(splitLines({ maxLineBytes }));
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const bytes of lines) {
    number++;
    sinceYield += bytes.length;
    if (sinceYield >= yieldBytes) {
      sinceYield = 0;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (isBlank(bytes)) continue;
    const where = `line ${number} of ${object.key}`;
    const text = attempt(() => decoder.decode(bytes), `The bytes of ${where} are not UTF-8.`);
    const record = attempt(() => JSON.parse(text) as Json, `Cannot read ${where}: it is not JSON.`);
    const { recordId, modelInput } = isObject(record) ? record : {};
    if (!isObject(modelInput)) throw refuse(`There is no modelInput object in ${where}.`);
    if (recordId !== undefined && typeof recordId !== "string") {
      throw refuse(`The recordId in ${where} is not a string.`);
    }
    yield {
      // Bedrock gives a record without an id one of its own.
      recordId: recordId ?? `CALL${`${number}`.padStart(7, "0")}`,
      modelInput,
      text,
    };
  }
}

/** What the runtime has (Deno 2.9.6) and the compiler's library does not know of yet. */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (name: string, value: Json, context: { readonly source: string }) => Json,
  ): JsonObject;
  rawJSON(text: string): Json;
};

/** Numbers keep their text when the value is written again: 1.10 and 2^64 stay what they were. */
function withNumberText(text: string): JsonObject {
  return json.parse(
    text,
    (_name, value, { source }) => typeof value === "number" ? json.rawJSON(source) : value,
  );
}

/** Bedrock does not keep the order of records, so neither do we: blocks of 16, each backwards. */
async function* reversedInBlocks<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item> {
  let block: Item[] = [];
  for await (const item of items) {
    block.push(item);
    if (block.length < 16) continue;
    yield* block.reverse();
    block = [];
  }
  yield* block.reverse();
}

function attempt<Value>(read: () => Value, message: string): Value {
  try {
    return read();
  } catch (error) {
    throw new Failure("invalid", message, { cause: error });
  }
}

const refuse = (message: string): Failure => new Failure("invalid", message);
