/** A file that results are written to before they are kept. */
import { createHash } from "node:crypto";
import { Failure } from "../../codecs/failure.ts";
import type { Facts } from "./store.ts";

const chunkBytes = 256 * 1024;

/** Writes all bytes of a chunk. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

/** A file's bytes from a position on, read as they are wanted; closes nothing. */
export async function* chunksOf(
  file: Deno.FsFile,
  first: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  await file.seek(first, Deno.SeekMode.Start);
  for (let left = length; left > 0;) {
    const chunk = new Uint8Array(Math.min(left, chunkBytes));
    const read = await file.read(chunk);
    if (read === null) throw damaged("are shorter than they were");
    left -= read;
    yield chunk.subarray(0, read);
  }
}

/** Throws where a file on disk does not hold what was written to it. */
export async function verify(file: Deno.FsFile, { bytes, sha256 }: Facts): Promise<void> {
  await file.syncData();
  const { size } = await file.stat();
  if (size !== bytes) throw damaged(`have ${size} bytes and not ${bytes}`);
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(file, 0, bytes)) hash.update(chunk);
  if (hash.digest("hex") !== sha256) throw damaged("are not the bytes that were written");
}

/** Kept results that are not what they must be. */
export function damaged(how: string): Failure {
  return new Failure("unavailable", `The results in the gateway's store ${how}. Tell its operator`);
}
