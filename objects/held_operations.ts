/** Operations on the bytes of objects, for each kind of place that they are in. */
import type { BlobStore } from "../blobs/store.ts";
import type { HeldIn, HeldKinds } from "../catalog/held.ts";
import type { ResultsCatalog } from "../catalog/results.ts";
import type { FileId } from "../codecs/ids.ts";
import type { StoringProvider } from "../providers/provider.ts";
import type { KeptObjects } from "./kept.ts";
import type { ReadSpool, SpoolRange } from "./read_spool.ts";

/** Dependencies of opening and deleting. */
export interface HeldDeps {
  readonly catalog: ResultsCatalog;
  /** The store of results, where they are kept. */
  readonly store?: BlobStore;
  readonly kept: KeptObjects;
  /** Without it, each range is asked of the provider, whatever that makes of ranges. */
  readonly reads?: ReadSpool;
}

/** Dependencies of opening bytes for a reader. */
export interface OpenDeps extends HeldDeps {
  /** Of the reader: shares of the gateway's disk are each tenant's own. */
  readonly tenant: string;
}

/** Bytes that are in one of some places. */
export interface HeldObject<In extends keyof HeldKinds = keyof HeldKinds> {
  /** What the names of the object are counted by. */
  readonly file: FileId;
  readonly held: HeldIn<In>;
  readonly bytes: number;
}

/** Operations on bytes that are held in one way. */
export interface HeldOperations<In extends keyof HeldKinds> {
  /** Opens a range of the bytes; both ends inclusive. */
  open(
    deps: OpenDeps,
    provider: StoringProvider,
    object: HeldObject<In>,
    range: SpoolRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  remove(
    deps: HeldDeps,
    provider: StoringProvider,
    object: Pick<HeldObject<In>, "file" | "held">,
    signal: AbortSignal,
  ): Promise<void>;
}
