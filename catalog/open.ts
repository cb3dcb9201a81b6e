/** Opening the catalog: its folder, its file, and the form that it is in. */
import { calledAs } from "../runtime/program_name.ts";
import { basename, dirname } from "node:path";
import { Failure } from "../codecs/failure.ts";
import { found, syncPath } from "../runtime/files.ts";
import { makeDraftFolder, tidyDrafts } from "./draft_folder.ts";
import { groupCommits } from "./grouped_kv.ts";
import { openKv } from "./kv.ts";
import { dropMoment } from "./moment.ts";
import { identityOf, isOriginal, noteOrigin } from "./origin.ts";
import type { ReadMemory } from "./read_memory.ts";
import { ensureSchema } from "./schema.ts";
import { takeUseLock, type UseLock } from "./use_lock.ts";

/** An open catalog. */
export interface OpenedKv {
  readonly kv: Deno.Kv;
  /** What was read of it before; absent where changes since cannot be seen. */
  readonly memory?: ReadMemory;
  /** Whether the file that was opened still has its name; absent where there is no file. */
  readonly isPresent?: () => boolean;
  /** Throws `unavailable` where the catalog's file is missing. */
  readonly mustBePresent?: () => void;
  /** Closes it, and notes that it was closed properly. */
  close(): Promise<void>;
}

/** How a catalog is opened. */
export interface OpenDeps {
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Milliseconds since 1970; the system's where absent. */
  readonly now?: () => number;
  /** Called before what may take a while. */
  readonly report?: (message: string) => void;
  /** Called for what is wrong with the catalog while it is used. */
  readonly warn?: (message: string) => void;
  /** A file of up to so many bytes is always looked through: 64 MiB, well below 0.1 s. */
  readonly alwaysCheckedBytes?: number;
  /** Leaves the catalog in the form that it has: for looking at it, and for replacing it. */
  readonly anyForm?: boolean;
  /** Refuses a catalog that another process uses. */
  readonly alone?: boolean;
}

const defaultCheckedBytes = 64 * 2 ** 20;

/**
 * Opens the catalog, making its folder if it is missing, and brings it to the present form.
 *
 * A small file is looked through for damage before anything uses it, a larger one where the last
 * process that used it was cut off. Throws a sentence that says what to do where it is damaged,
 * cannot be written, or is of a newer form.
 *
 * @param path A path, or `:memory:`.
 */
export async function openCatalogKv(path: string, deps: OpenDeps): Promise<OpenedKv> {
  if (path === ":memory:") return await openInMemory(deps);
  const lock = await takeCatalogLock(path, deps);
  let kv: Deno.Kv | undefined;
  let isNoted = false;
  let identity: string | undefined;
  try {
    // Before anything opens it, which makes a log of its own.
    const isKnown = await sizeOf(path) === 0 || await isOriginal(path);
    await lookForDamage(path, lock, deps);
    await keepPrivate(path);
    kv = await openKv(path);
    identity = identityOf(path);
    if (!deps.anyForm && !isKnown) await forgetMomentOfCopy(kv, path, deps);
    // A command that only looks leaves the decision to commands that change the catalog.
    isNoted = isKnown || !deps.anyForm;
    if (isNoted) await noteIfPossible(path, identity);
    if (!deps.alone) await lock.share();
    // The steps of a migration are many, and go to the disk together.
    const steps = groupCommits(kv);
    if (!deps.anyForm) await ensureSchema(steps, deps.sleep, `The catalog ${path}`, deps.report);
  } catch (error) {
    kv?.close();
    lock.drop();
    throw error;
  }
  const opened = kv;
  return {
    kv: opened,
    isPresent: () => identityOf(path) === identity,
    async close() {
      opened.close();
      await lock.leave(() => isNoted ? noteIfPossible(path, identity) : Promise.resolve());
    },
  };
}

/** A full disk does not close the catalog: without the note it is taken for a copy, which is safe. */
async function noteIfPossible(path: string, identity: string | undefined): Promise<void> {
  await noteOrigin(path, identity).catch(() => {});
}

/** Only for this user, whatever the folder's mode: credentials are in it, and names of objects. */
async function keepPrivate(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  try {
    (await Deno.open(path, { write: true, create: true, mode: 0o600 })).close();
  } catch (error) {
    throw cannotOpen(path, reasonOf(error), error);
  }
  // SQLite makes its other files with the mode of the first.
  for (const name of [path, `${path}-wal`, `${path}-shm`]) {
    await found(Deno.chmod(name, 0o600)).catch((error: unknown) => {
      // Another user's, who decides upon its mode.
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    });
  }
}

/**
 * Replaces the catalog by a new one that is made beside it: it is as it was until the new one is
 * whole, whatever happens meanwhile. Throws `conflict` where another process uses it.
 *
 * @param accept Looks at the catalog that is to go, and throws where it may not.
 * @param make Fills the new one.
 */
export async function replaceCatalog<Result>(
  path: string,
  deps: OpenDeps,
  accept: (kv: Deno.Kv) => Promise<void>,
  make: (kv: Deno.Kv) => Promise<Result>,
): Promise<Result> {
  const lock = await takeCatalogLock(path, { ...deps, alone: true });
  try {
    await lookForDamage(path, lock, deps);
    await keepPrivate(path);
    const old = await openKv(path);
    await accept(old).finally(() => old.close());
    await using folder = await makeDraftFolder(dirname(path));
    const draft = `${folder.path}/${basename(path)}`;
    await keepPrivate(draft);
    const kv = await openKv(draft);
    const result = await make(kv).finally(() => kv.close());
    await syncPath(draft);
    // The last user has closed the old one, and with that brought its log into it.
    for (const rest of ["-wal", "-shm"]) await found(Deno.remove(`${path}${rest}`));
    await Deno.rename(draft, path);
    await syncPath(dirname(path));
    await lock.leave(() => noteOrigin(path));
    return result;
  } catch (error) {
    lock.drop();
    throw error;
  }
}

async function openInMemory(deps: OpenDeps): Promise<OpenedKv> {
  const kv = await openKv(":memory:");
  if (!deps.anyForm) await ensureSchema(kv, deps.sleep, "The catalog", deps.report);
  return { kv, close: () => Promise.resolve(kv.close()) };
}

/** Takes from a copy of a catalog what was true of the moment in which it was made. */
async function forgetMomentOfCopy(
  kv: Deno.Kv,
  path: string,
  { sleep, report, now = Date.now }: OpenDeps,
): Promise<void> {
  await dropMoment(kv, sleep, now());
  report?.(
    `The catalog ${path} is a copy, or was last used by an older version: files that gateways put ` +
      `after it was made are left at their providers. \`${
        calledAs("catalog rebuild")
      }\` takes them in`,
  );
}

async function takeCatalogLock(path: string, deps: OpenDeps): Promise<UseLock> {
  await sizeOf(path);
  let lock: UseLock;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await tidyDrafts(dirname(path));
    lock = await takeUseLock(
      `${path}.mark`,
      () => deps.report?.(`Another process has the catalog ${path} for itself: waiting for it`),
    );
  } catch (error) {
    throw cannotOpen(path, reasonOf(error), error);
  }
  if (!deps.alone || lock.isAlone) return lock;
  lock.drop();
  throw new Failure(
    "conflict",
    `The catalog ${path} is in use. Stop every gateway and command that uses it, and try again`,
  );
}

/** Throws where the file is damaged, or cannot be looked at. */
async function lookForDamage(path: string, lock: UseLock, deps: OpenDeps): Promise<void> {
  const bytes = await sizeOf(path);
  const isLarge = bytes > (deps.alwaysCheckedBytes ?? defaultCheckedBytes);
  if (bytes === 0 || (isLarge && !lock.wasCutOff)) return;
  if (isLarge) deps.report?.(`The catalog ${path} was not closed properly, and is looked through`);
  // Loaded only here: a first start, and one in memory, have nothing to look at.
  const { damageOf } = await import("./damage.ts");
  const found = damageOf(path);
  if (found?.kind === "damaged") throw damaged(path, found.reason);
  if (found) throw cannotOpen(path, found.reason, undefined);
}

/** Bytes of the catalog's file; 0 where there is none yet. */
async function sizeOf(path: string): Promise<number> {
  try {
    const { isDirectory, size } = await Deno.stat(path);
    if (isDirectory) throw cannotOpen(path, "it is a folder", undefined);
    return size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error instanceof Failure ? error : cannotOpen(path, reasonOf(error), error);
  }
}

function cannotOpen(path: string, reason: string, cause: unknown): Failure {
  if (cause instanceof Deno.errors.NotCapable) {
    return new Failure(
      "internal",
      `Cannot open the catalog ${path}: this program has no permission for the folder ` +
        `${dirname(path)}. Start it with ${
          calledAs("start")
        }, which gives it, or name a folder with ` +
        "BATCHWAY_DATA. Where there is no disk, set BATCHWAY_CATALOG to the URL of a KV Connect " +
        "server, or to deploy on Deno Deploy",
      { cause },
    );
  }
  return new Failure(
    "internal",
    `Cannot open the catalog ${path}: ${reason}. See that the folder ${dirname(path)} can be ` +
      "written to, that its disk has room, and that nothing but a catalog has its name; " +
      "BATCHWAY_DATA names another folder",
    { cause },
  );
}

function damaged(path: string, damage: string): Failure {
  const name = basename(path);
  return new Failure(
    "internal",
    `Cannot open the catalog ${path}: ${damage}. The file is damaged or is not a catalog, and was ` +
      `left as it is. Stop every gateway that uses it, and move ${name}, ${name}-wal and ${name}-shm out ` +
      `of the folder ${dirname(path)}; then bring a backup back with \`${
        calledAs("catalog import")
      } ` +
      `FILE\`, or run \`${
        calledAs("catalog rebuild")
      }\`, which makes a new catalog of what the providers ` +
      "hold. BATCHWAY_DATA names another folder",
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
