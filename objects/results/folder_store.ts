/** Results in a local folder. What has a name there is whole: drafts get theirs by a rename. */
import { chunkStream } from "../../runtime/chunk_stream.ts";
import { Failure } from "../../codecs/failure.ts";
import { once } from "../../runtime/single_flight.ts";
import { chunksOf, verify, writeAll } from "./draft_file.ts";
import type { Draft, ResultStore } from "./store.ts";

const draftPrefix = ".draft-";
/** A draft that is older was left by a process that died, in milliseconds. */
const draftAge = 24 * 60 * 60 * 1000;

/**
 * Makes a store in a folder, which is made if it is missing.
 *
 * @param due The earliest that it may be, in milliseconds since 1970.
 * @param failed Called where old drafts could not be cleared away; the next draft tries again.
 */
export function createFolderStore(
  folder: string,
  due: () => number,
  failed: (error: unknown) => void = () => {},
): ResultStore {
  const tidied = once(() => tidy(folder, due() - draftAge));
  return {
    async draft() {
      await Deno.mkdir(folder, { recursive: true });
      // Old drafts are in no new one's way: the next one tries again.
      await tidied().catch(failed);
      return await beginDraft(folder);
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
        throw new Failure("not-found", "The results are not in the gateway's store any more", {
          cause: error,
        });
      }
    },
    async remove(name) {
      try {
        await Deno.remove(`${folder}/${name}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}

async function beginDraft(folder: string): Promise<Draft> {
  // On the file system of the folder itself: a rename across two is none.
  const path = await Deno.makeTempFile({ dir: folder, prefix: draftPrefix });
  const file = await Deno.open(path, { read: true, write: true });
  let isOpen = true;
  let isKept = false;
  return {
    write: (bytes) => writeAll(file, bytes),
    async keep(name, facts) {
      await verify(file, facts);
      const target = `${folder}/${name}`;
      const parents = foldersOf(folder, name);
      await Deno.mkdir(parents.at(-1) ?? folder, { recursive: true });
      await Deno.rename(path, target);
      isKept = true;
      // The catalog is about to say that it is there; a crash of the machine must not deny it.
      for (const one of parents.toReversed()) await syncFolder(one);
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

/** Puts the names in a folder on disk; there are systems on which no folder can be opened. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  const file = await Deno.open(path);
  try {
    await file.sync();
  } finally {
    file.close();
  }
}

async function tidy(folder: string, before: number): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(draftPrefix)) continue;
    try {
      const { mtime } = await Deno.stat(`${folder}/${name}`);
      if (mtime && mtime.getTime() < before) await Deno.remove(`${folder}/${name}`);
    } catch (error) {
      // Another gateway, which tidies the same folder, was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
