/** A file that a blob is written to before it is kept. */
import type { NamelessFile } from "../runtime/memory_file.ts";
import { createHash } from "node:crypto";
import { Failure } from "../codecs/failure.ts";
import type { BlobFacts } from "./store.ts";

const chunkBytes = 256 * 1024;

/** Yields a file's bytes from a position on, read as they are wanted; closes nothing. */
export async function* chunksOf(
  file: NamelessFile,
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
export async function verify(file: NamelessFile, { bytes, sha256 }: BlobFacts): Promise<void> {
  await verifyLength(file, bytes);
  const hash = createHash("sha256");
  for await (const chunk of chunksOf(file, 0, bytes)) hash.update(chunk);
  if (hash.digest("hex") !== sha256) throw damaged("are not the bytes that were written");
}

/** Puts a file's bytes on disk, and throws where they are not so many. */
export async function verifyLength(file: NamelessFile, bytes: number): Promise<void> {
  await file.syncData();
  const { size } = await file.stat();
  if (size !== bytes) throw damaged(`have ${size} bytes and not ${bytes}`);
}

/** The failure for a blob that is not what it must be. */
export function damaged(how: string): Failure {
  return new Failure("unavailable", `The bytes in the gateway's store ${how}. Tell its operator`);
}

/** The failure for a name under which nothing is kept. */
export function notKept(cause?: unknown): Failure {
  return new Failure("not-found", "The bytes are no longer in the gateway's store", { cause });
}

/** The failure for a body that ends early or goes on behind its length. */
export function wrongLength(bytes: number): Failure {
  return new Failure(
    "invalid",
    `The body does not have the ${bytes} bytes that it declares. Send it again with its exact length`,
    { s3: "IncompleteBody" },
  );
}
