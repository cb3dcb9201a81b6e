/** Places that an object's bytes can be in, as entries of the catalog hold them. */
import type { BatchId, BlobName, FileId } from "../codecs/ids.ts";
import type { Part } from "../codecs/pieces.ts";

/** A part of a batch's results, by the name that its provider gave it. */
export interface ResultsPart extends Part {
  readonly name: string;
}

/** A blob of the store of kept objects. */
export interface KeptBlob {
  readonly blob: BlobName;
  /** The disk that it is on; absent where every machine reaches it. */
  readonly disk?: string;
}

/** What is kept of each place that an object's bytes can be in. */
export interface HeldKinds {
  /** A provider file, perhaps with a copy of what the client sent. */
  readonly provider: { readonly file: FileId; readonly account: string; readonly copy?: KeptBlob };
  /** The results of a batch, which are served from where they are. */
  readonly batch: {
    readonly batch: BatchId;
    readonly account: string;
    readonly parts: readonly ResultsPart[];
    /** How many entries hold the spans that are left out of the parts. */
    readonly cutChunks: number;
  };
  /** One of the gateway's own stores: that of results, unless it is said to be that of objects. */
  readonly store: KeptBlob & { readonly of?: "objects" };
  /** The entry itself. */
  readonly catalog: { readonly text: string };
}

/** Where an object's bytes are, or can be, by a name of a place. */
export type HeldIn<In extends keyof HeldKinds> = {
  [K in In]: { readonly in: K } & HeldKinds[K];
}[In];

/** Where an object's bytes are. */
export type Held = HeldIn<keyof HeldKinds>;

/** Returns the blob of kept objects that holds an object's bytes, or a copy of them. */
export function keptBlobOf(held: Held): KeptBlob | undefined {
  if (held.in === "provider") return held.copy;
  return held.in === "store" && held.of === "objects" ? held : undefined;
}
