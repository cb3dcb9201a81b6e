/**
 * Translating a file: a stream of JSON Lines, a record a line, in memory of one line. The command
 * `translate` and the preparation of jobs both read their inputs here.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { type Breath, createBreath } from "../runtime/breath.ts";
import { detectDialect, fitsFile, hasEnvelopeOf } from "./detect.ts";
import { envelope } from "./envelopes.ts";
import { recordError } from "./errors.ts";
import { type Json, JsonError, parseJson, type Raw } from "./json.ts";
import { type LinePosition, LineReader, type SplitLine } from "./lines.ts";
import type { Loss } from "./loss.ts";
import { type DialectName, envelopeOf } from "./names.ts";
import { object, quote } from "./raw.ts";
import { type RequestTarget, type TranslatedRequest, translateRequest } from "./translate.ts";

/** A record's place, and its id as it comes back in results: JSON. */
export interface RecordPosition extends LinePosition {
  readonly id: Raw;
}

/** A record that was read. */
export interface ReadRecord extends RecordPosition {
  readonly kind: "record";
  /** The parsed line. */
  readonly json: Json;
}

/** A line with an id that is too long to be read; its record is refused with 413. */
export interface LongRecord extends RecordPosition {
  readonly kind: "long";
}

/** A line that is not a record of its file. */
export interface BrokenLine extends LinePosition {
  readonly kind: "broken";
  /** Completes "line 5 is …", without a full stop. Never a value of the line. */
  readonly reason: string;
}

/** The file that is read. */
export interface SourceFile {
  readonly dialect: DialectName;
  /** The line whose record decided the dialect. */
  readonly firstLine?: number | undefined;
  /** Whether the user named the dialect: lines are then of it if they have its envelope. */
  readonly isDeclared?: boolean | undefined;
  /** The job's model: decides what a record is whose form leaves it open. */
  readonly modelId?: string | undefined;
  /** Bytes of a line; see `maxLineBytes`. */
  readonly maxLineBytes?: number | undefined;
}

/** Ends the work, and gives others their turns meanwhile. */
export interface StreamDeps {
  readonly breath?: Breath | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the records of a file, in order, each with its place. */
export async function* readRecords(
  bytes: AsyncIterable<Uint8Array>,
  file: SourceFile,
  { signal, breath = createBreath({ signal }) }: StreamDeps = {},
): AsyncGenerator<ReadRecord | LongRecord | BrokenLine> {
  const lines = new LineReader(file.maxLineBytes);
  for await (const chunk of bytes) {
    for (const line of lines.push(chunk)) {
      yield readRecord(line, file);
      if (breath.isDue()) await breath.take();
    }
    signal?.throwIfAborted();
  }
  for (const line of lines.end()) yield readRecord(line, file);
}

/** Reads a line as a record of its file. */
export function readRecord(
  { bytes, isCut, ...place }: SplitLine,
  file: SourceFile,
): ReadRecord | LongRecord | BrokenLine {
  if (isCut) {
    const id = firstId(bytes, file.dialect);
    return id === undefined
      ? { kind: "broken", ...place, reason: "too long to be read, and does not begin with its id" }
      : { kind: "long", ...place, id };
  }
  const json = parseLine(bytes);
  if (typeof json === "string") return { kind: "broken", ...place, reason: json };
  const reason = misfit(json, file);
  if (reason !== undefined) return { kind: "broken", ...place, reason };
  return { kind: "record", ...place, id: recordId(json, file.dialect, place.line), json };
}

// A fatal decoder takes five times as long (Deno 2.9.6), so that bytes are checked apart.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Parses a line, or says what it is instead: completes "line 5 is …". */
export function parseLine(bytes: Uint8Array): Json | string {
  if (!isUtf8(bytes)) return "not valid UTF-8";
  try {
    return parseJson(utf8.decode(bytes));
  } catch (error) {
    if (error instanceof JsonError) return error.message;
    throw error;
  }
}

function misfit(json: Json, file: SourceFile): string | undefined {
  const { dialect, firstLine = 1, isDeclared, modelId } = file;
  if (isDeclared) {
    return hasEnvelopeOf(json, dialect) ? undefined : `not a record of ${dialect}`;
  }
  const detected = detectDialect(json, modelId);
  if (fitsFile(detected, dialect)) return undefined;
  if ("unknown" in detected) return detected.unknown;
  const own = "dialect" in detected ? detected.dialect : `${detected.form} of ${detected.native}`;
  return `a record of ${own}, and line ${firstLine} is one of ${dialect}`;
}

/** The id of a record as it comes back in results; one that has none gets one by its line. */
export function recordId(json: Json, dialect: DialectName, line: number): Raw {
  const id = envelope(envelopeOf(dialect)).readId(json)?.raw;
  return id === undefined || id === '""' ? quote(madeId(line)) : id;
}

/** The id of a record that has none, by its physical line. */
export function madeId(line: number): string {
  return `CALL${String(line).padStart(7, "0")}`;
}

const idNames = { bedrock: "recordId", openai: "custom_id", gemini: "key", anthropic: "custom_id" };

/** The id of a line whose end is not known, where it begins with one. */
function firstId(bytes: Uint8Array, dialect: DialectName): Raw | undefined {
  const head = new TextDecoder().decode(bytes.subarray(0, maxHeadBytes));
  const name = idNames[envelopeOf(dialect)];
  const found = /^\s*\{\s*"(\w+)"\s*:\s*("(?:[^"\\]|\\.)+"|-?[0-9][0-9.eE+-]*)\s*,/.exec(head);
  return found?.[1] === name ? found[2] : undefined;
}

const maxHeadBytes = 64 * 2 ** 10;

/** What the records of a file are translated to. */
export interface StreamTarget extends Omit<RequestTarget, "from"> {
  /** The record's id on the wire: unique, and of the target's form. */
  wireId(record: RecordPosition): string;
  /** Bytes of a line that the provider takes. */
  readonly maxRecordBytes?: number | undefined;
}

/** A record's id on the wire by its number: fits every provider, and sorts as text. */
export function numberedId({ record }: Pick<LinePosition, "record">): string {
  return `r${String(record).padStart(7, "0")}`;
}

/** A record with its translation, or the error that it ends with. */
export interface TranslatedRecord extends RecordPosition {
  readonly kind: "record";
  readonly wireId: string;
  readonly translated: TranslatedRequest;
}

/** Translates a record; one that the target cannot take has its error and its losses. */
export function translateRecord(
  record: ReadRecord | LongRecord,
  from: DialectName,
  { to, model, wireId: wireIdOf, maxRecordBytes = Infinity }: StreamTarget,
): TranslatedRecord {
  const { line, record: number, offset, length, id } = record;
  const wireId = wireIdOf(record);
  const place = { line, record: number, offset, length, id, wireId };
  if (record.kind === "long") return { kind: "record", ...place, translated: tooLong(length) };
  const translated = translateRequest(record.json, wireId, { from, to, model });
  const excess = translated.kind === "lines"
    ? translated.lines.find((text) => isOver(text, maxRecordBytes))
    : undefined;
  return {
    kind: "record",
    ...place,
    translated: excess === undefined
      ? translated
      : tooLong(Buffer.byteLength(excess), maxRecordBytes, translated.losses),
  };
}

/** Bytes are counted only where characters leave it open. */
function isOver(text: Raw, most: number): boolean {
  return text.length > most || text.length * 3 > most && Buffer.byteLength(text) > most;
}

function tooLong(bytes: number, most?: number, before: readonly Loss[] = []): TranslatedRequest {
  const limit = most === undefined ? "more than can be translated" : `and the target takes ${most}`;
  const reason = `the record has ${bytes} bytes, ${limit}`;
  const refused: Loss = { kind: "refused", path: "record", reason, hint: false };
  return {
    kind: "refused",
    error: recordError("too_long", `record: ${reason}`),
    losses: [...before, refused],
  };
}

/**
 * A line of `translation.ndjson`, with its line feed.
 *
 * @param file The file that the line is of, where the input is a folder.
 */
export function lossLine(
  { id, line }: RecordPosition,
  { path, kind, reason }: Loss,
  file?: string,
): string {
  return object(
    ["recordId", id],
    ["line", String(line)],
    ["path", quote(path)],
    ["loss", quote(kind)],
    ["reason", quote(reason)],
    ...file === undefined ? [] : [["file", quote(file)] as const],
  ) + "\n";
}
