/** Runs the records of a simulated batch and writes its output and error files. */
import { createHash } from "node:crypto";
import type { SandboxContext } from "../context.ts";
import { type JsonObject, number, object, string } from "../json.ts";
import { resultLines } from "../model/words.ts";
import { promptOf } from "./ask.ts";
import { type InputRecord, records } from "./batch_input.ts";
import type { BatchDocument, BatchResults } from "./batch_state.ts";
import { failure } from "./failures.ts";
import type { FileStore } from "./file_store.ts";
import { openaiReply } from "./replies.ts";

/** What becomes of the records that a batch has no time for. */
const unrun = {
  expired: {
    code: "batch_expired",
    message: "This request could not be executed before the completion window expired.",
  },
  cancelled: {
    code: "batch_cancelled",
    message: "This request could not be executed because the batch was cancelled.",
  },
} as const;

/** How many lines wait to be written, so that their order is not that of the input. */
const shuffled = 16;

const chunkCharacters = 65_536;

/**
 * Runs the first `run` records, in memory bounded by a few lines, and stores both files.
 *
 * @param end How the batch ended: what the records that were not run say in the error file.
 */
export async function writeResults(
  batch: BatchDocument,
  run: number,
  end: "completed" | "expired" | "cancelled",
  files: FileStore,
  context: SandboxContext,
): Promise<BatchResults> {
  const totals = { completed: 0, failed: 0, input_tokens: 0, output_tokens: 0 };
  const write = async (name: string, lines: AsyncIterable<JsonObject>): Promise<string | null> => {
    const stored = await files.write(ReadableStream.from(encoded(lines)));
    if (stored.bytes === 0) {
      await files.remove(stored.id);
      return null;
    }
    return files.publish(stored, {
      filename: `${batch.id}_${name}.jsonl`,
      purpose: "batch_output",
      expiresAfterSeconds: batch.outputSeconds,
    }).id;
  };

  async function* successes(): AsyncGenerator<JsonObject> {
    let index = 0;
    for await (const record of records(files.read(batch.input_file_id))) {
      if (index++ >= run) return;
      if (failure(record, batch.endpoint) !== undefined) continue;
      const facts = { id: context.id(24), createdAt: context.now() };
      const body = openaiReply(batch.endpoint, record.body, facts) ?? {};
      const usage = object(body.usage);
      totals.completed++;
      totals.input_tokens += number(usage.input_tokens) ?? number(usage.prompt_tokens) ?? 0;
      totals.output_tokens += number(usage.output_tokens) ?? number(usage.completion_tokens) ?? 0;
      const line = () =>
        resultLine(record, { status_code: 200, request_id: context.id(32), body }, null);
      yield* repeated(record, line);
    }
  }

  async function* failures(): AsyncGenerator<JsonObject> {
    let index = 0;
    for await (const record of records(files.read(batch.input_file_id))) {
      if (index++ >= run) {
        yield resultLine(record, null, end === "completed" ? null : unrun[end]);
        continue;
      }
      const error = failure(record, batch.endpoint);
      if (error === undefined) continue;
      totals.failed++;
      const line = () =>
        error === "expired" ? resultLine(record, null, unrun.expired) : resultLine(
          record,
          { status_code: error.status, request_id: context.id(32), body: error.toJson() },
          null,
        );
      yield* repeated(record, line);
    }
  }

  /** As many lines as the record's text asks for. */
  const repeated = ({ body }: InputRecord, line: () => JsonObject): JsonObject[] =>
    Array.from({ length: resultLines(promptOf(batch.endpoint, body)) }, line);

  const resultLine = (
    { customId }: InputRecord,
    response: JsonObject | null,
    error: JsonObject | null,
  ): JsonObject => ({ id: `batch_req_${context.id(24)}`, custom_id: customId, response, error });

  const output = shuffle(successes());
  const output_file_id = await write("output", context.faults?.resultLines(output) ?? output);
  const error_file_id = await write("error", failures());
  return { output_file_id, error_file_id, ...totals };
}

/** Lines as bytes, many in one chunk: a write for each line would be slow. */
async function* encoded(lines: AsyncIterable<JsonObject>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "";
  for await (const line of lines) {
    text += `${JSON.stringify(line)}\n`;
    if (text.length < chunkCharacters) continue;
    yield encoder.encode(text);
    text = "";
  }
  if (text !== "") yield encoder.encode(text);
}

/**
 * Changes the order of lines, the same way each time: OpenAI promises none, so no one may rely on
 * that of the input.
 */
async function* shuffle(lines: AsyncIterable<JsonObject>): AsyncGenerator<JsonObject> {
  const waiting: JsonObject[] = [];
  for await (const line of lines) {
    waiting.push(line);
    if (waiting.length < shuffled) continue;
    const hash = createHash("sha256").update(string(line.custom_id) ?? "").digest();
    yield* waiting.splice((hash[0] ?? 0) % shuffled, 1);
  }
  yield* waiting.reverse();
}
