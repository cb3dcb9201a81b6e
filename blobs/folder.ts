/** Blobs in a local folder. What has a name there is whole: drafts get theirs by a rename. */
import { chunkStream } from "../runtime/chunk_stream.ts";
import { createDisk, type Disk } from "../runtime/disk.ts";
import { once } from "../runtime/single_flight.ts";
import { chunksOf, notKept, verify, verifyLength, wrongLength } from "./draft_file.ts";
import { entries, found, makeFileIn, syncPath, writeAll } from "../runtime/files.ts";
import type { BlobDraft, BlobStore, NewBlob, StoredBlob } from "./store.ts";

/** Dependencies of a store in a folder. */
export interface FolderStoreOptions {
  /** Made if it is missing. */
  readonly folder: string;
  /** Returns the earliest that it may be, in milliseconds since 1970. */
  readonly due: () => number;
  /** The disk of the folder; one without a log where absent. */
  readonly disk?: Disk;
  /** Called where old drafts could not be cleared away; the next draft tries again. */
  readonly failed?: (error: unknown) => void;
}

const draftPrefix = ".draft-";
/** A draft that is older was left by a process that died, in milliseconds. */
const draftAge = 24 * 60 * 60 * 1000;

/** Makes a store in a folder; nothing is on disk before the first draft. */
export function createFolderStore(options: FolderStoreOptions): BlobStore {
  const { folder, due, disk = createDisk("blobs"), failed = () => {} } = options;
  const tidied = once(() => tidy(folder, due() - draftAge));

  async function begin(): Promise<OpenDraft> {
    return await disk.write(async () => {
      await Deno.mkdir(folder, { recursive: true });
      // Old drafts do not hinder new ones: the next draft tries again.
      await tidied().catch(failed);
      return await beginDraft(folder);
    });
  }

  async function put(name: string, { bytes, body }: NewBlob): Promise<void> {
    let isTaken = false;
    let draft: OpenDraft | undefined;
    try {
      const { file } = draft = await begin();
      let written = 0;
      isTaken = true;
      for await (const chunk of body) {
        written += chunk.byteLength;
        if (written > bytes) throw wrongLength(bytes);
        await disk.write(() => writeAll(file, chunk));
      }
      if (written < bytes) throw wrongLength(bytes);
      const kept = draft;
      await disk.write(async () => {
        await verifyLength(file, bytes);
        await kept.name(name);
      });
    } catch (error) {
      if (!isTaken) await body.cancel(error).catch(() => {});
      throw error;
    } finally {
      await draft?.discard();
    }
  }

  return {
    put,
    async draft(): Promise<BlobDraft> {
      const { file, name: nameIt, discard } = await begin();
      return {
        write: (bytes) => disk.write(() => writeAll(file, bytes)),
        keep: (name, facts) =>
          disk.write(async () => {
            await verify(file, facts);
            await nameIt(name);
          }),
        discard,
      };
    },
    async open(name, { first, last }) {
      try {
        const file = await Deno.open(`${folder}/${name}`);
        const { size } = await file.stat();
        return chunkStream(
          chunksOf(file, first, (last ?? size - 1) - first + 1),
          () => file.close(),
        );
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        throw notKept(error);
      }
    },
    head: (name) => describe(folder, name),
    list: (prefix) => listBelow(folder, prefix),
    async remove(name) {
      await found(Deno.remove(`${folder}/${name}`));
    },
  };
}

/** A draft on disk. */
interface OpenDraft {
  readonly file: Deno.FsFile;
  /** Gives it a name, durably. */
  name(name: string): Promise<void>;
  discard(): Promise<void>;
}

async function beginDraft(folder: string): Promise<OpenDraft> {
  // On the file system of the folder itself: across two, a rename fails.
  const path = await makeFileIn(folder, draftPrefix);
  const file = await Deno.open(path, { read: true, write: true }).catch(async (error) => {
    await Deno.remove(path);
    throw error;
  });
  let isOpen = true;
  let isKept = false;
  return {
    file,
    async name(name) {
      const target = `${folder}/${name}`;
      const parents = foldersOf(folder, name);
      await Deno.mkdir(parents.at(-1) ?? folder, { recursive: true });
      await Deno.rename(path, target);
      isKept = true;
      // The catalog is about to say that it is there; a crash of the machine must not deny it.
      for (const one of parents.toReversed()) await syncPath(one);
    },
    async discard() {
      if (!isOpen) return;
      isOpen = false;
      file.close();
      if (!isKept) await Deno.remove(path);
    },
  };
}

/** The folders on the way to a name, the store's own first. */
function foldersOf(folder: string, name: string): string[] {
  const parts = name.split("/").slice(0, -1);
  return [folder, ...parts.map((_, n) => `${folder}/${parts.slice(0, n + 1).join("/")}`)];
}

async function describe(folder: string, name: string): Promise<StoredBlob | undefined> {
  const info = await found(Deno.stat(`${folder}/${name}`));
  if (!info?.isFile) return undefined;
  return { name, bytes: info.size, modifiedAt: info.mtime?.getTime() ?? 0 };
}

/** Yields the files below the folder whose names begin with a prefix. */
async function* listBelow(folder: string, prefix: string): AsyncGenerator<StoredBlob> {
  const open = [prefix.slice(0, prefix.lastIndexOf("/") + 1)];
  for (let base = open.pop(); base !== undefined; base = open.pop()) {
    for (const entry of await entries(`${folder}/${base}`)) {
      const name = base + entry;
      if (entry.startsWith(draftPrefix) || !isOnTheWay(name, prefix)) continue;
      const blob = await describe(folder, name);
      if (!blob) open.push(`${name}/`);
      else if (name.startsWith(prefix)) yield blob;
    }
  }
}

/**
 * Returns whether a name begins with a prefix, or is that of a folder which may hold such a name.
 */
function isOnTheWay(name: string, prefix: string): boolean {
  return name.startsWith(prefix) || prefix.startsWith(`${name}/`);
}

async function tidy(folder: string, before: number): Promise<void> {
  for (const name of await entries(folder)) {
    if (!name.startsWith(draftPrefix)) continue;
    // Another gateway, which tidies the same folder, may be faster.
    const info = await found(Deno.stat(`${folder}/${name}`));
    if (info?.mtime && info.mtime.getTime() < before) await found(Deno.remove(`${folder}/${name}`));
  }
}
