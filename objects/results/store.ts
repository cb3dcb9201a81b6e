/** Where an operator keeps results, beyond the time that providers keep them. */
import type { ByteRange } from "../../providers/provider.ts";

/** What bytes that were written must be. */
export interface Facts {
  readonly bytes: number;
  /** Hex digest. */
  readonly sha256: string;
}

/** Results that are being written. */
export interface Draft {
  write(bytes: Uint8Array): Promise<void>;
  /** Keeps what was written under a name, once it was found to be what it must be. */
  keep(name: string, facts: Facts, signal: AbortSignal): Promise<void>;
  /** Leaves nothing behind of what was not kept. */
  discard(): Promise<void>;
}

/** A place for results. Names are relative paths of `[A-Za-z0-9._/-]`. */
export interface ResultStore {
  draft(): Promise<Draft>;
  /** Throws `not-found` where nothing is kept under the name. */
  open(
    name: string,
    range: ByteRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Removes what is kept; a name that is not there is no error. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}
