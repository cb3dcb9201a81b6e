/** Folders beside the catalog in which copies of it are made, and what is left of them by a crash. */
import { found, makeFolderIn } from "../runtime/files.ts";

/** A folder that no other process uses. */
export interface DraftFolder extends AsyncDisposable {
  readonly path: string;
}

const prefix = "catalog-copy-";
/** Held while the folder is used; a lock goes with its process. */
const lockName = "lock";
/** A folder without that file is being made, or was left over a crash just then, in milliseconds. */
const youngMilliseconds = 3_600_000;

/** Makes a folder for this user only, until it is disposed of. */
export async function makeDraftFolder(parent: string): Promise<DraftFolder> {
  const path = await makeFolderIn(parent, prefix);
  const lock = await Deno.open(`${path}/${lockName}`, { write: true, create: true, mode: 0o600 });
  await lock.lock(true);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
      lock.close();
    },
  };
}

/** Removes the folders of processes that are gone. */
export async function tidyDrafts(parent: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    if (!isDirectory || !name.startsWith(prefix)) continue;
    const path = `${parent}/${name}`;
    // Not found where another process was faster.
    if (await found(isLeft(path))) await found(Deno.remove(path, { recursive: true }));
  }
}

async function isLeft(path: string): Promise<boolean> {
  using lock = await found(Deno.open(`${path}/${lockName}`, { read: true, write: true }));
  if (lock) return await lock.tryLock(true);
  const { mtime } = await Deno.stat(path);
  return mtime !== null && mtime.getTime() < Date.now() - youngMilliseconds;
}
