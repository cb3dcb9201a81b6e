/**
 * One download of a provider's file into a file on disk, from which any number of readers is
 * served: each waits until its bytes have arrived. The provider is asked for no more than the
 * reader that is furthest on wants, so a reader that takes its time holds the download back.
 */
import { Failure } from "../codecs/failure.ts";

/** Dependencies of a download. */
export interface DownloadOptions {
  /** Empty, open for reading and writing; the download closes it. */
  readonly file: Deno.FsFile;
  /** The provider's bytes, from the file's first one on. */
  readonly body: ReadableStream<Uint8Array>;
  /** The size of the whole. */
  readonly bytes: number;
  /** Called each time that the last reader has left. */
  readonly idle: () => void;
  /** Called once if it breaks: readers get what has arrived and then the error. */
  readonly broken: () => void;
  /** Receives the error of a disk that fails. */
  readonly diskFailed: (error: unknown) => void;
}

/** The download of one file, which all readers of its ranges share. */
export interface Download {
  /** The bytes of a range that is within the file; both ends inclusive. */
  read(range: { readonly first: number; readonly last: number }): ReadableStream<Uint8Array>;
  isRead(): boolean;
  /** Ends it and gives the disk back; readers that are left get the reason. */
  close(reason: Error): Promise<void>;
}

/** How many bytes a reader is given at once. */
const chunkBytes = 256 * 1024;
/** How far the download may be ahead of its readers, in bytes. */
const aheadBytes = 4 * 2 ** 20;
/** After so many bytes other requests get a turn. */
const yieldBytes = 2 ** 20;

/** Begins a download; it moves once there is a reader. */
export function createDownload(options: DownloadOptions): Download {
  const { file, bytes, idle, broken, diskFailed } = options;
  const source = options.body.getReader();
  /** Each with the end of what it wants by now. */
  const readers = new Set<{ wants: number }>();
  let written = 0;
  let failure: { readonly error: unknown } | undefined;
  let pumping: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let arrival = Promise.withResolvers<void>();
  let turn: Promise<unknown> = Promise.resolve();

  /** A file has one position, so those who seek and go on from there take turns. */
  function exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  }

  function announce(): void {
    arrival.resolve();
    arrival = Promise.withResolvers();
  }

  function diskFailure(cause: unknown): Failure {
    diskFailed(cause);
    return new Failure(
      "unavailable",
      "The gateway's disk failed while the file was kept on it. Send the request again, or ask " +
        "for the whole object, which needs no disk",
      { cause },
    );
  }

  function fail(error: unknown): void {
    failure ??= { error };
    announce();
  }

  function store(chunk: Uint8Array): Promise<void> {
    return exclusively(async () => {
      try {
        await file.seek(written, Deno.SeekMode.Start);
        for (let done = 0; done < chunk.byteLength;) done += await file.write(chunk.subarray(done));
      } catch (cause) {
        throw diskFailure(cause);
      }
    });
  }

  function load(position: number, length: number): Promise<Uint8Array> {
    return exclusively(async () => {
      if (closing && failure) throw failure.error;
      const buffer = new Uint8Array(length);
      try {
        await file.seek(position, Deno.SeekMode.Start);
        const read = await file.read(buffer);
        if (read === null) throw new Error("The file on disk is shorter than was written");
        return buffer.subarray(0, read);
      } catch (cause) {
        throw diskFailure(cause);
      }
    });
  }

  const isWanted = () => !failure && [...readers].some(({ wants }) => wants > written);

  async function pump(): Promise<void> {
    let sinceYield = 0;
    try {
      while (isWanted()) {
        const { done, value } = await source.read();
        if (failure) return;
        if (done) throw endedEarly();
        const chunk = value.subarray(0, bytes - written);
        await store(chunk);
        written += chunk.byteLength;
        sinceYield += chunk.byteLength;
        announce();
        if (sinceYield >= yieldBytes) {
          sinceYield = 0;
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
      }
    } catch (error) {
      // A download that is being closed breaks on purpose.
      if (failure) return;
      fail(error);
      broken();
    }
    // Read to its end, the connection can be used again.
    if (written === bytes) await drain(source);
  }

  function drive(): void {
    if (pumping || !isWanted()) return;
    pumping = pump().then(() => {
      pumping = undefined;
      drive();
    });
  }

  function read({ first, last }: { first: number; last: number }): ReadableStream<Uint8Array> {
    const end = last + 1;
    const me = { wants: 0 };
    let position = first;
    readers.add(me);

    function leave(): void {
      if (readers.delete(me) && readers.size === 0) idle();
    }

    /** The next chunk; undefined where no reader waits for it any more. */
    async function next(): Promise<Uint8Array | undefined> {
      me.wants = Math.min(end, position + aheadBytes);
      drive();
      while (written <= position && !failure && readers.has(me)) await arrival.promise;
      if (!readers.has(me)) return undefined;
      if (written <= position && failure) throw failure.error;
      const chunk = await load(position, Math.min(chunkBytes, written - position, end - position));
      return readers.has(me) ? chunk : undefined;
    }

    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const chunk = await next();
          if (!chunk) return;
          position += chunk.byteLength;
          controller.enqueue(chunk);
          if (position < end) return;
          controller.close();
          leave();
        } catch (error) {
          if (!readers.has(me)) return;
          leave();
          throw error;
        }
      },
      cancel: leave,
    }, { highWaterMark: 0 });
  }

  async function end(reason: Error): Promise<void> {
    fail(reason);
    // What the provider still sends does not matter.
    await source.cancel(reason).catch(() => {});
    await pumping;
    await exclusively(() => Promise.resolve(file.close()));
  }

  return {
    read,
    isRead: () => readers.size > 0,
    close: (reason) => closing ??= end(reason),
  };
}

/** Reads what is behind the last byte, which is the end or more than was declared. */
async function drain(source: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    if (!(await source.read()).done) await source.cancel();
  } catch {
    // All bytes are here: how the connection ends does not matter.
  }
}

function endedEarly(): Failure {
  return new Failure(
    "unavailable",
    "The provider ended the file before its last byte. Send the request again",
  );
}
