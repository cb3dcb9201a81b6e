/** A nameless file on disk that results are gathered in, and the place of each record's line in it. */
import type { NamelessFile } from "../../runtime/memory_file.ts";
import { Failure } from "../../codecs/failure.ts";
import type { Disk } from "../../runtime/disk.ts";
import { openNameless, writeAll } from "../../runtime/files.ts";
import type { ScratchRoom, ScratchShare } from "./scratch_room.ts";

/** Lines are written in blocks of about this size. */
const blockBytes = 256 * 1024;

/** Where results are gathered. */
export interface ScratchFolder {
  /** Made if missing; the system's for temporary files where absent. */
  readonly folder: string | undefined;
  readonly disk: Disk;
  /** Without it, results take what the disk has. */
  readonly room?: ScratchRoom;
}

/** Opens a file that goes with the process. What the disk refuses is its `Failure`. */
export function openScratch({ folder, disk }: ScratchFolder): Promise<NamelessFile> {
  return disk.write(() => openNameless("batchway-scratch-", folder));
}

/** Result lines by the numbers of their records, in 13 bytes of memory a record. */
export class Scratch {
  readonly #file: NamelessFile;
  readonly #disk: Disk;
  readonly #share: ScratchShare | undefined;
  readonly #offsets: Float64Array;
  /** Bytes of each line, and one more: 0 where there is none. */
  readonly #lengths: Uint32Array;
  #waiting: Uint8Array[] = [];
  #length = 0;
  #written = 0;
  /** How many records have a line. */
  found = 0;
  /** How many lines came for records that had one. */
  repeated = 0;
  readonly #repeated = new Set<number>();
  /** The round whose results are added: a line of a later one takes the place of an earlier one. */
  round = 0;
  readonly #rounds: Uint8Array;

  private constructor(
    file: NamelessFile,
    { disk, share }: { readonly disk: Disk; readonly share: ScratchShare | undefined },
    records: number,
  ) {
    this.#file = file;
    this.#disk = disk;
    this.#share = share;
    this.#offsets = new Float64Array(records + 1);
    this.#lengths = new Uint32Array(records + 1);
    this.#rounds = new Uint8Array(records + 1);
  }

  /**
   * Opens a file that goes with the process. Records count from 1.
   *
   * @param tenant Whose share of the disk it takes.
   */
  static async open(
    location: ScratchFolder,
    records: number,
    tenant: string,
  ): Promise<Scratch> {
    const { disk, room } = location;
    const file = await openScratch(location);
    return new Scratch(file, { disk, share: room?.enter(tenant) }, records);
  }

  /** Whether a record has a line of this round. */
  has(record: number): boolean {
    return (this.#lengths[record] ?? 0) > 0 && this.#rounds[record] === this.round;
  }

  /** The round that the line of a record is of. */
  roundOf(record: number): number {
    return this.#rounds[record] ?? 0;
  }

  /** Whether several lines came for a record. */
  isRepeated(record: number): boolean {
    return this.#repeated.has(record);
  }

  /**
   * Adds the line of a record, unless it has one of this round; numbers of no record are passed over.
   *
   * @returns Whether it was added.
   */
  async add(record: number, line: Uint8Array): Promise<boolean> {
    if (record < 1 || record >= this.#lengths.length) return false;
    if (this.has(record)) {
      this.repeated++;
      this.#repeated.add(record);
      return false;
    }
    this.found++;
    this.#rounds[record] = this.round;
    this.#offsets[record] = this.#written + this.#length;
    this.#lengths[record] = line.length + 1;
    // A line is a view of the chunk that it came in.
    this.#waiting.push(line.slice());
    this.#length += line.length;
    if (this.#length >= blockBytes) await this.flush();
    return true;
  }

  /** Writes what was added. Throws `unavailable` where its tenant has no room for it now. */
  async flush(): Promise<void> {
    if (this.#share && !this.#share.grow(this.#length)) throw noRoom();
    const block = new Uint8Array(this.#length);
    let at = 0;
    for (const line of this.#waiting) {
      block.set(line, at);
      at += line.length;
    }
    this.#waiting = [];
    this.#length = 0;
    await this.#file.seek(this.#written, Deno.SeekMode.Start);
    await this.#disk.write(() => writeAll(this.#file, block));
    this.#written += block.length;
  }

  /** The line of a record; undefined where it has none. All must have been flushed. */
  async read(record: number): Promise<Uint8Array | undefined> {
    const length = (this.#lengths[record] ?? 0) - 1;
    if (length < 0) return undefined;
    const line = new Uint8Array(length);
    await this.#file.seek(this.#offsets[record] ?? 0, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const read = await this.#file.read(line.subarray(done));
      if (read === null) {
        throw new Failure("unavailable", "Results that were gathered are not there");
      }
      done += read;
    }
    return line;
  }

  close(): void {
    this.#share?.leave();
    this.#file.close();
  }
}

function noRoom(): Failure {
  return new Failure(
    "unavailable",
    "The results of other jobs take the gateway's room for gathering them. These are gathered once " +
      "one of those is done",
    // As where the disk itself has none: it ends no job.
    { retryAfterSeconds: 10, disk: true },
  );
}
