/** Files as the simulated OpenAI keeps them: a document each, and its bytes. */
import type { BlobInfo, Json, SandboxContext } from "../context.ts";
import { unixSeconds } from "./call.ts";
import { invalid, missing, OpenAIError } from "./errors.ts";

/** A file as the API shows it, and as it is stored. A type, so that it is JSON to the compiler. */
export type FileDocument = {
  id: string;
  object: "file";
  bytes: number;
  created_at: number;
  expires_at: number | null;
  filename: string;
  purpose: string;
  status: string;
  status_details: null;
};

/** What a new file needs besides its bytes. */
export interface NewFile {
  readonly filename: string;
  readonly purpose: string;
  /** Null where it was not asked for: files for batches then live 30 days, others for ever. */
  readonly expiresAfterSeconds: number | null;
}

/** Bytes that are not a file yet. */
export interface StoredBytes extends BlobInfo {
  readonly id: string;
}

/** Batch input and output live so long where nothing else is asked for. */
const batchFileSeconds = 30 * 86_400;

/** Purposes that a client may give a file. */
const purposes: ReadonlySet<string> = new Set([
  "assistants",
  "batch",
  "fine-tune",
  "vision",
  "user_data",
  "evals",
]);

/** Returns how large a file may be: OpenAI says 200 MB and 512 MB, taken as 2²⁰ bytes each. */
export function maxBytes(purpose: string | undefined): number {
  return (purpose === "batch" ? 200 : 512) * 2 ** 20;
}

/** Throws what OpenAI answers where a file of this name, purpose and size cannot be. */
export function checkNewFile(filename: string, purpose: Json | undefined, bytes: number): string {
  if (typeof purpose !== "string" || purpose === "") throw missing("purpose");
  if (!purposes.has(purpose)) {
    throw invalid("purpose", `'${purpose}' is not one of ${[...purposes].join(", ")}.`);
  }
  if (purpose === "batch" && !filename.endsWith(".jsonl")) {
    // Seen in a public report (2026).
    throw new OpenAIError(400, "Invalid file format for Batch API. Must be .jsonl");
  }
  if (bytes > maxBytes(purpose)) throw tooLarge();
  return purpose;
}

/** A file is over its limit. The wording of the real answer is not known. */
export function tooLarge(): OpenAIError {
  return new OpenAIError(413, "The file is too large.", { param: "file" });
}

/** The files of the simulated OpenAI. */
export interface FileStore {
  /** Stores bytes under a new id, for `publish` or `remove`; nothing is kept if the body breaks. */
  write(body: ReadableStream<Uint8Array>): Promise<StoredBytes>;
  /** Makes a file of stored bytes. */
  publish(stored: StoredBytes, file: NewFile): FileDocument;
  /** Undefined where there is none, or it has expired. */
  find(id: string): FileDocument | undefined;
  /** As `find`, but a file that is not there is a 404. */
  require(id: string): FileDocument;
  /** Oldest first. */
  all(): FileDocument[];
  read(id: string, first?: number, last?: number): ReadableStream<Uint8Array>;
  remove(id: string): Promise<void>;
}

/** Makes the files over a context's store. */
export function createFileStore({ store, id: newId, now }: SandboxContext): FileStore {
  const blob = (id: string) => `files/${id}`;
  const files: FileStore = {
    async write(body) {
      const id = `file-${newId(22)}`;
      return { id, ...await store.writeBlob(blob(id), body) };
    },
    publish({ id, bytes }, { filename, purpose, expiresAfterSeconds }) {
      const created = unixSeconds(now());
      const lives = expiresAfterSeconds ?? (purpose.startsWith("batch") ? batchFileSeconds : null);
      const file: FileDocument = {
        id,
        object: "file",
        bytes,
        created_at: created,
        expires_at: lives === null ? null : created + lives,
        filename,
        purpose,
        status: "processed",
        status_details: null,
      };
      store.set("files", id, file);
      return file;
    },
    find(id) {
      const file = store.get("files", id) as FileDocument | undefined;
      return file !== undefined && isLive(file) ? file : undefined;
    },
    require(id) {
      const file = files.find(id);
      if (file === undefined) {
        throw new OpenAIError(404, `No such File object: ${id}`, { param: "id" });
      }
      return file;
    },
    all: () => store.list("files").map(([, file]) => file as FileDocument).filter(isLive),
    read: (id, first, last) => store.readBlob(blob(id), first, last),
    async remove(id) {
      store.delete("files", id);
      await store.deleteBlob(blob(id));
    },
  };
  const isLive = ({ expires_at }: FileDocument) =>
    expires_at === null || unixSeconds(now()) < expires_at;
  return files;
}
