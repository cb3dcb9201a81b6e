/** Folders beside the catalog in which copies of it are made, and what is left of them by a crash. */

/** A folder that nobody else uses. */
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
  const path = await Deno.makeTempDir({ dir: parent, prefix });
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
    try {
      if (await isLeft(path)) await Deno.remove(path, { recursive: true });
    } catch (error) {
      // Another process was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function isLeft(path: string): Promise<boolean> {
  let lock: Deno.FsFile;
  try {
    lock = await Deno.open(`${path}/${lockName}`, { read: true, write: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const { mtime } = await Deno.stat(path);
    return mtime !== null && mtime.getTime() < Date.now() - youngMilliseconds;
  }
  using held = lock;
  return await held.tryLock(true);
}
