/** What the simulation remembers, as the store keeps it, and the names of things. */
import type { Json, SandboxContext, Store } from "../context.ts";

/** A file, uploaded or made by a batch. */
export type FileRecord = {
  /** Without `files/`. */
  id: string;
  displayName: string;
  mimeType: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
  source: "UPLOADED" | "GENERATED";
  blob: string;
  createdAt: string;
  expiresAt: string;
};

/** A resumable upload. */
export type UploadRecord = {
  id: string;
  status: "active" | "final" | "cancelled";
  /** Total length that the client announced; null where it did not. */
  declaredBytes: number | null;
  receivedBytes: number;
  /** Blobs with what was received so far, in order. */
  pieces: string[];
  fileId: string;
  displayName: string;
  mimeType: string;
};

/** A google.rpc.Status. */
export type RpcStatus = { code: number; message: string };

/** What reading the whole input once has shown. */
export type InputCheck =
  | { valid: true; total: number; failing: number }
  | { valid: false; error: RpcStatus };

/** A batch. */
export type BatchRecord = {
  /** Without `batches/`. */
  id: string;
  method: "generateContent" | "embedContent";
  /** With `models/` or `tunedModels/`. */
  model: string;
  displayName: string;
  priority: string;
  /** Without `files/`; null where the requests came inline. */
  inputFile: string | null;
  inputBlob: string;
  createdAt: string;
  cancelledAt: string | null;
  check: InputCheck | null;
  /** Blob with the result lines, once they are written. */
  resultBlob: string | null;
  /** Nothing will change any more; the input is not needed. */
  settled: boolean;
};

/** A collection of one kind of record. */
export interface Collection<Item extends Json> {
  get(id: string): Item | undefined;
  set(id: string, item: Item): void;
  delete(id: string): boolean;
  all(): Item[];
}

function collection<Item extends Json>(store: Store, name: string): Collection<Item> {
  return {
    // Only this file writes to the collection, so what comes out has the type that went in.
    get: (id) => store.get(name, id) as Item | undefined,
    set: (id, item) => store.set(name, id, item),
    delete: (id) => store.delete(name, id),
    all: () => store.list(name).map(([, item]) => item as Item),
  };
}

/** Everything that the simulation remembers. */
export interface Records {
  readonly files: Collection<FileRecord>;
  readonly uploads: Collection<UploadRecord>;
  readonly batches: Collection<BatchRecord>;
}

/** The collections of a store. */
export function createRecords(store: Store): Records {
  return {
    files: collection(store, "files"),
    uploads: collection(store, "uploads"),
    batches: collection(store, "batches"),
  };
}

/** What the rooms of this simulator share. */
export interface Gemini {
  readonly context: SandboxContext;
  readonly records: Records;
  /** Runs one piece of work at a time for each key, in the order of the calls. */
  readonly inTurn: <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;
}

/** Makes {@linkcode Gemini.inTurn}. */
export function createTurns(): Gemini["inTurn"] {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
    last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (last.get(key) === turn) last.delete(key);
    }
  };
}
