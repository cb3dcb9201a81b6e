/** Which disk a folder is on, so that gateways of several machines know their own. */
import { found } from "../runtime/files.ts";

/** Characters of an id; a file with fewer is just being written. */
const idLength = 36;
/** How often an id that is being written is looked for, and the pause between, in milliseconds. */
const looks = 100;
const pause = 10;

/**
 * The id of a folder, made at the first call for it and kept in it: all processes that see the same
 * folder, also one of a network's file system, get the same. Throws what the file system does.
 */
export async function diskId(folder: string): Promise<string> {
  const path = `${folder}/disk-id`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  for (let look = 0; look < looks; look++) {
    const known = await found(Deno.readTextFile(path));
    if (known?.length === idLength) return known;
    if (known !== undefined) await new Promise((resolve) => setTimeout(resolve, pause));
    else await write(path);
  }
  throw new Error(`${path} holds no id; delete it`);
}

/** Writes an id, unless another process is faster. */
async function write(path: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, crypto.randomUUID(), { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    // On a full disk the name is there without its id, which would never be written any more.
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}
