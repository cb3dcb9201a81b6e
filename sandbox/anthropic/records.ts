/** What the simulation remembers, as the store keeps it. */
import type { Json, SandboxContext, Store } from "../context.ts";

/** How many requests ended in which way. */
export type Counts = { succeeded: number; errored: number; canceled: number; expired: number };

/** A message batch. */
export type BatchRecord = {
  id: string;
  /** `anthropic-version` of the request that created it: newer ones refuse sampling parameters. */
  version: string;
  total: number;
  /** Blob with one `{custom_id, params}` a line. */
  inputBlob: string;
  createdAt: string;
  cancelledAt: string | null;
  /** Set once the results are written. */
  counts: Counts | null;
  resultBlob: string | null;
};

/** A file. */
export type FileRecord = {
  id: string;
  filename: string;
  mimeType: string;
  bytes: number;
  blob: string;
  createdAt: string;
  expiresAt: string | null;
};

/** A collection of one kind of record. */
export interface Collection<Item extends Json> {
  get(id: string): Item | undefined;
  set(id: string, item: Item): void;
  delete(id: string): boolean;
  /** Newest first. */
  all(): Item[];
}

/** What the rooms of this simulator share. */
export interface Anthropic {
  readonly context: SandboxContext;
  readonly batches: Collection<BatchRecord>;
  readonly files: Collection<FileRecord>;
}

/** Opens what the simulation remembers. */
export function openRecords(context: SandboxContext): Anthropic {
  return {
    context,
    batches: collection(context.store, "batches"),
    files: collection(context.store, "files"),
  };
}

function collection<Item extends Json>(store: Store, name: string): Collection<Item> {
  return {
    // Only this file writes to the collection, so what comes out has the type that went in.
    get: (id) => store.get(name, id) as Item | undefined,
    set: (id, item) => store.set(name, id, item),
    delete: (id) => store.delete(name, id),
    all: () => store.list(name).map(([, item]) => item as Item).reverse(),
  };
}
