/** Files in memory, for programs that may write to no disk, as on Deno Deploy. */
import { Failure } from "../codecs/failure.ts";

/** What is done with a file that no folder names. */
export type NamelessFile =
  & Pick<Deno.FsFile, "read" | "write" | "seek" | "syncData" | "close" | typeof Symbol.dispose>
  & { stat(): Promise<Pick<Deno.FileInfo, "size">> };

/** What all such files of a process hold together, in bytes: an instance has little memory. */
const mostInMemory = 64 * 2 ** 20;
const firstBytes = 64 * 1024;

/** Bytes that the files of this process have room for. */
let taken = 0;

/** Makes an empty file. Writing throws `too-large` where all files together would be over the limit. */
export function createMemoryFile(most = mostInMemory): NamelessFile {
  let bytes = new Uint8Array(0);
  let size = 0;
  let at = 0;
  let isOpen = true;

  function grow(wanted: number): void {
    if (wanted <= bytes.length) return;
    const next = Math.max(wanted, Math.min(2 * bytes.length, most), firstBytes);
    if (taken - bytes.length + next > most) {
      throw new Failure(
        "too-large",
        `The gateway may write to no disk, and holds at most ${most / 2 ** 20} MiB of drafts and ` +
          "results in memory. Send less at once, or run it where it has a disk",
      );
    }
    const grown = new Uint8Array(next);
    grown.set(bytes.subarray(0, size));
    taken += next - bytes.length;
    bytes = grown;
  }

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    taken -= bytes.length;
    bytes = new Uint8Array(0);
    size = 0;
  }

  return {
    write(chunk) {
      try {
        grow(at + chunk.length);
      } catch (error) {
        return Promise.reject(error);
      }
      bytes.set(chunk, at);
      at += chunk.length;
      size = Math.max(size, at);
      return Promise.resolve(chunk.length);
    },
    read(buffer) {
      const chunk = bytes.subarray(at, Math.min(size, at + buffer.length));
      buffer.set(chunk);
      at += chunk.length;
      return Promise.resolve(chunk.length === 0 && buffer.length > 0 ? null : chunk.length);
    },
    seek(offset, whence) {
      const from = whence === Deno.SeekMode.Start ? 0 : whence === Deno.SeekMode.End ? size : at;
      at = from + Number(offset);
      return Promise.resolve(at);
    },
    syncData: () => Promise.resolve(),
    stat: () => Promise.resolve({ size }),
    close,
    [Symbol.dispose]: close,
  };
}
