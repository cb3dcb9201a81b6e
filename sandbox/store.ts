/**
 * Documents and blobs of the simulated providers, in memory or in a folder.
 *
 * In a folder, each change of a document is appended to one journal before the call returns, so
 * that even a killed process loses nothing that it had answered; opening the folder, and
 * `flush`, rewrite the journal as one line a document. Blobs are files.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { BlobInfo, Json, Store } from "./context.ts";

/** A store with what its owner, the sandbox server, needs besides. */
export interface SandboxStore extends Store {
  /** Names of all collections that hold a document. */
  collections(): string[];
  /** Deletes all documents and blobs. */
  clear(): Promise<void>;
  /** Makes sure that a folder holds everything, compactly; nothing to do in memory. */
  flush(): Promise<void>;
}

/** Only for blobs: where their bytes are kept. */
interface Blobs {
  write(name: string, body: ReadableStream<Uint8Array>): Promise<BlobInfo>;
  read(name: string, first: number, last: number): ReadableStream<Uint8Array>;
  delete(name: string): Promise<void>;
  clear(): Promise<void>;
}

/** Where document changes go besides memory. */
interface Journal {
  append(entry: JournalEntry): void;
  rewrite(documents: Documents): void;
}

/** A document as text: nothing that a caller does to a value it was given changes the store. */
type Documents = Map<string, Map<string, string>>;
type JournalEntry = [collection: string, id: string, document: Json] | [string, string];

/**
 * Opens a store.
 *
 * @param folder Made if missing; without it everything is in memory.
 */
export async function createStore(folder?: string): Promise<SandboxStore> {
  const documents: Documents = new Map();
  const blobs = folder === undefined ? memoryBlobs() : await folderBlobs(join(folder, "blobs"));
  const journal = folder === undefined
    ? undefined
    : await openJournal(join(folder, "documents.jsonl"), documents);

  return {
    get(collection, id) {
      const text = documents.get(collection)?.get(id);
      return text === undefined ? undefined : JSON.parse(text) as Json;
    },
    set(collection, id, document) {
      put(documents, collection, id, document);
      journal?.append([collection, id, document]);
    },
    delete(collection, id) {
      const deleted = drop(documents, collection, id);
      if (deleted) journal?.append([collection, id]);
      return deleted;
    },
    list(collection) {
      return Array.from(
        documents.get(collection) ?? [],
        ([id, text]): [string, Json] => [id, JSON.parse(text) as Json],
      );
    },
    writeBlob: (name, body) => blobs.write(name, body),
    readBlob: (name, first = 0, last = Infinity) => blobs.read(name, first, last),
    deleteBlob: (name) => blobs.delete(name),
    collections: () => [...documents.keys()],
    async clear() {
      documents.clear();
      journal?.rewrite(documents);
      await blobs.clear();
    },
    flush() {
      journal?.rewrite(documents);
      return Promise.resolve();
    },
  };
}

/** A part of a store: every collection and blob of it has a name that begins with the prefix. */
export function partOfStore(store: Store, prefix: string): Store {
  const within = (name: string) => `${prefix}/${name}`;
  return {
    get: (collection, id) => store.get(within(collection), id),
    set: (collection, id, document) => store.set(within(collection), id, document),
    delete: (collection, id) => store.delete(within(collection), id),
    list: (collection) => store.list(within(collection)),
    writeBlob: (name, body) => store.writeBlob(within(name), body),
    readBlob: (name, first, last) => store.readBlob(within(name), first, last),
    deleteBlob: (name) => store.deleteBlob(within(name)),
  };
}

function put(documents: Documents, collection: string, id: string, document: Json): void {
  let ids = documents.get(collection);
  if (ids === undefined) documents.set(collection, ids = new Map());
  ids.set(id, JSON.stringify(document));
}

function drop(documents: Documents, collection: string, id: string): boolean {
  const ids = documents.get(collection);
  const deleted = ids?.delete(id) ?? false;
  if (ids?.size === 0) documents.delete(collection);
  return deleted;
}

async function openJournal(path: string, documents: Documents): Promise<Journal> {
  const journal: Journal = {
    append(entry) {
      Deno.writeTextFileSync(path, JSON.stringify(entry) + "\n", { append: true });
    },
    rewrite(all) {
      // Synchronous up to the rename: a change appended in between would be lost with the old file.
      const next = `${path}.next`;
      const file = Deno.openSync(next, { write: true, create: true, truncate: true });
      try {
        const encoder = new TextEncoder();
        for (const [collection, ids] of all) {
          for (const [id, text] of ids) {
            writeAllSync(
              file,
              encoder.encode(`${JSON.stringify([collection, id]).slice(0, -1)},${text}]\n`),
            );
          }
        }
        file.syncDataSync();
      } finally {
        file.close();
      }
      Deno.renameSync(next, path);
    },
  };
  for (const [collection, id, document] of await readJournal(path)) {
    if (document === undefined) drop(documents, collection, id);
    else put(documents, collection, id, document);
  }
  journal.rewrite(documents);
  return journal;
}

async function readJournal(path: string): Promise<JournalEntry[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const lines = text.split("\n");
  // What follows the last line end is empty, or a line that a killed process had begun.
  lines.pop();
  return lines.map((line) => JSON.parse(line) as JournalEntry);
}

function writeAllSync(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}

/** Hashes a body while `keep` stores its chunks. */
async function drain(
  body: ReadableStream<Uint8Array>,
  keep: (chunk: Uint8Array) => void | Promise<void>,
): Promise<BlobInfo> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    md5.update(chunk);
    sha256.update(chunk);
    await keep(chunk);
  }
  return { bytes, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

function memoryBlobs(): Blobs {
  const blobs = new Map<string, Uint8Array[]>();
  return {
    async write(name, body) {
      const chunks: Uint8Array[] = [];
      const info = await drain(body, (chunk) => void chunks.push(chunk.slice()));
      blobs.set(name, chunks);
      return info;
    },
    read(name, first, last) {
      const chunks = blobs.get(name);
      if (chunks === undefined) throw new Deno.errors.NotFound(`There is no blob ${name}.`);
      let offset = 0;
      let index = 0;
      return new ReadableStream({
        pull(controller) {
          for (let chunk = chunks[index]; chunk !== undefined; chunk = chunks[++index]) {
            if (offset > last) break;
            const part = chunk.subarray(Math.max(0, first - offset), last - offset + 1);
            offset += chunk.length;
            if (part.length > 0) {
              index++;
              controller.enqueue(part.slice());
              return;
            }
          }
          controller.close();
        },
      }, { highWaterMark: 0 });
    },
    delete(name) {
      blobs.delete(name);
      return Promise.resolve();
    },
    clear() {
      blobs.clear();
      return Promise.resolve();
    },
  };
}

async function folderBlobs(folder: string): Promise<Blobs> {
  await Deno.mkdir(folder, { recursive: true });
  // Names can be longer than a file's name may be, and hold any character.
  const path = (name: string) => join(folder, createHash("sha256").update(name).digest("hex"));
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.endsWith(".part")) await Deno.remove(join(folder, entry.name));
  }
  let writes = 0;
  const removeIfThere = async (file: string) => {
    try {
      await Deno.remove(file);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  return {
    async write(name, body) {
      const part = `${path(name)}.${writes++}.part`;
      try {
        using file = await Deno.open(part, { write: true, create: true, truncate: true });
        const info = await drain(body, async (chunk) => {
          for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
        });
        await Deno.rename(part, path(name));
        return info;
      } catch (error) {
        await removeIfThere(part);
        throw error;
      }
    },
    read(name, first, last) {
      const file = Deno.openSync(path(name));
      file.seekSync(first, Deno.SeekMode.Start);
      let left = last - first + 1;
      return new ReadableStream({
        async pull(controller) {
          try {
            const chunk = new Uint8Array(Math.max(0, Math.min(left, 65_536)));
            const read = left <= 0 ? null : await file.read(chunk);
            if (read === null) {
              file.close();
              controller.close();
              return;
            }
            left -= read;
            controller.enqueue(chunk.subarray(0, read));
          } catch (error) {
            file.close();
            throw error;
          }
        },
        cancel() {
          file.close();
        },
      }, { highWaterMark: 0 });
    },
    delete: (name) => removeIfThere(path(name)),
    async clear() {
      await Deno.remove(folder, { recursive: true });
      await Deno.mkdir(folder, { recursive: true });
    },
  };
}
