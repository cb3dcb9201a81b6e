/**
 * Pins: files that a job reads beside the one in its plan, such as those of a folder. They are written
 * before the job's journal entry, so that a job that is promised has all of them, and go with the
 * rest of what is forgotten once it is over.
 */
import { Failure } from "../codecs/failure.ts";
import type { FileId, JobId } from "../codecs/ids.ts";
import type { FileEntry, ObjectEntry } from "./entries.ts";
import { keys, type Scope } from "./keys.ts";
import { change, readAll } from "./kv.ts";

/** A file that a job holds. */
export interface PinEntry extends Pick<ObjectEntry, "file" | "held" | "bytes"> {
  /** The provider that it is at. */
  readonly provider: string;
  /** The key of its object when the job was created. */
  readonly key: string;
}

/** Pins that one step writes, each with its use: a step takes 800 KiB, and a pin up to 64. */
const mostAtOnce = 10;
/** Pins that one step deletes, each with its use. */
const mostForgotten = 100;

/** The pins' part of the catalog. */
export type PinCatalog = ReturnType<typeof createPinCatalog>;

/** Makes the pins' part of the catalog. */
export function createPinCatalog(
  kv: Deno.Kv,
  sleep: (milliseconds: number) => Promise<void>,
) {
  return { hold, all, forget };

  /**
   * Keeps files from being deleted until the job is forgotten. Throws `invalid` with `gone` where one
   * is being deleted, or was; what was held by then is to be forgotten.
   *
   * @param native Whether files may be native, which the catalog does not name.
   */
  async function hold(
    scope: Scope,
    id: JobId,
    pins: readonly PinEntry[],
    native: boolean,
  ): Promise<void> {
    await write((step) => void step.set(keys.unreleased(scope, id), true));
    for (let at = 0; at < pins.length; at += mostAtOnce) {
      await write((step) => {
        for (const [n, pin] of pins.slice(at, at + mostAtOnce).entries()) {
          step.set(keys.pin(scope, id, at + n), pin).set(
            keys.use(pin.provider, pin.file, id),
            true,
          );
        }
      });
    }
    // A deletion puts the file into the trash first, and then looks for its readers: one that did
    // not see these uses is seen here.
    const files = await readAll<FileEntry>(
      kv,
      pins.map((pin) => keys.file(pin.provider, pin.file)),
    );
    const isGone = (file: FileEntry | undefined, n: number) =>
      file ? file.state === "trash" : !native || pins[n]?.held.in !== "provider";
    if (files.some(isGone)) throw gone();
  }

  /** The files that a job holds, in the order in which they were given. */
  async function* all(scope: Scope, id: JobId): AsyncGenerator<PinEntry> {
    for await (const { value } of kv.list<PinEntry>({ prefix: keys.pins(scope, id) })) yield value;
  }

  /**
   * Lets the files of a job go that is over, or came to nothing.
   *
   * @returns What is no longer held, each file once.
   */
  async function forget(scope: Scope, id: JobId): Promise<Pick<PinEntry, "provider" | "file">[]> {
    const found = new Map<string, { provider: string; file: FileId }>();
    for (;;) {
      const some = await Array.fromAsync(
        kv.list<PinEntry>({ prefix: keys.pins(scope, id) }, { limit: mostForgotten }),
      );
      if (some.length === 0) break;
      await write((step) => {
        for (const { key, value: { provider, file } } of some) {
          step.delete(key).delete(keys.use(provider, file, id));
        }
      });
      for (const { value: { provider, file } } of some) {
        found.set(JSON.stringify([provider, file]), { provider, file });
      }
    }
    return [...found.values()];
  }

  function write(add: (step: Deno.AtomicOperation) => void): Promise<void> {
    return change(sleep, async () => {
      const step = kv.atomic();
      add(step);
      return (await step.commit()).ok ? { done: undefined } : "again";
    });
  }
}

function gone(): Failure {
  return new Failure(
    "invalid",
    "A file of the job's input is being deleted. Put it again, and create the job with it",
    { gone: true },
  );
}
