/** Deno KV as the catalog uses it: opened with a clear error, and atomics that try again. */
import { Failure } from "../codecs/failure.ts";
import { maxGetMany, maxValueBytes } from "./keys.ts";

/** What an attempt at a change came to. */
export type Attempt<Result> = { readonly done: Result } | "again";

const attempts = 40;

/**
 * Opens the catalog's file, making its folder if it is missing.
 *
 * @param path A path, or `:memory:`.
 */
export async function openKv(path: string): Promise<Deno.Kv> {
  try {
    if (path !== ":memory:") {
      const folder = path.replace(/\/[^/]*$/, "");
      if (folder !== "" && folder !== path) {
        await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
      }
    }
    return await Deno.openKv(path);
  } catch (error) {
    throw new Failure(
      "internal",
      `Cannot open the catalog ${path}: ${reasonOf(error)}. ` +
        "See that the folder can be written to, that its disk has room, and that the file is a " +
        "catalog; BATCHWAY_DATA names another folder",
      { cause: error },
    );
  }
}

/**
 * Tries a read-check-write until it goes through: a check that fails because another writer was
 * faster, and SQLite's "database is locked" when two processes share the file, are tried again.
 */
export async function change<Result>(
  sleep: (milliseconds: number) => Promise<void>,
  attempt: () => Promise<Attempt<Result>>,
): Promise<Result> {
  for (let n = 0; n < attempts; n++) {
    try {
      const outcome = await attempt();
      if (outcome !== "again") return outcome.done;
    } catch (error) {
      if (isTooLarge(error)) throw tooLarge(error);
      if (!isLocked(error)) throw error;
    }
    // 1 to 32 ms at random: without it two processes lock each other out again and again.
    await sleep(1 + Math.random() * 31);
  }
  throw new Failure("unavailable", "The catalog is busy; try again", { retryAfterSeconds: 1 });
}

/** A KV that does as another one does, but for the methods that are given. */
export function kvOver(kv: Deno.Kv, own: Partial<Deno.Kv>): Deno.Kv {
  return {
    get: (key, options) => kv.get(key, options),
    getMany: (keys, options) => kv.getMany(keys, options),
    list: (selector, options) => kv.list(selector, options),
    set: (key, value, options) => kv.set(key, value, options),
    delete: (key) => kv.delete(key),
    atomic: () => kv.atomic(),
    enqueue: (value, options) => kv.enqueue(value, options),
    listenQueue: (handler) => kv.listenQueue(handler),
    watch: (keys, options) => kv.watch(keys, options),
    commitVersionstamp: () => kv.commitVersionstamp(),
    close: () => kv.close(),
    [Symbol.dispose]: () => kv.close(),
    ...own,
  };
}

/** Reads that are under way at once: more only wait for one another. */
const readsAtOnce = 8;

/**
 * The values of these keys, in their order; the cost is that of the keys, however full the catalog.
 */
export async function readAll<Value>(
  kv: Deno.Kv,
  wanted: readonly Deno.KvKey[],
): Promise<(Value | undefined)[]> {
  const found: (Value | undefined)[] = [];
  const step = maxGetMany * readsAtOnce;
  for (let at = 0; at < wanted.length; at += step) {
    const reads: Promise<Deno.KvEntryMaybe<Value>[]>[] = [];
    for (let n = at; n < Math.min(at + step, wanted.length); n += maxGetMany) {
      reads.push(kv.getMany<Value[]>(wanted.slice(n, n + maxGetMany)));
    }
    for (const entries of await Promise.all(reads)) {
      for (const { value } of entries) found.push(value ?? undefined);
    }
  }
  return found;
}

/** Returns whether a commit failed because another process has the file. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /database is (locked|busy)/.test(error.message);
}

/** The limits of Deno KV (Deno 2.9.6): of a key, of a value, of all of one step together. */
function isTooLarge(error: unknown): boolean {
  return error instanceof TypeError && /too (large|many)/i.test(error.message);
}

function tooLarge(cause: unknown): Failure {
  return new Failure(
    "invalid",
    `What is to be kept of this has no room in a record of ${maxValueBytes} bytes. Send less of ` +
      "headers, metadata or tags with it, or fewer and larger parts",
    { s3: "MetadataTooLarge", cause },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
