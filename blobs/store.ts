/** The port of a blob store: where the gateway keeps bytes of its own. Each driver is a file beside this one. */
import type { ByteRange } from "../providers/provider.ts";

/** What bytes that were written must be. */
export interface BlobFacts {
  readonly bytes: number;
  /** Hex digest. */
  readonly sha256: string;
}

/** A blob of unknown length that is being written. */
export interface BlobDraft {
  write(bytes: Uint8Array): Promise<void>;
  /** Keeps what was written under a name, once it was found to be what it must be. */
  keep(name: string, facts: BlobFacts, signal: AbortSignal): Promise<void>;
  /** Leaves nothing behind of what was not kept. */
  discard(): Promise<void>;
}

/** A blob of known length. */
export interface NewBlob {
  readonly bytes: number;
  /** Its bytes. A body that breaks, or has another length, leaves no blob. It is read to its end or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
  /** Hex digest, if known once the body has ended; compared where the store computes one too. */
  readonly md5?: () => string | undefined;
}

/** A blob in a list. */
export interface StoredBlob {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970, by the clock of the store. */
  readonly modifiedAt: number;
}

/**
 * A store of blobs. Names are relative paths of `[A-Za-z0-9._/-]`; what has a name is whole. A full
 * disk is a `Failure` of the kind `unavailable`, see `runtime/disk.ts`.
 */
export interface BlobStore {
  /** Begins a blob whose length is known only at its end. */
  draft(): Promise<BlobDraft>;
  /** Keeps a body under a name, durably. Throws what breaks the body; nothing is kept then. */
  put(name: string, blob: NewBlob, signal: AbortSignal): Promise<void>;
  /** Throws `not-found` where nothing is kept under the name. */
  open(
    name: string,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Describes a blob; undefined where nothing is kept under the name. */
  head(name: string, signal: AbortSignal): Promise<StoredBlob | undefined>;
  /** Lists the blobs whose names begin with a prefix, in any order. */
  list(prefix: string, signal: AbortSignal): AsyncGenerator<StoredBlob>;
  /** Removes a blob; a name that is not there is not an error. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}
