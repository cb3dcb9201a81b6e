/** Cutting translated records into shards within the provider's limits. */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import type { StoredBytes } from "../../catalog/shard_entries.ts";
import type { BlobName } from "../../codecs/ids.ts";
import type { BlobDraft, BlobStore } from "../../blobs/store.ts";
import type { BatchLimits } from "../../providers/provider.ts";

/** Lines are written in blocks of about this size. */
const blockBytes = 256 * 1024;
const utf8 = new TextEncoder();

/** A text that grows, and is kept in the blob store at its end. */
export class GrowingBlob {
  readonly #draft: BlobDraft;
  readonly #hash: Hash = createHash("sha256");
  #waiting: string[] = [];
  #length = 0;
  #bytes = 0;

  constructor(draft: BlobDraft) {
    this.#draft = draft;
  }

  /** Adds a text; once it returns true, `flush` is to be awaited. */
  add(text: string): boolean {
    this.#waiting.push(text);
    this.#length += text.length;
    return this.#length >= blockBytes;
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    if (this.#length === 0) return;
    const block = utf8.encode(this.#waiting.join(""));
    this.#waiting = [];
    this.#length = 0;
    this.#hash.update(block);
    this.#bytes += block.length;
    await this.#draft.write(block);
  }

  /** Keeps the text under a name that is made of its digest. */
  async keep(name: (sha256: string) => BlobName, signal: AbortSignal): Promise<StoredBytes> {
    await this.flush();
    const sha256 = this.#hash.digest("hex");
    const facts = { bytes: this.#bytes, sha256 };
    const blob = name(sha256);
    await this.#draft.keep(blob, facts, signal);
    return { blob, ...facts };
  }

  /** Leaves nothing behind of what was not kept. */
  async discard(): Promise<void> {
    await this.#draft.discard();
  }
}

/** A shard whose records are in the blob store. */
export interface CutShard {
  readonly n: number;
  readonly first: number;
  readonly last: number;
  readonly records: number;
  readonly lines: StoredBytes;
}

interface OpenShard {
  readonly blob: GrowingBlob;
  readonly first: number;
  last: number;
  records: number;
  bytes: number;
}

/** Cuts records into shards, each of which is within the limits. */
export class Cutter {
  readonly shards: CutShard[] = [];
  readonly #store: BlobStore;
  readonly #limits: BatchLimits;
  readonly #name: (n: number) => BlobName;
  readonly #signal: AbortSignal;
  #open: OpenShard | undefined;

  /** @param name The name of a shard's blob. */
  constructor(
    store: BlobStore,
    limits: BatchLimits,
    name: (n: number) => BlobName,
    signal: AbortSignal,
  ) {
    this.#store = store;
    this.#limits = limits;
    this.#name = name;
    this.#signal = signal;
  }

  /**
   * Adds a record.
   *
   * @param record Its number.
   * @param line Its line without a line feed; within the limit of one record.
   */
  async add(record: number, line: string): Promise<void> {
    const bytes = byteLength(line) + 1;
    const { records: most, bytes: mostBytes } = this.#limits;
    const isFull = this.#open !== undefined &&
      (this.#open.records >= most || this.#open.bytes + bytes > mostBytes);
    if (isFull) await this.#close();
    const shard = this.#open ??= await this.#begin(record);
    shard.last = record;
    shard.records++;
    shard.bytes += bytes;
    if (shard.blob.add(`${line}\n`)) await shard.blob.flush();
  }

  /** Keeps the last shard. */
  async end(): Promise<readonly CutShard[]> {
    await this.#close();
    return this.shards;
  }

  /** Leaves nothing behind of a shard that was not kept. */
  async discard(): Promise<void> {
    await this.#open?.blob.discard();
  }

  async #begin(first: number): Promise<OpenShard> {
    const blob = new GrowingBlob(await this.#store.draft());
    return { blob, first, last: first, records: 0, bytes: 0 };
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    const { blob, first, last, records } = this.#open;
    const n = this.shards.length;
    const lines = await blob.keep(() => this.#name(n), this.#signal);
    await blob.discard();
    this.#open = undefined;
    this.shards.push({ n, first, last, records, lines });
  }
}

/** Bytes of a text in UTF-8, without encoding it. */
function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
