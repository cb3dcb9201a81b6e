/** A provider in memory, whose answers a test can hold back, break or lose. */
import { createHash } from "node:crypto";
import { Failure } from "../codecs/failure.ts";
import { type BatchId, batchId, type FileId, fileId, type JobId } from "../codecs/ids.ts";
import type { JobStatus } from "../codecs/job_status.ts";
import type {
  Batch,
  NewBatch,
  Provider,
  ProviderFile,
  StoringProvider,
} from "../providers/provider.ts";

/** What a test may do around a call: before it is carried out, or between that and its answer. */
export type Hook = (call: string, what: string, signal: AbortSignal) => void | Promise<void>;

/** A provider in memory, and what it holds and was asked. */
export interface ProviderDouble {
  readonly provider: StoringProvider;
  readonly files: Map<FileId, ProviderFile & { text: string }>;
  readonly batches: Map<BatchId, Batch>;
  /** Names of calls in their order: `files.put`, `batches.get`, … */
  readonly calls: string[];
  before: Hook;
  after: Hook;
  /** A file that was put by other means. */
  addFile(id: string, more?: Partial<ProviderFile>, text?: string): void;
  /** Results of a batch, a text each part; those of its files where absent. */
  readonly results: Map<BatchId, readonly string[]>;
  /** When results expire. */
  resultsExpireAt: Date | undefined;
  /** A batch that was made by other means. */
  addBatch(id: string, more?: Partial<Batch>): void;
  /** Moves a batch on. */
  set(id: BatchId, status: JobStatus, more?: Partial<Batch>): void;
}

/** How a double differs from the default one. */
export interface DoubleOptions {
  readonly name?: string;
  /** Items on a page of a list. */
  readonly pageSize?: number;
  readonly newestFirst?: boolean;
  readonly uniqueIds?: boolean;
  readonly now?: () => number;
  /** When files that are put expire; never without it. */
  readonly expiresAt?: Date;
  /** Ids are made of the content: a file that is there is answered again, under its first name. */
  readonly byContent?: boolean;
}

/** What a service that stores by content calls a text. */
export function contentId(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Configures doubles as the providers of a gateway, by their names. */
export function providersOf(...doubles: readonly ProviderDouble[]): ReadonlyMap<string, Provider> {
  return new Map(doubles.map(({ provider }) => [
    provider.name,
    { name: provider.name, stores: provider },
  ]));
}

/** Makes a provider with one account, `main`. Ids: `file-0`, `batch_0` and so on. */
export function createDouble(options: DoubleOptions = {}): ProviderDouble {
  const {
    name = "cloud",
    pageSize = 3,
    newestFirst = true,
    uniqueIds = true,
    byContent = false,
    now = Date.now,
  } = options;
  const files: ProviderDouble["files"] = new Map();
  const batches: ProviderDouble["batches"] = new Map();
  const results: ProviderDouble["results"] = new Map();
  const calls: string[] = [];
  let count = 0;

  async function called<Result>(
    call: string,
    what: string,
    signal: AbortSignal,
    work: () => Result | Promise<Result>,
  ): Promise<Result> {
    calls.push(call);
    signal.throwIfAborted();
    await double.before(call, what, signal);
    const result = await work();
    await double.after(call, what, signal);
    return result;
  }

  const missing = (what: string) => new Failure("not-found", `There is no ${what}`, { gone: true });

  /** A cursor is the last id, as at real providers: it fails once that is deleted. */
  function page<Item extends { id: string }>(items: Item[], cursor: string | undefined) {
    const last = cursor === undefined ? -1 : items.findIndex(({ id }) => id === cursor);
    if (cursor !== undefined && last < 0) throw new Failure("invalid", "The cursor is unknown");
    const some = items.slice(last + 1, last + 1 + pageSize);
    const end = some.at(-1);
    return items.length > last + 1 + pageSize && end
      ? { items: some, cursor: end.id }
      : { items: some };
  }

  const found = (id: FileId) => {
    const file = files.get(id);
    if (!file) throw missing(`file ${id}`);
    return file;
  };

  const double: ProviderDouble = {
    files,
    batches,
    calls,
    before: () => {},
    after: () => {},
    results,
    resultsExpireAt: undefined,
    addFile(id, more, text = "{}\n") {
      const file: ProviderFile = {
        id: fileId(id),
        name: id,
        bytes: 3,
        createdAt: new Date(now()),
        expiresAt: undefined,
        origin: "upload",
        ...more,
      };
      files.set(file.id, { ...file, text });
    },
    addBatch(id, more) {
      batches.set(batchId(id), {
        id: batchId(id),
        jobId: undefined,
        name: undefined,
        modelId: undefined,
        status: "InProgress",
        rawStatus: "running",
        input: undefined,
        results: [],
        createdAt: new Date(now()),
        endedAt: undefined,
        expiresAt: undefined,
        counts: undefined,
        message: undefined,
        tags: {},
        ...more,
      });
    },
    set(id, status, more) {
      const batch = batches.get(id);
      if (!batch) throw missing(`batch ${id}`);
      batches.set(id, { ...batch, status, ...more });
    },
    provider: {
      name,
      accounts: [{
        name: "main",
        weight: 1,
        files: {
          maxBytes: 1_000,
          parseId: (text) => /^(file|files)[-/]/.test(text) ? fileId(text) : undefined,
          put: (file, signal) =>
            called("files.put", file.name, signal, async () => {
              const text = await new Response(file.body as ReadableStream<Uint8Array<ArrayBuffer>>)
                .text();
              const id = fileId(`file-${byContent ? contentId(text) : count++}`);
              const there = files.get(id);
              if (there) return there;
              const { name, bytes } = file;
              const origin = "upload";
              const stored: ProviderFile = {
                id,
                name,
                bytes,
                createdAt: new Date(now()),
                expiresAt: options.expiresAt,
                origin,
              };
              files.set(id, { ...stored, text });
              return stored;
            }),
          head: (id, signal) => called("files.head", id, signal, () => found(id)),
          read: (id, _range, signal) =>
            called("files.read", id, signal, () => new Blob([found(id).text]).stream()),
          open: (id, _range, signal) =>
            called("files.open", id, signal, () => ({
              body: new Blob([found(id).text]).stream(),
              ranged: false,
            })),
          delete: (id, signal) => called("files.delete", id, signal, () => void files.delete(id)),
          list: (cursor, signal) =>
            called("files.list", "", signal, () => page([...files.values()], cursor)),
        },
        batches: {
          envelope: {
            name: "openai",
            uniqueIds,
            idOf: ({ id }) => typeof id === "string" ? id : undefined,
            result: ({ id, error, tokens }) => ({
              id: typeof id === "string" ? id : undefined,
              outcome: error === undefined ? "success" : "error",
              ...(typeof tokens === "number" && { inputTokens: tokens, outputTokens: 2 * tokens }),
            }),
          },
          results: (batch, signal) =>
            called("batches.results", batch.id, signal, () => ({
              parts: (results.get(batch.id) ?? []).map((text, n) => ({
                name: `part-${n}`,
                bytes: new TextEncoder().encode(text).length,
              })),
              areMore: batch.areMoreResults === true,
              expiresAt: double.resultsExpireAt,
            })),
          openResults: (id, part, _range, signal) =>
            called("batches.openResults", part, signal, () => {
              const text = results.get(id)?.[Number(part.replace("part-", ""))];
              if (text === undefined) throw missing(`results of ${id}`);
              return { body: new Blob([text]).stream(), ranged: false };
            }),
          newestFirst,
          parseId: (text) => text.startsWith("batch_") ? batchId(text) : undefined,
          create: (batch: NewBatch, signal) =>
            called("batches.create", batch.jobId, signal, () => {
              if (!files.has(batch.input)) throw missing(`file ${batch.input}`);
              const id = batchId(`batch_${count++}`);
              const { jobId, jobName: name, modelId, input, tags } = batch;
              double.addBatch(id, { jobId, name, modelId, input, tags });
              return batches.get(id) as Batch;
            }),
          get: (id, signal) =>
            called("batches.get", id, signal, () => {
              const batch = batches.get(id);
              if (!batch) throw missing(`batch ${id}`);
              return batch;
            }),
          stop: (id, signal) =>
            called("batches.stop", id, signal, () => double.set(id, "Stopping")),
          list: (cursor, signal) =>
            called("batches.list", "", signal, () => {
              const all = [...batches.values()];
              return page(newestFirst ? all.reverse() : all, cursor);
            }),
        },
      }],
    },
  };
  return double;
}

/** How many batches bear a job's id. */
export function batchesOf({ batches }: ProviderDouble, id: JobId): number {
  return [...batches.values()].filter(({ jobId }) => jobId === id).length;
}

/** A failure as of an answer that was lost. */
export const lostAnswer = () =>
  new Failure("unavailable", "The answer was lost", { outcomeUnknown: true });

/** A gate that calls wait at until it is opened. */
export function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    /** Resolves once somebody waits. */
    reached: reached.promise,
    open: () => opened.resolve(),
    wait() {
      reached.resolve();
      return opened.promise;
    },
  };
}
