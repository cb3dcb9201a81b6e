/** Files that a command writes: gathered into large writes, and never the file that it reads. */
import { found } from "../runtime/files.ts";
import { resolve } from "node:path";
import { UsageError } from "../config/arguments.ts";

/** Where lines go. */
export interface Output extends Disposable {
  /** Takes a text; resolves at once unless enough is gathered for a write. */
  write(text: string): Promise<void> | undefined;
  /** Writes what is gathered. */
  flush(): Promise<void>;
}

/** Characters that are gathered before they are written. */
const gatheredLength = 256 * 2 ** 10;

/** Opens a file for writing, or standard output where no path is given. */
export async function openOutput(path?: string): Promise<Output> {
  const file = path === undefined ? undefined : await created(path);
  const target = file ?? Deno.stdout;
  const encoder = new TextEncoder();
  let gathered = "";
  async function flush() {
    const bytes = encoder.encode(gathered);
    gathered = "";
    for (let at = 0; at < bytes.length;) at += await target.write(bytes.subarray(at));
  }
  return {
    write(text) {
      gathered += text;
      return gathered.length < gatheredLength ? undefined : flush();
    },
    flush,
    [Symbol.dispose]: () => file?.close(),
  };
}

async function created(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, truncate: true });
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${reasonOf(error)}`);
  }
}

/**
 * Checks that a file can be read, twice, and that no output would write over it or over the other.
 * Throws {@linkcode UsageError}.
 */
export async function checkFiles(
  file: string,
  outputs: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const input = await stat(file);
  if (!input) throw new UsageError(`There is no file ${file}`);
  if (!input.isFile) {
    throw new UsageError(`${file} is not a file that can be read twice, as it has to be`);
  }
  const taken = new Map<string, string>([[identity(file, input), file]]);
  for (const [option, path] of Object.entries(outputs)) {
    if (path === undefined) continue;
    const there = await stat(path);
    // Devices such as /dev/null take whatever is written to them.
    if (there && !there.isFile) {
      if (there.isDirectory) throw new UsageError(`${option}: ${path} is a folder. Name a file`);
      continue;
    }
    const id = identity(path, there);
    const other = taken.get(id);
    if (other !== undefined) {
      throw new UsageError(`${option}: ${path} is the same file as ${other}. Name another one`);
    }
    taken.set(id, path);
  }
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await found(Deno.stat(path));
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/** Identifies a file, whatever links it is reached by. */
function identity(path: string, info: Deno.FileInfo | undefined): string {
  return info?.ino === undefined || info.ino === null
    ? resolve(path)
    : `inode ${info.dev} ${info.ino}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
