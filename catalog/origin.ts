/**
 * Whether a catalog's file is the one that was last used here, or a copy of it: a backup that was put
 * in its place, or a folder that was copied. What a copy says of living processes was true of another
 * moment, and must not be acted upon.
 *
 * The file `catalog.kv.origin` describes the files as they were last left: by their inodes and times,
 * which no copy has. A process that was cut off leaves SQLite's log behind; a copy has none, or
 * another one. What goes unseen is a disk that was set back as a whole, beneath the file system.
 */
import { found } from "../runtime/files.ts";
import * as v from "valibot";

const FileFacts = v.object({
  ino: v.nullable(v.number()),
  born: v.nullable(v.number()),
});

const Origin = v.variant("state", [
  /** Being used: its log is there for as long. */
  v.object({ state: v.literal("open"), file: FileFacts, log: FileFacts }),
  /** Closed: it was not written since. */
  v.object({
    state: v.literal("closed"),
    file: FileFacts,
    bytes: v.number(),
    changed: v.nullable(v.number()),
  }),
]);

type FileFacts = v.InferOutput<typeof FileFacts>;
type Origin = v.InferOutput<typeof Origin>;

/** Returns whether the file is the one that was described last, and not a copy. */
export async function isOriginal(path: string): Promise<boolean> {
  const noted = await readOrigin(path);
  const [file, log] = [await found(Deno.stat(path)), await found(Deno.stat(`${path}-wal`))];
  if (!noted || !file || !isSame(noted.file, file)) return false;
  if (noted.state === "open") return log !== undefined && isSame(noted.log, log);
  // A reader may leave an empty log behind.
  return (log?.size ?? 0) === 0 && noted.bytes === file.size &&
    noted.changed === timeOf(file.mtime);
}

/** Returns what a file is known by, whatever is written to it: no copy has the same. */
export function identityOf(path: string): string | undefined {
  try {
    return JSON.stringify(factsOf(Deno.statSync(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Describes the file as it is now: while it is open, or after the last user has closed it.
 *
 * @param identity Of the file that was used: another one that has come in its place is not described.
 */
export async function noteOrigin(path: string, identity?: string): Promise<void> {
  const [file, log] = [await found(Deno.stat(path)), await found(Deno.stat(`${path}-wal`))];
  if (!file || identity !== undefined && JSON.stringify(factsOf(file)) !== identity) return;
  const now: Origin = log
    ? { state: "open", file: factsOf(file), log: factsOf(log) }
    : { state: "closed", file: factsOf(file), bytes: file.size, changed: timeOf(file.mtime) };
  const draft = `${originPath(path)}.${crypto.randomUUID()}`;
  try {
    await Deno.writeTextFile(draft, `${JSON.stringify(now)}\n`, { mode: 0o600 });
    await Deno.rename(draft, originPath(path));
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
}

function originPath(path: string): string {
  return `${path}.origin`;
}

async function readOrigin(path: string): Promise<Origin | undefined> {
  try {
    const noted = v.safeParse(Origin, JSON.parse(await Deno.readTextFile(originPath(path))));
    return noted.success ? noted.output : undefined;
  } catch {
    return undefined; // Missing, or half of it: then nothing is known, as of a copy.
  }
}

function factsOf({ ino, birthtime }: Deno.FileInfo): FileFacts {
  return { ino, born: timeOf(birthtime) };
}

function isSame(noted: FileFacts, file: Deno.FileInfo): boolean {
  const { ino, born } = factsOf(file);
  return noted.ino === ino && noted.born === born;
}

function timeOf(date: Date | null): number | null {
  return date?.getTime() ?? null;
}
