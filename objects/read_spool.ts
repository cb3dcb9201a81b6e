/**
 * Ranges of files whose provider ignores ranges. Clients download a large object in many parallel
 * ranges, and each would download the whole file from such a provider. So the first answer that
 * is whole becomes one download to disk that serves them all; it is kept for a short time after
 * its last use and within a bound, the longest unused going first.
 *
 * Its files on disk have no name: the operating system frees them when the process ends, however
 * that happens, and no other process can come by.
 */
import { openNamelessOnDisk } from "../runtime/files.ts";
import { bounds } from "../runtime/bounds.ts";
import { cutBody } from "../runtime/cut_body.ts";
import { createPool, type Holder, type Reservation, withOwnShare } from "../runtime/pool.ts";
import { Failure } from "../codecs/failure.ts";
import { cancelUnread } from "../runtime/unread.ts";
import type { OpenedFile } from "../providers/provider.ts";
import { createDownload, type Download } from "./download.ts";

/** Dependencies of the spool. */
export interface ReadSpoolDeps {
  /** Folder for the files, made if missing; without it, the system's for temporary files. */
  readonly folder?: string;
  /**
   * What all files may take on disk together; a larger file is never kept. Each tenant has an eighth of
   * it for itself beside that.
   */
  readonly maxBytes: number;
  /** How long a file is kept after its last reader. */
  readonly keepMilliseconds: number;
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Called when the disk fails; each range is then fetched from the provider. */
  readonly failed: (error: unknown) => void;
}

/** A range within a file; both ends inclusive. */
export interface SpoolRange {
  readonly first: number;
  readonly last: number;
}

/** A file of which ranges are asked for. */
export interface SpoolableFile {
  /** Unlike that of any other file. */
  readonly id: string;
  /** Where it is: a source that honoured a range is taken to honour the next one. */
  readonly source: string;
  /** Whose share of the disk it takes. */
  readonly tenant: string;
  readonly bytes: number;
  /** Asks the provider for a range. */
  open(range: SpoolRange, signal: AbortSignal): Promise<OpenedFile>;
}

/** Reads ranges. */
export interface ReadSpool {
  /** The bytes of a range. Throws what opening the file throws. */
  read(
    file: SpoolableFile,
    range: SpoolRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>>;
  /** Ends every download. Readers that are left get an error. */
  close(): Promise<void>;
}

interface Kept {
  readonly id: string;
  readonly tenant: string;
  readonly bytes: number;
  room: Reservation;
  readonly download: Download;
  /** Ends the wait for it to be too old. */
  rest: AbortController;
}

/** A question to a provider whose answer all ranges of a file wait for. */
interface Opening {
  readonly id: string;
  /** The body for the caller; nothing where the file is kept from now on. */
  readonly answer: Promise<ReadableStream<Uint8Array> | undefined>;
  readonly abort: AbortController;
  waiting: number;
  answered: boolean;
}

/** Makes a spool; it takes no disk until a provider ignores a range. */
export function createReadSpool(deps: ReadSpoolDeps): ReadSpool {
  /** The longest unused first. */
  const kept = new Map<string, Kept>();
  const openings = new Map<string, Opening>();
  const ranging = new Set<string>();
  /** With those that broke and have readers yet, which no other reader may join. */
  const onDisk = new Set<Kept>();
  /** Downloads that are on their way out. */
  const ending = new Set<Promise<void>>();
  const closing = new AbortController();
  const pool = createPool(withOwnShare(deps.maxBytes, bounds.ownShare));
  let closed = false;
  /** Whether the disk failed a moment ago: ranges are then read from their provider. */
  let isDistrusted = false;

  function failed(error: unknown): void {
    deps.failed(error);
    if (isDistrusted || closed) return;
    isDistrusted = true;
    const trust = () => void (isDistrusted = false);
    deps.sleep(deps.keepMilliseconds, closing.signal).then(trust, trust);
  }

  async function read(
    file: SpoolableFile,
    range: SpoolRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    for (;;) {
      const one = kept.get(file.id);
      if (one) return readKept(one, range);
      if (ranging.has(file.source) || file.bytes > deps.maxBytes || closed) {
        return await readDirectly(file, range, signal);
      }
      const others = openings.get(file.id);
      const body = others
        ? await join(others, signal).then(() => undefined)
        : await ask(file, range, signal);
      if (body) return body;
    }
  }

  function readKept(one: Kept, range: SpoolRange): ReadableStream<Uint8Array> {
    one.rest.abort();
    kept.delete(one.id);
    kept.set(one.id, one);
    return one.download.read(range);
  }

  async function readDirectly(
    file: SpoolableFile,
    range: SpoolRange,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const { body, ranged } = await file.open(range, signal);
    if (ranged) return body;
    ranging.delete(file.source);
    return cutBody(body, range);
  }

  /** Asks the provider, for this range and for all others that come in the meantime. */
  async function ask(file: SpoolableFile, range: SpoolRange, signal: AbortSignal) {
    const abort = new AbortController();
    const opening: Opening = {
      id: file.id,
      answer: answer(file, range, abort.signal).finally(() => {
        opening.answered = true;
        forget(opening);
      }),
      abort,
      waiting: 0,
      answered: false,
    };
    openings.set(file.id, opening);
    try {
      return await join(opening, signal);
    } catch (error) {
      // The caller is gone, and others may wait; a body that was only for the caller is not kept.
      opening.answer.then((body) => body?.cancel()).catch(() => {});
      throw error;
    }
  }

  /** Lets no reader join any more. */
  function forget(opening: Opening): void {
    if (openings.get(opening.id) === opening) openings.delete(opening.id);
  }

  async function answer(file: SpoolableFile, range: SpoolRange, signal: AbortSignal) {
    const { body, ranged } = await file.open(range, signal);
    if (ranged) {
      ranging.add(file.source);
      return body;
    }
    return await keep(file, body, signal) ? undefined : cutBody(body, range);
  }

  /** Waits for an answer; the last one to go before it withdraws the question. */
  async function join(opening: Opening, signal: AbortSignal) {
    opening.waiting++;
    const gone = Promise.withResolvers<never>();
    const leave = () => gone.reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([opening.answer, gone.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      opening.waiting--;
      if (opening.waiting === 0 && !opening.answered) {
        forget(opening);
        opening.abort.abort(signal.reason);
      }
    }
  }

  /** Turns a body into a download; false where there is no room for it, and the body is as it was. */
  async function keep(
    file: SpoolableFile,
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const room = isDistrusted ? undefined : makeRoom(file);
    if (!room) return false;
    let disk: Deno.FsFile;
    try {
      await Promise.all(ending);
      disk = await openNamelessOnDisk("batchway-read-", deps.folder);
    } catch (error) {
      room.leave();
      failed(error);
      return false;
    }
    if (signal.aborted) {
      room.leave();
      disk.close();
      await cancelUnread(body, signal.reason);
      throw signal.reason;
    }
    const { id, tenant, bytes } = file;
    const download = createDownload({
      file: disk,
      body,
      bytes,
      idle: () => kept.get(id) === one ? rest(one) : drop(one),
      broken() {
        kept.delete(id);
        if (!download.isRead()) drop(one);
      },
      diskFailed: failed,
    });
    const one: Kept = { id, tenant, bytes, room, download, rest: new AbortController() };
    kept.set(id, one);
    onDisk.add(one);
    rest(one);
    return true;
  }

  /** Takes room, for which the longest unused go; none of them where that is not enough. */
  function makeRoom({ tenant, bytes }: SpoolableFile): Reservation | undefined {
    const holder = holderOf(tenant);
    const victims: Kept[] = [];
    for (const one of kept.values()) {
      if (pool.fits(holder, bytes)) break;
      if (one.download.isRead()) continue;
      one.room.leave();
      victims.push(one);
    }
    const room = pool.take(holder, bytes);
    for (const one of victims) {
      if (room) drop(one);
      else one.room = pool.count(holderOf(one.tenant), one.bytes);
    }
    return room;
  }

  /** Keeps a file without readers for its time. */
  function rest(one: Kept): void {
    const { signal } = one.rest = new AbortController();
    const old = () => signal.aborted || drop(one);
    // It ends early where a reader comes.
    deps.sleep(deps.keepMilliseconds, signal).then(old, () => {});
  }

  function drop(one: Kept): void {
    if (!onDisk.delete(one)) return;
    one.rest.abort();
    if (kept.get(one.id) === one) kept.delete(one.id);
    one.room.leave();
    const end = one.download.close(shuttingDown())
      .catch(failed)
      .finally(() => ending.delete(end));
    ending.add(end);
  }

  return {
    read,
    async close() {
      closed = true;
      closing.abort();
      for (const { abort } of openings.values()) abort.abort(shuttingDown());
      await Promise.allSettled([...openings.values()].map(({ answer }) => answer));
      for (const one of [...onDisk]) drop(one);
      await Promise.all(ending);
    },
  };
}

/** Each tenant has a share of its own, wherever the file is. */
function holderOf(tenant: string): Holder {
  return { tenant, account: tenant };
}

function shuttingDown(): Failure {
  return new Failure("unavailable", "The gateway is shutting down; send the request again", {
    retryAfterSeconds: 1,
  });
}
