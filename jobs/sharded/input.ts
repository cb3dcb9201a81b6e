/**
 * The input of a sharded job: read from where it is to be prepared, and from its copy afterwards.
 * What may change or go meanwhile is copied to the blob store as it is read, so that the bytes that
 * were read are the bytes that run.
 */
import type { JobEntry } from "../../catalog/entries.ts";
import type { Scope } from "../../catalog/keys.ts";
import type { ShardedPlan } from "../../catalog/plan.ts";
import type { CopiedFile, CopiedInput, PreparedEntry } from "../../catalog/shard_entries.ts";
import { Failure, type FailureKind } from "../../codecs/failure.ts";
import type { BlobName } from "../../codecs/ids.ts";
import type { LongRecord, ReadRecord } from "../../dialects/stream.ts";
import type { BlobStore } from "../../blobs/store.ts";
import type { JobTools } from "../deps.ts";
import { filesOf, mayChange } from "../source.ts";
import { GrowingBlob } from "./cut.ts";
import { workName } from "./wire.ts";

/** A file of an input that is read in a row with the others. */
export interface InputFile {
  /** Relative to the input's folder; absent where the input is one object. */
  readonly path?: string;
  /** Its bytes, decompressed. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Records of the files before it. */
  readonly before: number;
}

/** A job whose input is read. */
export interface InputJob {
  readonly scope: Scope;
  readonly job: Pick<JobEntry, "id">;
  readonly plan: ShardedPlan;
  readonly store: BlobStore;
}

/** An input that cannot be run, however often it is read. */
export class UnfitInput extends Error {
  override readonly name = "UnfitInput";
}

/** The most bytes of the list of an input's files. */
const maxListBytes = 64 * 2 ** 20;

const unfit: ReadonlySet<FailureKind> = new Set([
  "not-found",
  "precondition",
  "invalid",
  "too-large",
  "unsupported",
]);

/** Reads an input for the first time, and copies it where it may change. */
export class FirstReading {
  readonly #copies: GrowingBlob | undefined;
  readonly #files: CopiedFile[] = [];
  readonly #deps: JobTools;
  readonly #sharded: InputJob;

  private constructor(deps: JobTools, sharded: InputJob, copies: GrowingBlob | undefined) {
    this.#deps = deps;
    this.#sharded = sharded;
    this.#copies = copies;
  }

  static async begin(deps: JobTools, sharded: InputJob): Promise<FirstReading> {
    const { plan, store } = sharded;
    const copies = mayChange(plan) ? new GrowingBlob(await store.draft()) : undefined;
    return new FirstReading(deps, sharded, copies);
  }

  /**
   * Reads the files, one after the other. Throws {@linkcode UnfitInput} where an input that is copied
   * has changed, or cannot be read for good.
   *
   * @param count Returns how many records were read so far.
   */
  async *files(count: () => number, signal: AbortSignal): AsyncGenerator<InputFile> {
    const { scope, plan: { source }, job: { id } } = this.#sharded;
    const isPinned = source.in === "folder" && source.pinned !== undefined;
    const pins = isPinned ? this.#deps.catalog.pins.all(scope, id) : undefined;
    try {
      for await (const { path, open } of filesOf(this.#deps, scope, source, signal, pins)) {
        const before = count();
        let bytes = 0;
        const body = await open(signal).catch((error) => this.#fail(error, path));
        const copied = this.#copied(body, (length) => bytes += length, path);
        const named = path === undefined ? {} : { path };
        yield { ...named, bytes: copied, before };
        this.#files.push({ ...named, bytes, records: count() - before });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async *#copied(
    body: ReadableStream<Uint8Array>,
    read: (bytes: number) => void,
    path: string | undefined,
  ): AsyncGenerator<Uint8Array> {
    const chunks = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await chunks.next().catch((error) => this.#fail(error, path));
        if (done) return;
        await this.#copies?.append(value);
        read(value.length);
        yield value;
      }
    } finally {
      await chunks.return?.();
    }
  }

  #fail(error: unknown, path?: string): never {
    throw this.#copies ? unfitOf(error, path) : error;
  }

  /** Keeps the copy; undefined where there is none. */
  async keep(signal: AbortSignal): Promise<CopiedInput | undefined> {
    if (!this.#copies) return undefined;
    const { scope: { provider }, job: { id }, store } = this.#sharded;
    const bytes = await this.#copies.keep(() => workName(provider, id, "input"), signal);
    const list = new GrowingBlob(await store.draft());
    try {
      list.add(JSON.stringify(this.#files));
      const name = (): BlobName => workName(provider, id, "files");
      return { bytes, files: await list.keep(name, signal) };
    } finally {
      await list.discard();
    }
  }

  async discard(): Promise<void> {
    await this.#copies?.discard();
  }
}

/** Reads an input again, once it is prepared; one that is copied, from its copy. */
export async function* filesAgain(
  deps: JobTools,
  { scope, plan, store }: InputJob,
  prepared: PreparedEntry | undefined,
  signal: AbortSignal,
): AsyncGenerator<InputFile> {
  const copy = prepared?.copy;
  if (!copy) {
    for await (const { open } of filesOf(deps, scope, plan.source, signal)) {
      yield { bytes: await open(signal), before: 0 };
    }
    return;
  }
  let first = 0;
  let before = 0;
  for (const { bytes, records, ...named } of await listOf(store, copy, signal)) {
    const range = { first, last: first + bytes - 1 };
    const body = bytes === 0 ? new Blob([]).stream() : store.open(copy.bytes.blob, range, signal);
    yield { ...named, bytes: await body, before };
    first += bytes;
    before += records;
  }
}

async function listOf(
  store: BlobStore,
  { files: { blob, bytes } }: CopiedInput,
  signal: AbortSignal,
): Promise<CopiedFile[]> {
  if (bytes > maxListBytes) throw new Failure("too-large", "The input has too many files");
  return await new Response(await store.open(blob, { first: 0 }, signal)).json();
}

/** The record by its number among those of all files. */
export function numbered<R extends ReadRecord | LongRecord>(record: R, before: number): R {
  return before === 0 ? record : { ...record, record: record.record + before };
}

function unfitOf(error: unknown, path: string | undefined): unknown {
  if (!(error instanceof Failure) || !unfit.has(error.kind)) return error;
  const named = path === undefined ? error.message : `The input ${path}: ${error.message}`;
  const isOther = error.kind === "precondition";
  return new UnfitInput(
    isOther ? `${named}. It was changed after the job was created` : named,
    { cause: error },
  );
}
