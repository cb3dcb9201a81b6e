/** Cutting translated records into shards within the provider's limits. */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import type { StoredBytes } from "../../catalog/shard_entries.ts";
import { type BlobName, blobName } from "../../codecs/ids.ts";
import { splitLines } from "../../codecs/jsonl.ts";
import type { BlobDraft, BlobStore } from "../../blobs/store.ts";
import type { BatchLimits } from "../../providers/provider.ts";
import { type InputPosition, InputPositions } from "./positions.ts";

/** Lines are written in blocks of about this size. */
const blockBytes = 256 * 1024;
/** A record that a shard holds can be this long. */
const maxLineBytes = 256 * 2 ** 20;
const utf8 = new TextEncoder();
const utf8Text = new TextDecoder("utf-8", { ignoreBOM: true });

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

  /** Writes bytes behind what was added. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.flush();
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    await this.#draft.write(bytes);
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
  /** Physical lines of the input that its first and its last record are on; none in a folder. */
  readonly span?: readonly [first: number, last: number];
  /** Whether each line between them is one that was sent, in this order. */
  readonly isInARow?: true;
  readonly lines: StoredBytes;
}

interface OpenShard {
  readonly blob: GrowingBlob;
  readonly positions: InputPositions;
  bytes: number;
}

/** A shard that was cut, with the positions of its records while it may be cut again. */
interface Cut {
  readonly shard: CutShard;
  readonly positions: InputPositions;
}

/** Cuts records into shards, each of which is within the limits; the last two are of one size. */
export class Cutter {
  readonly #shards: CutShard[] = [];
  readonly #store: BlobStore;
  readonly #limits: BatchLimits;
  readonly #name: (n: number) => BlobName;
  readonly #signal: AbortSignal;
  /** The number of the first shard. */
  readonly #firstNumber: number;
  readonly #isOneFile: boolean;
  #open: OpenShard | undefined;
  #previous: Cut | undefined;

  /**
   * @param name The name of a shard's blob.
   * @param isOneFile Whether the lines of the records count through the whole input.
   */
  constructor(
    store: BlobStore,
    limits: BatchLimits,
    name: (n: number) => BlobName,
    signal: AbortSignal,
    firstNumber: number,
    isOneFile: boolean,
  ) {
    this.#store = store;
    this.#limits = limits;
    this.#name = name;
    this.#signal = signal;
    this.#firstNumber = firstNumber;
    this.#isOneFile = isOneFile;
  }

  /**
   * Adds a record.
   *
   * @param text Its line as the provider takes it, without a line feed; within the limit of one record.
   */
  async add(position: InputPosition, text: string): Promise<void> {
    const bytes = byteLength(text) + 1;
    const { records: most, bytes: mostBytes } = this.#limits;
    const isFull = this.#open !== undefined &&
      (this.#open.positions.count >= most || this.#open.bytes + bytes > mostBytes);
    if (isFull) await this.#close();
    const shard = this.#open ??= await this.#begin();
    shard.positions.add(position);
    shard.bytes += bytes;
    if (shard.blob.add(`${text}\n`)) await shard.blob.flush();
  }

  /** Keeps the last shard. */
  async end(): Promise<readonly CutShard[]> {
    const before = this.#previous;
    await this.#close();
    const last = this.#previous;
    if (before && last && last !== before) await this.#even(before, last);
    return this.#shards;
  }

  /** Leaves nothing behind of a shard that was not kept. */
  async discard(): Promise<void> {
    await this.#open?.blob.discard();
  }

  async #begin(): Promise<OpenShard> {
    return {
      blob: new GrowingBlob(await this.#store.draft()),
      positions: new InputPositions(),
      bytes: 0,
    };
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    const n = this.#firstNumber + this.#shards.length;
    const { blob, positions } = this.#open;
    const shard = await this.#keep(n, this.#name(n), blob, positions);
    this.#open = undefined;
    this.#shards.push(shard);
    this.#previous = { shard, positions };
  }

  async #keep(n: number, name: BlobName, blob: GrowingBlob, positions: InputPositions) {
    const { first, last, count, isInARow } = positions;
    const lines = await blob.keep(() => name, this.#signal);
    await blob.discard();
    return {
      n,
      first: first.record,
      last: last.record,
      records: count,
      ...(this.#isOneFile && { span: [first.line, last.line] as const }),
      ...(this.#isOneFile && isInARow && { isInARow: true as const }),
      lines,
    } as const;
  }

  /** Moves records from the last shard but one to the last one, where both then are within limits. */
  async #even(left: Cut, right: Cut): Promise<void> {
    const half = Math.ceil((left.positions.count + right.positions.count) / 2);
    if (half >= left.positions.count) return;
    const halves = [await this.#begin(), await this.#begin()] as const;
    try {
      for (const { shard: { lines: { blob } }, positions } of [left, right]) {
        const body = await this.#store.open(blob, { first: 0 }, this.#signal);
        const its = positions[Symbol.iterator]();
        for await (const line of body.pipeThrough(splitLines({ maxLineBytes }))) {
          const shard = halves[0].positions.count < half ? halves[0] : halves[1];
          const { value: position } = its.next();
          if (position) shard.positions.add(position);
          shard.bytes += line.length + 1;
          if (shard.blob.add(`${utf8Text.decode(line)}\n`)) await shard.blob.flush();
        }
      }
      if (halves.some(({ bytes }) => bytes > this.#limits.bytes)) return;
      this.#shards.splice(-2);
      for (const { blob, positions } of halves) {
        const n = this.#firstNumber + this.#shards.length;
        this.#shards.push(await this.#keep(n, blobName(`${this.#name(n)}-even`), blob, positions));
      }
    } finally {
      for (const { blob } of halves) await blob.discard();
    }
    for (const { shard } of [left, right]) await this.#store.remove(shard.lines.blob, this.#signal);
  }
}

/** Bytes of a text in UTF-8, without encoding it. */
function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
