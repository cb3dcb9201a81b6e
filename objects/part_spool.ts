/**
 * Parts of uploads on disk, from UploadPart to Complete: a folder an upload, a file a part.
 *
 * The folder may be shared by several gateways on one machine, which share a catalog too. Each knows
 * what itself has written; what the others wrote it learns at each `measure`, so that between two of
 * them each gateway has the bound for itself.
 */
import { createHash } from "node:crypto";
import { entries, found, writeAll } from "../runtime/files.ts";
import { bounds } from "../runtime/bounds.ts";
import { createDisk, type Disk } from "../runtime/disk.ts";
import { Failure } from "../codecs/failure.ts";
import { once } from "../runtime/single_flight.ts";
import { createPool, type Holder, type PoolOptions, type Reservation } from "../runtime/pool.ts";
import { diskId } from "./disk_id.ts";

/** Dependencies of a spool. */
export interface PartSpoolOptions {
  /** The folder, made if missing; without it a temporary one that `close` removes. */
  readonly folder?: string;
  /** Bytes that parts may have; {@linkcode defaultRoom} where absent. */
  readonly room?: PoolOptions;
  /** The disk of the folder. */
  readonly disk?: Disk;
}

/** The file that holds a part of an upload. */
export interface PartFile {
  readonly file: string;
  readonly bytes: number;
}

/** A file whose bytes were counted. */
interface StoredFile {
  readonly reservation: Reservation;
  bytes: number;
}

/** Where parts of uploads wait. */
export interface PartSpool {
  /** An id of the place: gateways of the same id see each other's parts. */
  disk(): Promise<string>;
  /**
   * Writes a part, durably; the body is read to its end, or cancelled. Throws `throttled`, SlowDown,
   * where there is no room for it, what breaks the body, and `unavailable` where the place fails; no
   * file is left then.
   *
   * @param part The file's name is unlike any other of the upload: `{number}-{random}`.
   * @returns Hex MD5 of the bytes.
   */
  write(
    upload: string,
    part: PartFile,
    body: ReadableStream<Uint8Array>,
    holder: Holder,
  ): Promise<string>;
  /** Streams the bytes of these parts in their order. */
  read(upload: string, parts: readonly PartFile[]): ReadableStream<Uint8Array>;
  /** Whether a part is here, whole. */
  has(upload: string, part: PartFile): Promise<boolean>;
  /** Deletes a part. */
  remove(upload: string, file: string): Promise<void>;
  /** Deletes all parts of an upload. */
  removeAll(upload: string): Promise<void>;
  /** Lists the uploads that have parts here. */
  uploads(): Promise<string[]>;
  /** Names an upload's files that have not been written to since a time. */
  strays(upload: string, before: number): Promise<string[]>;
  /** Counts again what is here, of other gateways too. */
  measure(holders?: ReadonlyMap<string, Holder>): Promise<void>;
  /** Ends what the spool has begun. */
  close(): Promise<void>;
}

/** Of 20 GiB the last four are for tenants and accounts that have up to two of their own. */
const defaultRoom: PoolOptions = {
  shared: bounds.partsBytes - 2 * bounds.ownPartsBytes,
  own: bounds.ownPartsBytes,
  most: bounds.partsBytes,
};
/** Bytes that are read at once. */
const chunkBytes = 256 * 1024;
/** Holds files of uploads that are not in the catalog any more. */
const nobody: Holder = { tenant: "", account: "" };
/** The form of uploads' ids. Other things may be in the folder; they are left where they are. */
export const uploadForm = /^[a-z0-9]{32}$/;
/** The form of the names of parts' files. */
export const partForm = /^[0-9]{1,5}-[a-z0-9]+$/;

/** Makes a spool; nothing is on disk before the first part. */
export function createPartSpool(options: PartSpoolOptions = {}): PartSpool {
  const room = createPool(options.room ?? defaultRoom);
  const onDisk = wordedDisk(options.disk ?? createDisk("parts of uploads"));
  /** The bytes that each file has on disk, by its path below the folder. */
  const stored = new Map<string, StoredFile>();
  /** Files being written by this process. */
  const writing = new Set<string>();
  const temporary = once(() => Deno.makeTempDir({ prefix: "batchway-parts-" }));
  /** Which disk the parts are on. */
  const disk = once(() => onDisk(async () => await diskId(await folder())));

  return { disk, write, read, has, remove, removeAll, uploads, strays, measure, close };

  /**
   * Only bytes that have come count: a part that declares many and sends few takes no room from
   * others. The MD5 is computed on their way: at some 600 MB/s a core (Deno 2.9.6) it is the dearest
   * step, and S3's clients compare it.
   */
  async function write(
    upload: string,
    { file: name, bytes }: PartFile,
    body: ReadableStream<Uint8Array>,
    holder: Holder,
  ): Promise<string> {
    const path = `${upload}/${name}`;
    let taken = false;
    try {
      if (!room.fits(holder, bytes)) throw full();
      const kept = count(path, holder, 0);
      writing.add(path);
      const file = await onDisk(() => open(upload, name));
      try {
        const md5 = createHash("md5");
        taken = true;
        for await (const chunk of body) {
          if (!kept.reservation.grow(chunk.byteLength)) throw full();
          kept.bytes += chunk.byteLength;
          md5.update(chunk);
          await onDisk(() => writeAll(file, chunk));
        }
        await onDisk(() => file.sync());
        return md5.digest("hex");
      } finally {
        file.close();
      }
    } catch (error) {
      if (!taken) await body.cancel(error);
      // What cannot be removed is a stray for the sweep; the first error is the one to report.
      await remove(upload, name).catch(() => {});
      throw error;
    } finally {
      writing.delete(path);
    }
  }

  /** The bytes of these parts in their order, as one stream. */
  function read(upload: string, parts: readonly PartFile[]): ReadableStream<Uint8Array> {
    const rest = parts.values();
    let file: Deno.FsFile | undefined;
    let reading: Promise<Uint8Array | undefined> | undefined;

    function closeFile(): void {
      file?.close();
      file = undefined;
    }

    async function next(): Promise<Uint8Array | undefined> {
      for (;;) {
        if (file) {
          const buffer = new Uint8Array(chunkBytes);
          const count = await file.read(buffer);
          if (count !== null) return buffer.subarray(0, count);
          closeFile();
        }
        const { value, done } = rest.next();
        if (done) return undefined;
        file = await Deno.open(`${await folder()}/${upload}/${value.file}`);
      }
    }

    async function chunk(): Promise<Uint8Array | undefined> {
      try {
        return await onDisk(next);
      } catch (error) {
        closeFile();
        throw error;
      }
    }

    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        reading = chunk();
        const bytes = await reading;
        if (bytes) controller.enqueue(bytes);
        else controller.close();
      },
      async cancel() {
        // A file may just be being opened.
        await reading?.catch(() => {});
        closeFile();
      },
    }, { highWaterMark: 0 });
  }

  /** Returns whether a part is on this disk, whole. */
  async function has(upload: string, { file, bytes }: PartFile): Promise<boolean> {
    const info = await found(Deno.stat(`${await folder()}/${upload}/${file}`));
    return info?.size === bytes;
  }

  /** Deletes a part. */
  async function remove(upload: string, name: string): Promise<void> {
    await found(Deno.remove(`${await folder()}/${upload}/${name}`));
    forget(`${upload}/${name}`);
  }

  /** Deletes all parts of an upload. */
  async function removeAll(upload: string): Promise<void> {
    await found(Deno.remove(`${await folder()}/${upload}`, { recursive: true }));
    for (const path of stored.keys()) {
      if (path.startsWith(`${upload}/`) && !writing.has(path)) forget(path);
    }
  }

  /** The uploads that have a folder. */
  async function uploads(): Promise<string[]> {
    if (options.folder === undefined && !temporary.isBegun()) return [];
    return (await entries(await folder())).filter((name) => uploadForm.test(name));
  }

  /** Names of an upload's files that were not written to since a time. */
  async function strays(upload: string, before: number): Promise<string[]> {
    const path = `${await folder()}/${upload}`;
    const old: string[] = [];
    for (const name of await entries(path)) {
      if (!partForm.test(name) || writing.has(`${upload}/${name}`)) continue;
      const info = await found(Deno.stat(`${path}/${name}`));
      if (info?.mtime && info.mtime.getTime() < before) old.push(name);
    }
    return old;
  }

  /** Counts again what is on disk, of other gateways too. */
  async function measure(holders: ReadonlyMap<string, Holder> = new Map()): Promise<void> {
    // What is written in the meantime counts already.
    const before = [...stored.keys()];
    const seen = new Set<string>(writing);
    for (const upload of await uploads()) {
      for (const name of await entries(`${await folder()}/${upload}`)) {
        const path = `${upload}/${name}`;
        const info = await found(Deno.stat(`${await folder()}/${path}`));
        if (!info || writing.has(path)) continue;
        seen.add(path);
        if (stored.get(path)?.bytes !== info.size) {
          count(path, holders.get(upload) ?? nobody, info.size);
        }
      }
    }
    for (const path of before) if (!seen.has(path)) forget(path);
  }

  /** Removes a temporary folder. */
  async function close(): Promise<void> {
    if (temporary.isBegun()) await found(Deno.remove(await temporary(), { recursive: true }));
    temporary.forget();
  }

  /** Counts the bytes of a file, in the place of what was counted of it before. */
  function count(path: string, holder: Holder, bytes: number): StoredFile {
    forget(path);
    const file = { reservation: room.count(holder, bytes), bytes };
    stored.set(path, file);
    return file;
  }

  function forget(path: string): void {
    stored.get(path)?.reservation.leave();
    stored.delete(path);
  }

  function full(): Failure {
    return new Failure(
      "throttled",
      `Parts of uploads that are not completed take ${room.taken()} bytes on the gateway's disk, ` +
        "and there is no room for this one. Complete or abort uploads (ListMultipartUploads names " +
        "them), then send the part again",
      { s3: "SlowDown", retryAfterSeconds: 10 },
    );
  }

  async function open(upload: string, name: string): Promise<Deno.FsFile> {
    const path = `${await folder()}/${upload}`;
    // What waits here is customers' data: only for this user.
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    return await Deno.open(`${path}/${name}`, { write: true, createNew: true, mode: 0o600 });
  }

  function folder(): Promise<string> {
    if (options.folder !== undefined) return Promise.resolve(options.folder);
    return temporary();
  }
}

/** Words what the disk refuses. */
function wordedDisk(disk: Disk) {
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await disk.write(work);
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw new Failure(
        "unavailable",
        "The gateway's disk failed while it kept a part of the upload. Send the request again; if " +
          "that does not help, its operator should look at the rights of BATCHWAY_DATA",
        { cause, retryAfterSeconds: 10 },
      );
    }
  };
}
