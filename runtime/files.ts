/** Helpers for the file system. */
import { basename } from "node:path";
import { createMemoryFile, type NamelessFile } from "./memory_file.ts";

/** Returns what a call to the file system answers; undefined where there is no such file. */
export async function found<Result>(call: Promise<Result>): Promise<Result | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The names in a folder; none where there is no such folder. */
export async function entries(path: string): Promise<string[]> {
  const names: string[] = [];
  const read = async () => {
    for await (const { name } of Deno.readDir(path)) names.push(name);
  };
  await found(read());
  return names;
}

/**
 * Makes an empty file with a new name in a folder, for this user only.
 *
 * @returns Its path below the folder as that was given.
 */
export async function makeFileIn(folder: string, prefix: string): Promise<string> {
  return `${folder}/${basename(await Deno.makeTempFile({ dir: folder, prefix }))}`;
}

/** Makes a folder with a new name in a folder; answers as {@linkcode makeFileIn}. */
export async function makeFolderIn(folder: string, prefix: string): Promise<string> {
  return `${folder}/${basename(await Deno.makeTempDir({ dir: folder, prefix }))}`;
}

/**
 * Opens a file that no folder names, so that nothing is left of it once it is closed.
 *
 * @param prefix Of its name, for as long as it has one.
 * @param folder Made if missing; the system's for temporary files where absent.
 * @returns A file in memory where the program may not write to that folder at all.
 */
export async function openNameless(
  prefix: string,
  folder: string | undefined,
): Promise<NamelessFile> {
  try {
    return await openNamelessOnDisk(prefix, folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return createMemoryFile();
    throw error;
  }
}

/** Opens such a file on disk, as {@linkcode openNameless}. */
export async function openNamelessOnDisk(
  prefix: string,
  folder: string | undefined,
): Promise<Deno.FsFile> {
  if (folder !== undefined) await Deno.mkdir(folder, { recursive: true });
  const path = folder === undefined
    ? await Deno.makeTempFile({ prefix })
    : await makeFileIn(folder, prefix);
  const file = await Deno.open(path, { read: true, write: true });
  try {
    await Deno.remove(path);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Writes all bytes of a chunk. */
export async function writeAll(
  file: Pick<Deno.FsFile, "write">,
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** Puts a file, or the names in a folder, on disk. There are systems that open no folder. */
export async function syncPath(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using file = await Deno.open(path);
  await file.sync();
}
