/**
 * A file beside the catalog that shows whether the catalog was closed properly. A process that uses the
 * catalog holds a shared lock on it, so that the last to go is known; a lock goes with its process.
 */
import { diskTrouble } from "../runtime/disk.ts";

/** The lock, held. */
export interface UseLock {
  /** Whether no other process uses the catalog; none will before {@linkcode UseLock.share}. */
  readonly isAlone: boolean;
  /** Whether the last to use the catalog was cut off, and it is not in use now. */
  readonly wasCutOff: boolean;
  /** Lets others in, who wait while the catalog is looked at. */
  share(): Promise<void>;
  /**
   * Leaves, and says that all is well if no other process is left.
   *
   * @param last Done before that, while no other process can come.
   */
  leave(last?: () => Promise<void>): Promise<void>;
  /** Leaves without a word. */
  drop(): void;
}

const inUse = "in use\n";
const closed = "closed\n";

/**
 * Takes the lock. Throws as Deno does where the file cannot be written.
 *
 * @param waiting Called where another process has the catalog for itself, which is waited for.
 */
export async function takeUseLock(path: string, waiting: () => void = () => {}): Promise<UseLock> {
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    const isAlone = await file.tryLock(true);
    if (!isAlone && !await file.tryLock(false)) {
      waiting();
      await file.lock(false);
    }
    const wasCutOff = isAlone && await readState(file) === inUse;
    if (isAlone) await writeState(file, inUse);
    return {
      isAlone,
      wasCutOff,
      share: () => file.lock(false),
      async leave(last) {
        try {
          if (!await file.tryLock(true)) return;
          await last?.();
          await writeState(file, closed);
        } catch (error) {
          // On a full disk the file stays as it is, and the next to come looks the catalog through.
          if (diskTrouble(error) === undefined) throw error;
        } finally {
          file.close();
        }
      },
      drop: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function readState(file: Deno.FsFile): Promise<string> {
  const buffer = new Uint8Array(16);
  const read = await file.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, read));
}

async function writeState(file: Deno.FsFile, text: string): Promise<void> {
  await file.seek(0, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode(text));
  await file.truncate(text.length);
  await file.syncData();
}
