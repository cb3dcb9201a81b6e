/**
 * The port: what objects and jobs may ask of an upstream. Each kind is one file or folder beside
 * this one; `registry.ts` lists them.
 *
 * Every method takes an AbortSignal, streams what can be large, and throws
 * {@linkcode Failure} for anything that the caller should know.
 */
import type { ChunkSigning } from "../codecs/chunk_signatures.ts";
import type { BatchId, FileId, JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type { DialectName } from "../dialects/names.ts";

/**
 * A configured upstream, by what it can do: requests are sent on to it as they came, or it stores
 * files and runs batches through the port below. It has one of these facets at least; what can be
 * forwarded is.
 */
export type Provider =
  & { readonly name: string }
  & (
    | { readonly forward: ForwardingProvider; readonly stores?: StoringProvider }
    | { readonly forward?: undefined; readonly stores: StoringProvider }
  );

/** The facet of files and batches of the provider's own kind, reached through its accounts. */
export interface StoringProvider {
  /** The configured name, such as `openai` or `groq`. */
  readonly name: string;
  /** At least one. A file and its jobs stay on the account that holds the file. */
  readonly accounts: readonly Account[];
  /** Absent where no job is translated to it. */
  readonly target?: TranslationTarget;
}

/** A provider as the target of translated jobs. */
export interface TranslationTarget {
  /** The kind of the provider, by which models are looked up. */
  readonly kind: string;
  /** Its own dialects; records of other ones become the first of these that they can become. */
  readonly dialects: readonly DialectName[];
  readonly limits: BatchLimits;
}

/** Limits of one batch. */
export interface BatchLimits {
  readonly records: number;
  /** Bytes of all records with their line feeds. */
  readonly bytes: number;
  /** Bytes of one record. */
  readonly recordBytes: number;
  /** Batches of one account at one time; absent: as many as there are. */
  readonly running?: number;
}

/** One API key of a provider. */
export interface Account {
  readonly name: string;
  /** Its share of new files among the provider's accounts. */
  readonly weight: number;
  /** Absent where the provider has no files that a batch could read. */
  readonly files?: FilesPort;
  readonly batches: BatchesPort;
  /** Absent where it is not watched. */
  readonly health?: AccountHealth;
}

/** Troubles of an account itself: its key, or that its credit or quota is used up. */
export type AccountTrouble = "key" | "quota";

/** Until when new work goes to other accounts, and why: a clause that names no secret. */
export interface SetAside {
  readonly trouble: AccountTrouble;
  readonly until: Date;
  readonly because: string;
}

/** How an account fares. */
export interface AccountHealth {
  /** Undefined for an account that is well, or whose time is up. */
  setAside(): SetAside | undefined;
  /** What is wrong with it, until its provider shows that it is well again; for operators only. */
  trouble(): AccountTrouble | undefined;
  /** What is asked of all accounts goes on without this one; logged once. */
  leftOut(error: unknown): void;
}

/** The facet that speaks S3 and Bedrock: requests are re-signed and streamed both ways. */
export interface ForwardingProvider {
  readonly name: string;
  /** How its credentials fare; absent where they are not watched. */
  readonly health?: AccountHealth;
  /** Sends a request on and answers with the upstream's response, body unread. */
  forward(request: ForwardRequest, signal: AbortSignal): Promise<Response>;
}

/** A request to be re-signed. */
export interface ForwardRequest {
  readonly service: "s3" | "bedrock";
  readonly method: string;
  /** Below the mount, exactly as it came: `/bucket/a%20b`, `/model-invocation-job/arn%3A…`. */
  readonly path: string;
  /** Without `?`, exactly as it came; empty where there was none. */
  readonly query: string;
  readonly headers: Headers;
  /** A body of any size is passed on as the stream it came in. */
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
  /** The region that the client signed for. */
  readonly region: string | undefined;
  /** Headers that the client's signature covers; absent where no signature was verified. */
  readonly signedHeaders?: readonly string[] | undefined;
  /** The body is the gateway's own and not a client's; its length is in the headers. */
  readonly ownBody?: true;
  /** What the body's chunks must be signed with, where the client's signature was verified. */
  readonly chunkSigning?: Pick<ChunkSigning, "key" | "timestamp" | "scope" | "seed">;
}

/** A file as its provider describes it. */
export interface ProviderFile {
  readonly id: FileId;
  /** The name that the provider shows: OpenAI's filename, Gemini's displayName. */
  readonly name: string;
  readonly bytes: number;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  /** `result`: made by the provider itself, such as a batch's output. */
  readonly origin: "upload" | "result";
}

/** A file to be stored. */
export interface NewFile {
  /** The name that the provider shows; it ends in `.jsonl`. */
  readonly name: string;
  readonly contentType: string;
  /** Exact length in bytes of what the body will yield. */
  readonly bytes: number;
  /**
   * The file's bytes. If a stream breaks, because the client went away or a digest is wrong, the
   * upload must end so that the provider keeps nothing, and `put` must throw the stream's error.
   * Its last chunk comes only after every digest was found right.
   */
  readonly body: ReadableStream<Uint8Array> | Uint8Array;
  /**
   * Receives each line as it passes, as `idIn` reads it, or of a beginning that holds its id; by
   * providers that have `idIn`.
   */
  readonly seeLine?: (text: string, start: number, end: number) => void;
}

/** Bytes from `first` up to and including `last`; without `last` up to the end. */
export interface ByteRange {
  readonly first: number;
  readonly last?: number;
}

/** A file's bytes as its provider gave them. */
export interface OpenedFile {
  readonly body: ReadableStream<Uint8Array>;
  /** Whether the body is the range that was asked for; if not, it is the whole file. */
  readonly ranged: boolean;
}

/** Files at one account. */
export interface FilesPort {
  /** The largest batch input in bytes. */
  readonly maxBytes: number;
  /**
   * The id of the record on a line, as a JSON string. The line is in a text of one character a byte,
   * from `start` up to `end`, and so is the id. Present where uploaded files cannot be
   * downloaded: their ids must be noted as they pass.
   */
  readonly idIn?: (text: string, start: number, end: number) => string | undefined;
  /** Understands every spelling of a file id (`xyz`, `files/xyz`); undefined if it is not one. */
  parseId(text: string): FileId | undefined;
  put(file: NewFile, signal: AbortSignal): Promise<ProviderFile>;
  /** Throws `not-found` where there is no such file. */
  head(id: FileId, signal: AbortSignal): Promise<ProviderFile>;
  /**
   * The file's bytes, or those of the range. Throws `unsupported` with the reason where the
   * provider does not give this file back.
   */
  read(
    id: FileId,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** As `read`, but a provider that ignores ranges gives the whole file, and the answer says so. */
  open(id: FileId, range: ByteRange | undefined, signal: AbortSignal): Promise<OpenedFile>;
  /** Deletes a file; one that is gone already is not an error. */
  delete(id: FileId, signal: AbortSignal): Promise<void>;
  /** One page of all files, in any order. */
  list(cursor: string | undefined, signal: AbortSignal): Promise<Page<ProviderFile>>;
}

/** A page of a listing; without a cursor it is the last. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

/** A batch to be started. */
export interface NewBatch {
  /** Travels in the provider's own metadata, so that the batch can be found again. */
  readonly jobId: JobId;
  readonly jobName: string;
  readonly modelId: string;
  readonly input: FileId;
  /** Which batch of its job it is; absent where the job has one. */
  readonly shard?: number;
  /** The job's tags; a provider keeps as many as it has room for. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A batch whose records are sent with the request itself. */
export interface NewInlineBatch {
  /** Bytes of the records, one a line, each with its line feed. */
  readonly bytes: number;
  /** Read to its end or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
}

/** How many records are in which state. */
export interface RecordCounts {
  readonly total: number;
  readonly processed: number;
  readonly success: number;
  readonly error: number;
}

/** A batch as its provider describes it, in Bedrock's words. */
export interface Batch {
  readonly id: BatchId;
  /** Ours, where the batch was created through Batchway. */
  readonly jobId: JobId | undefined;
  /** Which batch of its job it is, where the job has several, or may have. */
  readonly shard?: number;
  /** Ours, or the provider's own name for it, where it has one. */
  readonly name: string | undefined;
  readonly modelId: string | undefined;
  readonly status: JobStatus;
  /** The provider's own word for its state, for logs. */
  readonly rawStatus: string;
  /** True where that word is not known here; the batch then counts as running. */
  readonly unknownStatus?: boolean;
  /** Absent where the records were sent inline. */
  readonly input: FileId | undefined;
  /** Files with results: output first, then errors. */
  readonly results: readonly FileId[];
  /** It is over, and reports results that are in none of these files. */
  readonly areMoreResults?: boolean;
  readonly createdAt: Date;
  readonly endedAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  /** Absent until the provider reports any. */
  readonly counts: RecordCounts | undefined;
  /** It failed because the provider's queue had no room for it: it may be started again later. */
  readonly isQueueFull?: boolean;
  /** Why it failed: at most 2,048 characters. */
  readonly message: string | undefined;
  /** The tags that travelled with it. */
  readonly tags: Readonly<Record<string, string>>;
}

/** A JSON object as a provider or a client wrote it. */
export type LineObject = Readonly<Record<string, unknown>>;

/** Facts from one line of a batch's results. */
export interface RecordResult {
  /** Of the record; absent where it has none. */
  readonly id: string | undefined;
  /** `unrun`: the batch was over before the record's turn came. */
  readonly outcome: "success" | "error" | "unrun";
  /** Absent where the provider counts none. */
  /** Cached ones among them. */
  readonly inputTokens?: number | undefined;
  readonly cachedInputTokens?: number | undefined;
  /** Those of thinking among them. */
  readonly outputTokens?: number | undefined;
}

/** How a provider writes records and their results, a JSON object a line. */
export interface Envelope {
  /** As `dialects/names.ts` calls it. */
  readonly name: string;
  /** Whether no two records of a batch may have one id. */
  readonly uniqueIds: boolean;
  /** A record's id; undefined where it has none. */
  idOf(record: LineObject): string | undefined;
  result(line: LineObject): RecordResult;
}

/** A piece of a batch's results, which are all its parts in a row. */
export interface BatchResultsPart {
  /** For `openResults`: a file's id, or a word of the provider's own. */
  readonly name: string;
  /** Bytes by the provider's own account; absent where it gives none. */
  readonly bytes?: number | undefined;
}

/** Where the results of a finished batch are. */
export interface BatchResults {
  readonly parts: readonly BatchResultsPart[];
  /** The batch reports results that it does not name: it may name them later. */
  readonly areMore?: boolean;
  /** When the provider forgets them; absent where it gives no such time. */
  readonly expiresAt?: Date | undefined;
}

/** Batches at one account. */
export interface BatchesPort {
  readonly envelope: Envelope;
  /** Whether `list` begins with the newest; without it, only all pages hold all new batches. */
  readonly newestFirst: boolean;
  /** Understands every spelling of a batch id; undefined if it is not one. */
  parseId(text: string): BatchId | undefined;
  /**
   * Starts a batch. Never repeated on a lost answer: it throws `unavailable` with `outcomeUnknown`
   * set, and the caller looks for the job id before it tries again.
   */
  create(batch: NewBatch, signal: AbortSignal): Promise<Batch>;
  /**
   * Starts a batch with its records in the request, as `create` does. Present where the provider
   * takes no files: such batches bear no job id, and the ids of their records do.
   */
  createInline?(batch: NewInlineBatch, signal: AbortSignal): Promise<Batch>;
  get(id: BatchId, signal: AbortSignal): Promise<Batch>;
  /** Where the results of a finished batch are; no parts where it has none. */
  results(batch: Batch, signal: AbortSignal): Promise<BatchResults>;
  /**
   * The bytes of a part, or those of the range; a provider that ignores ranges gives the whole part,
   * and the answer says so. Throws `not-found` where the provider has it no more.
   */
  openResults(
    id: BatchId,
    part: string,
    range: ByteRange | undefined,
    signal: AbortSignal,
  ): Promise<OpenedFile>;
  /** Asks for the batch to be stopped; `conflict` where it is over already. */
  stop(id: BatchId, signal: AbortSignal): Promise<void>;
  /** One page of all batches. */
  list(cursor: string | undefined, signal: AbortSignal): Promise<Page<Batch>>;
}
