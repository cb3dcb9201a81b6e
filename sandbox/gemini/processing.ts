/** The work of a batch: its input is read once to check it, and once more to write the results. */
import type { JsonObject } from "../json.ts";
import { jsonLines } from "../streams.ts";
import { resultLines as linesAsked } from "../model/words.ts";
import { promptOf, refusal, response } from "./answers.ts";
import { GoogleError } from "./errors.ts";
import { fileExpiry } from "./files.ts";
import { readRecords } from "./lines.ts";
import { type Progress, progress, startOf } from "./progress.ts";
import type { BatchRecord, Gemini, InputCheck } from "./records.ts";

/**
 * A batch as it is now, and its progress. Work that is due by now is done first: nothing happens
 * until a caller looks. A batch that was deleted in the meantime is undefined.
 */
export function look(
  gemini: Gemini,
  id: string,
): Promise<{ batch: BatchRecord; progress: Progress } | undefined> {
  // In turn, so that the results are written once for all who look at the same time.
  return gemini.inTurn(`batch ${id}`, async () => {
    const batch = gemini.records.batches.get(id);
    if (batch === undefined) return undefined;
    const now = progress(batch, gemini.context.options, gemini.context.now());
    if (batch.settled || now.state === "BATCH_STATE_PENDING") return { batch, progress: now };
    // One that was stopped before it ran has never read its input.
    const ran = now.endedAt === undefined || now.state === "BATCH_STATE_SUCCEEDED" ||
      startOf(batch, gemini.context.options) < now.endedAt;
    if (ran) batch.check ??= await checkInput(gemini, batch);
    if (batch.check?.valid === false) batch.settled = true;
    else if (now.resultsAt !== undefined) await writeResults(gemini, batch, now.resultsAt);
    else if (now.state !== "BATCH_STATE_SUCCEEDED") batch.settled = now.endedAt !== undefined;
    gemini.records.batches.set(id, batch);
    if (batch.settled) await releaseInput(gemini, batch);
    return { batch, progress: now };
  });
}

/** Deletes the input's bytes where nothing but this batch held them. */
export async function releaseInput(gemini: Gemini, batch: BatchRecord): Promise<void> {
  const { files, batches } = gemini.records;
  const stillAFile = batch.inputFile !== null &&
    files.get(batch.inputFile)?.blob === batch.inputBlob;
  const stillRead = batches.all()
    .some((other) =>
      other.id !== batch.id && other.inputBlob === batch.inputBlob && !other.settled
    );
  if (!stillAFile && !stillRead) await gemini.context.store.deleteBlob(batch.inputBlob);
}

async function checkInput(gemini: Gemini, batch: BatchRecord): Promise<InputCheck> {
  let total = 0;
  let failing = 0;
  try {
    for await (const record of readRecords(gemini.context.store, batch)) {
      total++;
      if (refusal(record, batch) !== undefined) failing++;
    }
  } catch (error) {
    if (error instanceof GoogleError) return { valid: false, error: error.toStatus() };
    throw error;
  }
  return total > 0
    ? { valid: true, total, failing }
    : { valid: false, error: { code: 3, message: "The input file holds no requests." } };
}

async function writeResults(gemini: Gemini, batch: BatchRecord, at: Date): Promise<void> {
  const { store, faults } = gemini.context;
  const id = resultFileId(batch);
  const blob = `file-${id}`;
  const lines = resultLines(gemini, batch);
  const info = await store.writeBlob(
    blob,
    jsonLines(faults?.resultLines(lines) ?? lines),
  );
  if (batch.inputFile !== null) {
    gemini.records.files.set(id, {
      id,
      displayName: "",
      mimeType: "application/jsonl",
      bytes: info.bytes,
      sha256: info.sha256,
      source: "GENERATED",
      blob,
      createdAt: at.toISOString(),
      expiresAt: fileExpiry(gemini, at).toISOString(),
    });
  }
  batch.resultBlob = blob;
  batch.settled = true;
}

/** The id of a batch's result file: longer than the 40 characters that get and delete take. */
export function resultFileId(batch: BatchRecord): string {
  return `batch-${batch.id}`;
}

async function* resultLines(gemini: Gemini, batch: BatchRecord): AsyncGenerator<JsonObject> {
  let index = 0;
  for await (const record of readRecords(gemini.context.store, batch)) {
    const error = refusal(record, batch);
    const line = {
      ...record.identity,
      ...(error === undefined ? { response: response(record, index, batch) } : { error }),
    };
    yield* Array.from({ length: linesAsked(promptOf(record, batch)) }, () => line);
    index++;
  }
}
