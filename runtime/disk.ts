/**
 * A disk that refuses writes, in the gateway's words. Everything that writes to a disk does so through
 * a {@linkcode Disk}, so that a full one is a 503 that says so, and readiness knows of it.
 */
import { Failure } from "../codecs/failure.ts";

/**
 * What is wrong with a disk: there is no room left, it does not do what it should, it may not be written
 * to, or there is none for this process at all, as on Deno Deploy.
 */
export type DiskTrouble = "full" | "failing" | "closed" | "absent";

/** A place on disk that is written to. */
export interface Disk {
  /**
   * Does work that writes. What the disk refuses becomes a `Failure` of the kind `unavailable` (of the
   * kind `unsupported` where there is none), and is
   * remembered until work succeeds; other errors are thrown as they are.
   */
  write<Result>(work: () => Promise<Result>): Promise<Result>;
  /** What was wrong when it was last written to; undefined where all was well. */
  trouble(): DiskTrouble | undefined;
}

/** Writes to the operator's log. */
type Warn = (message: string, fields: Readonly<Record<string, unknown>>) => void;

/**
 * As Deno 2.9.6 words it: the file system's codes, or its numbers where it knows no name (27 is
 * EFBIG, a limit of the process), and SQLite's sentences, which Deno KV throws as TypeError.
 */
const full =
  /^(ENOSPC|EDQUOT|EFBIG)$|no space left|quota exceeded|\(os error (28|122|27)\)|database or disk is full/i;
const closed = /^(EACCES|EPERM|ENOSYS|ENOTSUP)$/;
const failing = /^(EIO|EROFS)$|disk i\/o error|\(os error (5|30)\)|readonly database/i;

/** Returns what an error says of the disk; undefined where it is about something else. */
export function diskTrouble(error: unknown): DiskTrouble | undefined {
  if (!(error instanceof Error) || error instanceof Failure) return undefined;
  const code = "code" in error ? String(error.code) : "";
  if (full.test(code) || full.test(error.message)) return "full";
  if (failing.test(code) || failing.test(error.message)) return "failing";
  const { NotCapable, NotSupported, PermissionDenied } = Deno.errors;
  // The process was started without the permission, or there is no file system: that does not pass.
  if (error instanceof NotCapable || error instanceof NotSupported) return "absent";
  return error instanceof PermissionDenied || closed.test(code) ? "closed" : undefined;
}

/** Makes a disk. @param place What is kept there, for the log. */
export function createDisk(place: string, warn: Warn = () => {}): Disk {
  let trouble: DiskTrouble | undefined;
  return {
    async write(work) {
      try {
        const result = await work();
        if (trouble !== undefined) warn("The disk can be written to again", { place });
        trouble = undefined;
        return result;
      } catch (error) {
        const found = diskTrouble(error);
        if (found === undefined) throw error;
        // Logged once, and not with each request that is refused.
        if (trouble !== found) warn(`The disk is ${found}: writes are refused`, { place, error });
        trouble = found;
        throw diskFailure(found, error);
      }
    },
    trouble: () => trouble,
  };
}

/** Returns whether something failed only because it could not be written down. */
export function isDiskFailure(error: unknown): boolean {
  return error instanceof Failure && error.details.disk === true;
}

const sentences: Readonly<Record<DiskTrouble, string>> = {
  full:
    "The gateway's disk is full, and nothing of this request was kept. Send it again later; the " +
    "gateway's operator has to make room in BATCHWAY_DATA",
  failing:
    "The gateway's disk does not work as it should. Send the request again later; the gateway's " +
    "operator has to look at the disk of BATCHWAY_DATA",
  closed:
    "The gateway has no disk that it may write to, which this needs. Send the request again later; " +
    "the gateway's operator has to let it write to the folder BATCHWAY_DATA",
  absent:
    "The gateway has no disk, which this needs. The gateway's operator has to set objects.store to a " +
    "bucket in batchway.jsonc, or to run it where it may write to the folder BATCHWAY_DATA",
};

/** The error that a client gets. */
export function diskFailure(trouble: DiskTrouble, cause: unknown): Failure {
  // Not one that clients repeat: it would be the same for ever.
  if (trouble === "absent") {
    return new Failure("unsupported", sentences.absent, { cause, disk: true });
  }
  return new Failure(
    "unavailable",
    sentences[trouble],
    { cause, retryAfterSeconds: 10, disk: true },
  );
}
